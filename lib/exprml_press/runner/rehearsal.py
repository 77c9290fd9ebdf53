"""The rehearsal of the paper profile: generated files in the form of the papers' own, in a folder apart."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from exprml.base.choices import REHEARSAL
from exprml.base.code_hash import library_hash, modules_of
from exprml.base.files import data_folder, from_yaml, project_root, write_text
from exprml.base.hashing import content_hash_and_size, file_hash
from exprml.base.locks import held
from exprml_press.runner.folders import Folders

_COMMITTED = ("experiments.csv", "claims.yml", "published", "reference")  # read as they are
_MAKERS = "import exprml_press.rehearsal"


def prepare() -> None:
    """Make the files of a rehearsal if they are not there, and have this process read and write there alone.

    ``EXPRML_DATA`` moves to ``_build/rehearsal/data`` for this process and those it starts. The catalogue
    there is the project's own without addresses and packages, so that nothing is fetched, and with the
    hashes of the generated files; the mirror is forgotten. What was made by older code is made anew.
    """
    root, committed = Folders(REHEARSAL).root, project_root() / "data"
    folder = root / "data"
    os.environ["EXPRML_DATA"] = str(folder)
    os.environ.pop("EXPRML_MIRROR", None)
    with held(root / "data.lock", wait=True):
        stamp, key = folder / "made.key", library_hash(modules_of(_MAKERS))
        key += file_hash(committed / "catalogue.yml")
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != key:
            stamp.unlink(missing_ok=True)
            _make(committed / "catalogue.yml")
            write_text(stamp, key)
        for name in _COMMITTED:
            link = folder / name
            if not link.exists() and (committed / name).exists():
                link.unlink(missing_ok=True)  # of a project that was moved
                link.symlink_to(committed / name)


def _make(catalogue: Path) -> None:
    """Write the generated files, recount3's store built of its own as ever, and the catalogue of them.

    The catalogue without addresses stands first: at no time does a rehearsal that is running see another.
    """
    from exprml_press import rehearsal

    raw, place = data_folder("raw"), data_folder("catalogue.yml")
    listed = from_yaml(catalogue.read_text(encoding="utf-8"))
    files = [one for entry in listed.values() for one in (entry.get("files") or {}).values()]
    for file in files:
        file.pop("url", None)
        file.pop("package", None)
    write_text(place, yaml.safe_dump(listed, allow_unicode=True, sort_keys=False))
    for write in rehearsal.WRITERS.values():
        write(raw)
    for file in files:
        if (raw / file["path"]).is_file():
            file["sha256"], file["bytes"] = content_hash_and_size(raw / file["path"])
    write_text(place, yaml.safe_dump(listed, allow_unicode=True, sort_keys=False))
