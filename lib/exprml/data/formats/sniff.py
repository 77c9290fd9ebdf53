"""What a file really is, whatever its name claims; what is never opened."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import h5py

from exprml.base.errors import DataError, FormatError
from exprml.data.formats.guard import guarded

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PACKINGS = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
_NEVER_OPENED = {  # first bytes -> what it is and why not
    b"\x80": "a Python pickle, which can run any code when loaded",
    b"\x93NUMPY": "a NumPy array, which carries no gene or sample names and may hold a pickle",
    b"PK\x03\x04": "a zip archive (or .npz, .xlsx)",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"<!DOCTYPE": "a web page, perhaps a server's error message",
    b"<html": "a web page, perhaps a server's error message",
}
_PICKLE_SUFFIXES = {".pkl", ".pickle", ".joblib", ".npy", ".npz", ".pt", ".pth"}
_EXPECTED = {  # suffix without .gz -> kinds the content may be
    ".gct": {"gct"},
    ".gctx": {"gctx"},
    ".h5ad": {"h5ad"},
    ".rda": {"rda"},
    ".rdata": {"rda"},
    ".rds": {"rds"},
    ".tsv": {"table"},
    ".csv": {"table"},
    ".txt": {"table", "gct"},
}
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)


def plain_suffix(path: Path) -> str:
    """Return the lower-case suffix of `path` without a trailing ``.gz``: ``a.GCT.gz`` -> ``.gct``."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


@guarded
def file_kind(path: str | Path) -> str:
    """Tell what a file is by its content, and check it against its name.

    Returns
    -------
    str
        ``gct``, ``gctx``, ``h5ad``, ``rda``, ``rds`` or ``table``.

    Raises
    ------
    DataError
        If there is no such file.
    FormatError
        If the content is not what the suffix claims, is damaged, or is never opened (pickles, archives).
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}; give one file")
    if path.stat().st_size == 0:
        raise FormatError(f"{path}: the file is empty (0 bytes); fetch it again")
    packing, start = _unpacked_start(path)
    _refuse(path, start)
    if packing and start.startswith(_HDF5):
        raise FormatError(f"{path}: HDF5 packed with {packing}; unpack it first, it is read by windows")
    kind = _kind_of(path, start)
    if packing not in ("", "gzip") and kind not in ("rda", "rds"):
        raise FormatError(f"{path}: {kind} packed with {packing}; unpack it, or pack it with gzip")
    expected = _EXPECTED.get(plain_suffix(path), {kind})
    if kind not in expected:
        raise FormatError(
            f"{path}: expected {' or '.join(sorted(expected))} content by its name, found {kind} "
            f"(starts with {start[:12]!r}); rename it or fetch it again"
        )
    return kind


def require_kind(path: str | Path, kind: str) -> Path:
    """Return `path` if its content is of `kind`, else raise :class:`FormatError`."""
    path = Path(path)
    found = file_kind(path)
    if found != kind:
        raise FormatError(f"{path}: expected {kind} content, found {found}; use read() or the {found} reader")
    return path


def opened(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked by its content."""
    return _packing(path)[1](path, "rb")


def _packing(path: Path) -> tuple[str, Callable]:
    with open(path, "rb") as stream:
        start = stream.read(8)
    return next((use for magic, use in _PACKINGS.items() if start.startswith(magic)), ("", open))


def _unpacked_start(path: Path, size: int = 64) -> tuple[str, bytes]:
    packing, _ = _packing(path)
    if path.name.lower().endswith(".gz") and packing != "gzip":
        raise FormatError(
            f"{path}: named .gz but is not gzip (starts with {path.open('rb').read(12)!r}, expected "
            "b'\\x1f\\x8b'); rename it without .gz or fetch it again"
        )
    try:
        with opened(path) as stream:
            return packing, stream.read(size)
    except (*DAMAGED, OSError) as error:
        raise FormatError(f"{path}: the packed data is damaged ({error}); fetch it again") from error


def unpacked(path: Path, limit: int) -> bytes:
    """Return the whole content of a file, unpacked by content; refuse more than `limit` bytes."""
    with opened(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise FormatError(
            f"{path}: unfolds to more than {limit / 1e6:,.0f} MB, the limit for its size and the free "
            "memory; split it, or save it without packing"
        )
    return content


def _refuse(path: Path, start: bytes) -> None:
    reason = next((why for magic, why in _NEVER_OPENED.items() if start.startswith(magic)), None)
    if reason is None and plain_suffix(path) in _PICKLE_SUFFIXES:
        reason = "by its name a pickle or a bare array"
    if reason:
        raise FormatError(f"{path}: is {reason}; it is not opened. Give GCT, GCTX, h5ad, TSV/CSV or R data")


def _kind_of(path: Path, start: bytes) -> str:
    if start.startswith(_HDF5):
        return _kind_of_hdf5(path)
    if start.startswith((b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")):
        return "rda"
    if start.startswith((b"X\n\x00\x00\x00", b"A\n2\n", b"A\n3\n")):
        return "rds"
    if not start:
        raise FormatError(f"{path}: the file is empty (nothing is packed in it); fetch it again")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "table"  # UTF-16
    _refuse_collections(path, start)
    if start.removeprefix(b"\xef\xbb\xbf").startswith((b"#1.2", b"#1.3")):
        return "gct"
    if b"\x00" in start:
        raise FormatError(f"{path}: unknown binary content (starts with {start[:12]!r}); no format read here")
    return "table"


def _refuse_collections(path: Path, start: bytes) -> None:
    """Raise on text formats that hold more or less than one table, with the way to one."""
    if start.startswith(b"%%MatrixMarket"):
        raise FormatError(
            f"{path}: MatrixMarket, as in a 10x folder, which keeps ids in other files (barcodes, features); "
            "save the folder as one h5ad, for example scanpy.read_10x_mtx(folder).write_h5ad('x.h5ad')"
        )
    if start.removeprefix(b"\xef\xbb\xbf").lstrip(b'"\r\n').startswith((b"!Series_", b"!Sample_")):
        raise FormatError(
            f"{path}: a GEO series matrix; save the lines between !series_matrix_table_begin and "
            "!series_matrix_table_end as a table (--samples-in columns), and the labels of its !Sample_ "
            "lines as another, one line a sample"
        )


def _kind_of_hdf5(path: Path) -> str:
    try:
        with h5py.File(path) as file:
            if "0" in file:
                return "gctx"
            if "obs" in file and "var" in file:
                return "h5ad"
            found = ", ".join(sorted(file)[:5]) or "nothing"
    except OSError as error:
        raise FormatError(f"{path}: damaged or cut short HDF5 ({error}); fetch it again") from error
    raise FormatError(f"{path}: HDF5, but neither GCTX (group '0') nor h5ad ('obs', 'var'); it holds {found}")
