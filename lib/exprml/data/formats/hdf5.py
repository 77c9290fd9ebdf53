"""HDF5 files of strangers: what they hold is looked at before anything of it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from exprml.base.errors import FormatError
from exprml.data.formats.guard import as_format_error, check_unfolded

_MOST_LEVELS, _MOST_ITEMS = 32, 100_000
_TEXT_BYTES = 100  # of memory for a text of Python's beside its letters


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading behind the door of the readers; its tree is checked first.

    Raises
    ------
    FormatError
        If anything in it is a link, keeps its values in another file, is nested without end, or if its data
        sets claim many times the bytes that the file has (values never written count).
    """
    with as_format_error(path), h5py.File(path) as file:
        claimed = 0
        for number, (_, item) in enumerate(walk(file, path)):
            if number == _MOST_ITEMS:
                raise FormatError(f"{path}: more than {_MOST_ITEMS:,} groups and data sets: do they repeat?")
            claimed += _claimed(item) if isinstance(item, h5py.Dataset) else 0
        check_unfolded(path, claimed)
        yield file


def walk(group: h5py.Group, path: Path, depth: int = 1) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Yield (name, item) of all groups and data sets below `group`; refuse what is neither, and links."""
    for name in group:
        link, full = group.get(name, getlink=True), f"{group.name}/{name}".lstrip("/")
        if not isinstance(link, h5py.HardLink):
            outside = isinstance(link, h5py.ExternalLink)
            _refuse(path, f"{full!r} links to {link.filename if outside else link.path!r}")
        item = group[name]
        if not isinstance(item, h5py.Group | h5py.Dataset):
            raise FormatError(f"{path}: {full!r} is a {type(item).__name__}, no values; write the file again")
        if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            _refuse(path, f"{full!r} keeps its values elsewhere")
        yield full, item
        if isinstance(item, h5py.Group):
            if depth == _MOST_LEVELS:
                raise FormatError(f"{path}: {full!r} is {depth} levels deep: does it hold itself?")
            yield from walk(item, path, depth + 1)


def is_text(item: h5py.Dataset) -> bool:
    """Tell whether a data set holds texts, of fixed or of any length."""
    return h5py.check_string_dtype(item.dtype) is not None


def memory_of(item: h5py.Dataset) -> int:
    """Return about how many bytes of memory the values of a data set take once they are read."""
    cells = math.prod(item.shape or (0,))
    return cells * (
        item.dtype.itemsize + (0 if item.dtype.kind in "fiub" else _TEXT_BYTES + item.dtype.itemsize)
    )


def _claimed(item: h5py.Dataset) -> int:
    """Return the bytes of a data set's values, or of one chunk if that is larger (it is unpacked whole)."""
    return item.dtype.itemsize * max(math.prod(item.shape or (0,)), math.prod(item.chunks or (0,)))


def _refuse(path: Path, reason: str) -> None:
    raise FormatError(
        f"{path}: {reason}; a file whose values stand elsewhere is not opened: copy the data in"
    )
