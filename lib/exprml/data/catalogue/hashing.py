"""What a loaded data set depends on: its files, its reader with options, and the code that reads."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from exprml.base.files import as_json
from exprml.base.hashing import text_hash
from exprml.data.catalogue.checking import expected_of
from exprml.data.catalogue.entries import Entry

_DATA = Path(__file__).resolve().parents[1]


def file_hashes(found: Entry) -> dict[str, str]:
    """Return path -> SHA-256 of the content; "" where it is not known yet (before the first download)."""
    return {file.path: expected_of(file)[0] or "" for file in found.files}


def entry_hash(found: Entry) -> str:
    """Return the SHA-256 of files, reader, options and code: it changes when the loaded data may."""
    return text_hash(
        as_json(
            {
                "files": file_hashes(found),
                "reader": [found.reader, dict(found.options)],
                "code": _code_hash(found.simulated, bool(found.files)),
            }
        )
    )


@lru_cache
def _code_hash(makes: bool, reads: bool) -> str:
    """Return the hash of the code that makes or reads the data, blind to comments and layout."""
    paths = [_DATA / "catalogue" / f"{name}.py" for name in ("readers", "loading", "landmarks", "tumours")]
    folders = [
        name for name, used in (("simulate", makes), ("formats", reads), ("preprocess", reads)) if used
    ]
    paths += [path for folder in folders for path in sorted((_DATA / folder).glob("*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
    return text_hash("".join(ast.dump(ast.parse(text)) for text in texts))
