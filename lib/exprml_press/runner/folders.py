"""Where a build keeps its files; one profile never touches another's."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from exprml.base.errors import ExprmlError
from exprml.base.files import is_full, project_root, room
from exprml.base.locks import BusyError, held


@dataclass(frozen=True)
class Folders:
    """The files of one profile (or of "custom": runs changed by hand) under ``_build/``."""

    label: str

    @property
    def root(self) -> Path:
        """The profile's folder."""
        return project_root() / "_build" / self.label

    @property
    def stage(self) -> Path:
        """Source of the site: config, toc, prose, executed notebooks."""
        return self.root / "stage"

    @property
    def html(self) -> Path:
        """The published site; the default profile's is the book's."""
        return project_root() / "_build" / "html" if self.label == "default" else self.root / "html"

    @property
    def parts(self) -> Path:
        """What is being made: nothing here outlives its worker."""
        return self.root / "parts"

    def key(self, name: str) -> Path:
        """Return the key file of a notebook."""
        return self.root / "keys" / f"{name}.key"

    def page(self, name: str) -> Path:
        """Return where the executed notebook goes."""
        return self.root / "notebooks" / f"{name}.ipynb"

    def failed(self, name: str) -> Path:
        """Return where a failed run leaves the notebook as far as it came."""
        return self.root / "failed" / f"{name}.ipynb"

    def part(self, name: str) -> Path:
        """Return the private folder of a notebook's worker."""
        return self.parts / name.replace("/", "--")

    def part_lock(self, name: str) -> Path:
        """Return the lock that says somebody is running this notebook."""
        return self.parts / (name.replace("/", "--") + ".lock")

    def remove_leftovers(self) -> None:
        """Delete what killed workers and renderings left; those still at work are let be."""
        for folder in self.parts.glob("*/") if self.parts.is_dir() else []:
            try:
                with held(self.parts / (folder.name + ".lock"), wait=False):
                    shutil.rmtree(folder, ignore_errors=True)
            except BusyError:
                continue
        # Pages are whole or not there and keys say which are due: Snakemake need not doubt finished ones.
        shutil.rmtree(self.root / ".snakemake" / "incomplete", ignore_errors=True)
        for folder in ("keys", "notebooks", "failed"):
            for left in (self.root / folder).rglob("*.part"):
                left.unlink(missing_ok=True)


def require_writable(*folders: Path) -> None:
    """Refuse a folder in which nothing can be kept, before hours of computing.

    Raises
    ------
    ExprmlError
        Naming the folder and why.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ExprmlError(
                f"{folder}: page and results cannot be kept there ({explain(error)}). Nothing was run"
            ) from error


def explain(error: OSError) -> str:
    """Return what an operating system's error means for the reader, with the remedy."""
    at_fault = error.filename2 or error.filename  # of a copy, the second is what was to be written
    where = f" ({os.fsdecode(at_fault)})" if isinstance(at_fault, str | bytes | os.PathLike) else ""
    if is_full(error):
        return (
            f"the disk is full{where}: {room(os.fsdecode(at_fault) if where else _fullest())}. Nothing "
            "finished was lost; make room there (in the project `make clean` removes what can be made again) "
            "and give the same command"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write{where}: check who owns the folder, then give the same command"
    return f"{error.strerror or error}{where}"


def _fullest() -> str:
    """Return the fuller one of the folders that a run writes to: an error of a write names no file."""
    places = [str(project_root()), os.environ.get("TMPDIR", "/tmp")]
    return min(filter(os.path.isdir, places), key=lambda place: shutil.disk_usage(place).free)
