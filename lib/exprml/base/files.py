"""Where the project lies, and files that are either whole or not there."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from exprml.base.errors import ExprmlError


def project_root() -> Path:
    """Return the folder that holds ``_toc.yml``: ``EXPRML_ROOT``, else the nearest one upwards.

    Raises
    ------
    ExprmlError
        If neither the working folder nor the installed package lies inside the project.
    """
    if os.environ.get("EXPRML_ROOT"):
        return Path(os.environ["EXPRML_ROOT"]).resolve()
    starts = [Path.cwd(), Path(__file__).resolve().parent]
    for start in starts:
        for folder in [start, *start.parents]:
            if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
                return folder
    raise ExprmlError(f"no _toc.yml above {Path.cwd().name!r}: run inside the project or set EXPRML_ROOT")


def from_yaml(text: str) -> Any:
    """Return what YAML says; libyaml reads it in an eighth of the time, where PyYAML was built with it."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def data_folder(*parts: str) -> Path:
    """Return a path under the project's ``data/`` folder (``EXPRML_DATA`` moves it)."""
    base = os.environ.get("EXPRML_DATA")
    return Path(base).resolve().joinpath(*parts) if base else project_root().joinpath("data", *parts)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there when the block ends well, else delete it.

    A reader never sees half a file, and an error leaves the old file as it was. Who may read it is what the
    umask says.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.touch(mode=0o666, exist_ok=False)
        mode = part.stat().st_mode
        yield part
        part.chmod(mode)  # some libraries put a file there that nobody else can read
        with open(part, "rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except OSError as error:
        if is_full(error) or str(error.filename) == str(part):  # it may name the source of a copy, or nothing
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def is_full(error: OSError) -> bool:
    """Return whether a disk had no room left, or its owner's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def room(path: str | Path) -> str:
    """Return in words how much is free where `path` lies or was to be."""
    path = Path(path).absolute()
    folder = next(one for one in (path, *path.parents) if one.is_dir())
    return f"{shutil.disk_usage(folder).free / 2**20:.0f} MiB are free in {folder}"


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as part:
        part.write_bytes(content)


def write_text(path: str | Path, content: str) -> None:
    """Write `content` to `path` atomically, UTF-8, newlines as given."""
    write_bytes(path, content.encode())


def write_text_if_changed(path: str | Path, content: str) -> bool:
    """Write `content` only when it differs from what stands there; return whether it was written."""
    path = Path(path)
    if path.is_file() and path.read_bytes() == content.encode():
        return False
    write_text(path, content)
    return True


def as_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys: the same value gives the same bytes."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
