"""Set up the book's environment in .venv with the standard library alone: ``python3 bootstrap.py``.

A second call installs nothing and needs no network; an interrupted one is taken up where it stopped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP, BEGUN = VENV / ".installed", VENV / ".installing"
PINS = ("pyproject.toml", "constraints.txt")
OLDEST, NEWEST = (3, 11), (3, 13)


def main() -> int:
    """Install what is missing; return the exit status."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        here = ".".join(map(str, sys.version_info[:3]))
        print(
            f"The book needs Python 3.11, 3.12 or 3.13; this is {here} ({sys.executable}).\n"
            "Install one of them and say: make PYTHON=/path/to/python3.11 book\n"
            "or use conda: conda env create -f environment.yml",
            file=sys.stderr,
        )
        return 1
    if installed():
        return 0
    try:
        (ROOT / "_build").mkdir(exist_ok=True)
        with open(ROOT / "_build" / ".setup.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return 0 if installed() else install()
    except OSError as error:
        print(
            f"The set-up cannot write {error.filename or ROOT}: {error.strerror or error}.\n"
            "It makes .venv and _build in the project's folder: make room, or a copy where you may write.",
            file=sys.stderr,
        )
        return 1


def wanted() -> str:
    """Return the hash of everything that decides what is installed."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in PINS) + bytes(ROOT)).hexdigest()


def installed() -> bool:
    """Return whether .venv holds exactly what the pins ask for."""
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted()


def install() -> int:
    """Make .venv if there is none and install the pinned packages, by uv if it can be had, else by pip."""
    started = time.monotonic()
    print("Setting up .venv (once) ...", flush=True)
    if not runs(["-c", "import sys"]):
        venv.create(VENV, clear=True, with_pip=False)
    again = BEGUN.exists()  # an earlier call was cut short: its last package may be half there
    BEGUN.touch()
    STAMP.unlink(missing_ok=True)
    status = install_with_uv(again) and install_with_pip(again)
    if status:
        print("The installation failed; give the same command to go on from here.", file=sys.stderr)
        return 1
    STAMP.write_text(wanted(), encoding="utf-8")
    BEGUN.unlink(missing_ok=True)
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)
    return 0


def install_with_uv(again: bool) -> int:
    """Return the exit status of uv, which takes a tenth of pip's time."""
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        found = shutil.which("uv")
        if found:
            uv = Path(found)
        elif pip(["uv", "-c", "constraints.txt"], quiet=True):
            return 1
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS", "")
    settings = {"UV_FIND_LINKS": links} if links else {}  # uv does not read pip's settings
    install = [str(uv), "pip", "install", "--quiet", "--python", str(PYTHON)]
    command = [*install, *packages(), *(["--reinstall"] if again else [])]
    return call([*command, *fitting_torch(install)], settings)


def fitting_torch(install: list[str]) -> list[str]:
    """Return uv's option for the build of PyTorch that fits this machine, small without an NVIDIA card.

    Its index is not within everybody's reach, so one short question goes first: without an answer the
    ordinary package does, or the file in the folder that PIP_FIND_LINKS names.
    """
    option = ["--torch-backend=auto"]
    question = [*install, *option, "--dry-run", "--reinstall", "--no-deps", "torch", "-c", "constraints.txt"]
    hasty = {"UV_HTTP_RETRIES": "1", "UV_HTTP_CONNECT_TIMEOUT": "5", "UV_HTTP_TIMEOUT": "10"}
    if call(question, hasty, quiet=True) == 0:
        return option
    print("PyTorch's own index is out of reach; taking the package from where all others come.", flush=True)
    return []


def install_with_pip(again: bool) -> int:
    """Return the exit status of pip."""
    print("uv did not do it; going on with pip, which takes about a minute ...", flush=True)
    return pip([*packages(), *(["--force-reinstall"] if again else [])])


def pip(arguments: list[str], quiet: bool = False) -> int:
    """Install into .venv with the pip of this Python, else with one put into .venv first."""
    install = ["install", *(["--quiet"] if quiet else []), *arguments]
    outside = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    if subprocess.run([*outside, "--version"], capture_output=True, check=False).returncode == 0:
        return call([*outside, *install])
    if not runs(["-m", "pip", "--version"]) and call([str(PYTHON), "-m", "ensurepip", "--default-pip"]):
        return 1
    return call([str(PYTHON), "-m", "pip", *install])


def packages() -> list[str]:
    """Return the book's package with its direct dependencies, held to the pinned versions."""
    return ["-e", ".[test,lab]", "-c", "constraints.txt"]


def runs(arguments: list[str]) -> bool:
    """Return whether .venv's Python does this without an error."""
    if not PYTHON.exists():
        return False
    try:
        return subprocess.run([str(PYTHON), *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def call(command: list[str], settings: dict[str, str] | None = None, *, quiet: bool = False) -> int:
    """Run a command in the project's folder and return its exit status; at most a failure is heard."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(settings or {})},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode and not quiet:
        print(done.stderr[-3000:], file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
