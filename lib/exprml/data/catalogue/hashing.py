"""What a loaded data set depends on: its files, its reader with options, and the code that reads."""

from __future__ import annotations

from exprml.base.code_hash import library_hash, modules_of
from exprml.base.files import as_json
from exprml.base.hashing import text_hash
from exprml.data import readers
from exprml.data.catalogue.checking import expected_of
from exprml.data.catalogue.entries import Entry


def file_hashes(found: Entry) -> dict[str, str]:
    """Return path -> SHA-256 of the content; "" where it is not known yet (before the first download)."""
    return {file.path: expected_of(file)[0] or "" for file in found.files}


def entry_hash(found: Entry) -> str:
    """Return the SHA-256 of files, reader, options and code: it changes when the loaded data may."""
    code = library_hash(modules_of(f"import {readers.module_of(found.reader)}"))
    reader = [found.reader, dict(found.options), code]
    return text_hash(as_json({"files": file_hashes(found), "reader": reader}))
