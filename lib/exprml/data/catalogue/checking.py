"""Is a file what the catalogue says? Size and hash of the content, known beforehand or recorded."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exprml.base.errors import DownloadError
from exprml.base.files import as_json, data_folder, is_full, room, write_text_if_changed
from exprml.base.hashing import content_hash_and_size, file_hash
from exprml.base.locks import held
from exprml.data.catalogue.entries import DataFile

_RECORD = "recorded.json"


class DiskFullError(DownloadError):
    """No room for a file; nothing of it was kept."""


def expected_of(file: DataFile) -> tuple[str | None, int | None]:
    """Return SHA-256 and bytes of the content: as the catalogue says, else as first recorded, else None."""
    if file.sha256:
        return file.sha256, file.bytes
    first = recorded().get(file.path, {})
    return first.get("sha256"), first.get("bytes")


def check(file: DataFile, path: Path, source: str) -> str:
    """Return how the file at `path` was checked.

    Raises
    ------
    DownloadError
        If it is not the file the catalogue means; the message names file, expected, found and source.
    """
    expected, size = expected_of(file)
    if expected and file_hash(path) == expected:
        return "as published"  # R's own files are gzip too: their bytes as they are come first
    try:
        found, found_size = content_hash_and_size(path)
    except (OSError, EOFError, zlib.error) as error:
        raise DownloadError(f"{file.path} from {source} is damaged or cut short: {error}") from error
    if expected and found != expected:
        raise DownloadError(
            f"{file.path} from {source}: expected SHA-256 {expected} ({size} bytes), "
            f"found {found} ({found_size} bytes); it is damaged or another file and is not used"
        )
    if expected:
        return "content as expected"
    _refuse_page(file, path, source, found_size)
    return "hash not known beforehand, first download"


def record(file: DataFile, path: Path) -> None:
    """Take the file at `path` for the right one from now on: made here, or a first download."""
    sha256, size = content_hash_and_size(path)
    first = {"sha256": sha256, "bytes": size, "url": file.url}
    with held(data_folder("raw", ".locks", "recorded")):
        write_text_if_changed(data_folder("raw", _RECORD), as_json({**recorded(), file.path: first}))


def recorded() -> dict[str, Any]:
    """Return what first downloads were recorded as: path -> sha256, bytes, url."""
    path = data_folder("raw", _RECORD)
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise DownloadError(f"data/raw/{_RECORD} is damaged ({error}); delete it and fetch again") from error


@contextmanager
def keep_safe(part: Path, name: str) -> Iterator[None]:
    """Turn a full disk into :class:`DiskFullError` and delete the part; other failures leave it for later."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        part.unlink(missing_ok=True)
        raise DiskFullError(
            f"no room on the disk for {name}: {room(part)}. Nothing of it was kept; make room and try again"
        ) from error


def _refuse_page(file: DataFile, path: Path, source: str, size: int) -> None:
    with open(path, "rb") as stream:
        start = stream.read(512).lstrip().lower()
    if size == 0 or start.startswith((b"<!doctype", b"<html", b"<?xml")):
        found = "a web page" if size else "an empty file"
        raise DownloadError(f"{file.path} from {source} is {found}, not data; it is not used")
