"""SHA-256 of texts and files; a gzipped file is known by its content."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_hash_and_size(path: str | Path) -> tuple[str, int]:
    """Return SHA-256 and byte count of a file's content, unpacking gzip by its magic bytes.

    Raises
    ------
    OSError
        If the gzip stream is cut short or damaged.
    """
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    digest, size = hashlib.sha256(), 0
    with gzip.open(path, "rb") if packed else open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
