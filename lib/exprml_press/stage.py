"""The source of the site, put together from prose and executed notebooks, and its rendering.

The site is built aside and swapped in: a rendering that stops half-way leaves the old one standing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exprml.base.errors import ExprmlError
from exprml.base.files import as_json, project_root, write_text
from exprml.base.hashing import file_hash, text_hash
from exprml_press import postprocess
from exprml_press.runner.folders import Folders

_PROSE = ("_config.yml", "_toc.yml", "book")
_CARDS = "data-cards"
_JUPYTER_BOOK = (
    "import sys; from exprml_press import processes; processes.spare_slow_imports(); "
    "processes.leave_with_parent(int(sys.argv.pop(1)), lambda: None); "
    "from jupyter_book.cli.main import main; main()"
)
_SHAPERS = ("jupyter-book", "sphinx-book-theme", "Sphinx", "myst-nb")


def make_stage(folders: Folders, pages: Mapping[str, dict[str, Any]]) -> str:
    """Write the site's source and return the hash of all that shapes the site.

    Parameters
    ----------
    folders : Folders
        Of the profile; the source goes to its ``stage``.
    pages : dict
        Notebook name -> executed notebook (nbformat 4), or what stands in for it.
    """
    shutil.rmtree(folders.stage, ignore_errors=True)
    folders.stage.mkdir(parents=True)
    for name in _PROSE:
        source = project_root() / name
        if source.is_dir():
            shutil.copytree(source, folders.stage / name)
        elif source.is_file():
            shutil.copyfile(source, folders.stage / name)
    for name, document in pages.items():
        write_text(folders.stage / "notebooks" / f"{name}.ipynb", json.dumps(document, ensure_ascii=False))
    for path in (folders.stage / "book").glob("*.md"):
        said = [_answered(name, pages[name]) for name in sorted(pages) if name.startswith(f"{path.stem}/")]
        if said:  # the introduction of a part
            write_text(path, postprocess.under_title(path.read_text(encoding="utf-8"), "\n".join(said)))
    if _CARDS in (folders.stage / "_toc.yml").read_text(encoding="utf-8"):
        from exprml_press import cards

        cards.write_cards(folders.stage / _CARDS, profile=folders.label)
    return _site_hash(folders.stage)


def _answered(name: str, page: Mapping[str, Any]) -> str:
    """Return the question of a page and the first sentence of its answer, for its part's introduction."""
    about = page["metadata"]["exprml"]
    question = "".join(page["cells"][0]["source"]).partition("\n")[0].lstrip("# ")
    title, _, found = about.get("answer", "").partition("\n")[0].partition(".** ")
    if about.get("status") == "failed" or not found:
        found = "No answer: this notebook failed, and its page says where."
    data = " *Simulated data:*" if "simulated" in title else ""
    return f"- [{question}](../notebooks/{name}.ipynb){data} {re.split('(?<=[.!?]) (?=[A-Z])', found)[0]}"


def stand_in_page(source: Mapping[str, Any], name: str, why: str) -> dict[str, Any]:
    """Return the page of a notebook that did not run: its source with the reason under the title."""
    document = json.loads(json.dumps(source))
    about = {"notebook": name, "status": "failed"}
    return postprocess.mark_failed(postprocess.to_page(document, about), "before its first cell", why)


def is_rendered(folders: Folders, site_hash: str) -> bool:
    """Return whether the published site was made from exactly this source."""
    stamp = folders.root / "site.key"
    same = stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == site_hash
    return same and (folders.html / "index.html").is_file()


def render(folders: Folders, site_hash: str, *, strict: bool = True) -> list[str]:
    """Render the stage and put the site in place; return the warnings.

    Parameters
    ----------
    folders : Folders
        Of the profile.
    site_hash : str
        What :func:`make_stage` returned.
    strict : bool
        Warnings are errors. False when a page failed: figures that others point to are missing then.

    Raises
    ------
    ExprmlError
        If the site cannot be built; the old one stands.
    """
    folders.parts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="site-", dir=folders.parts) as aside:
        log = _run_jupyter_book(folders, aside, strict=strict)
        write_text(folders.root / "site.log", log)
        lines = log.replace(f"{folders.stage}/", "").splitlines()
        warnings = [one for one in lines if any(word in one for word in ("WARNING:", "ERROR:", "CRITICAL:"))]
        warnings = list(dict.fromkeys(warnings))
        built = Path(aside, "_build", "html")
        if "status 0" not in lines[-1] or not (built / "index.html").is_file():
            said = "\n  ".join(warnings) or log[-2000:]
            stands = "; the old one stands" if folders.html.exists() else ""
            raise ExprmlError(f"the site was not built{stands}. Sphinx says:\n  {said}")
        _swap_in(built, folders, site_hash)
    return warnings


def _run_jupyter_book(folders: Folders, aside: str, *, strict: bool) -> str:
    """Return what Jupyter Book said; the last line is its exit status."""
    command = [sys.executable, "-c", _JUPYTER_BOOK, str(os.getpid()), "build", str(folders.stage)]
    command += ["--all", "-n", *(["-W"] if strict else []), "--keep-going", "--path-output", aside]
    environment = {**os.environ, "EXPRML_ROOT": str(project_root()), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return f"{done.stdout}{done.stderr}\nstatus {done.returncode}"


def recover(folders: Folders) -> None:
    """Bring the old site back if a kill fell between the two renames of the swap."""
    for left in folders.parts.glob("site-*"):
        shutil.rmtree(left, ignore_errors=True)
    old = _old(folders)
    if old.is_dir() and not folders.html.exists():
        old.rename(folders.html)
    shutil.rmtree(old, ignore_errors=True)


def _swap_in(built: Path, folders: Folders, site_hash: str) -> None:
    stamp, old = folders.root / "site.key", _old(folders)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(old, ignore_errors=True)
    if folders.html.exists():
        folders.html.rename(old)
    built.rename(folders.html)
    write_text(stamp, site_hash)
    shutil.rmtree(old, ignore_errors=True)


def _old(folders: Folders) -> Path:
    return folders.html.with_name(folders.html.name + ".old")


def _site_hash(stage: Path) -> str:
    """Hash the staged files, the versions that shape pages, and our own part in it."""
    files = {p.relative_to(stage).as_posix(): file_hash(p) for p in sorted(stage.rglob("*")) if p.is_file()}
    ours = {path.name: file_hash(path) for path in Path(__file__).parent.glob("*pages.py")}
    return text_hash(as_json([files, ours, {name: version(name) for name in _SHAPERS}]))
