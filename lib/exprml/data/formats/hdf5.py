"""HDF5 files of strangers: what they hold is looked at before anything of it is read."""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NoReturn

import h5py
import psutil

from exprml.base.errors import FormatError
from exprml.data.formats.guard import as_format_error, check_unfolded

_MOST_LEVELS, _MOST_ITEMS, _AT_ONCE = 32, 10_000, 100_000
_TEXT_BYTES = 100  # of memory for a text of Python's beside its letters
ANSWER_SECONDS = 20  # for attributes and texts of one file, and as long again as a slow disk needs to read it
_BYTES_A_SECOND = 20e6  # of a slow disk
_CHILD_BYTES = 1 << 29  # that the process which tries a file may take, beside four times the file's own size


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading behind the door of the readers; its tree is checked first.

    Raises
    ------
    FormatError
        If anything in it is a link, keeps its values in another file, is nested without end, if libhdf5 comes
        to no end over it, or if its data sets claim many times the bytes that the file has (values never
        written count).
    """
    _check_answers(path)
    with as_format_error(path), h5py.File(path) as file:
        _checked_items(file, path)
        yield file


def _checked_items(file: h5py.File, path: Path) -> list[h5py.Group | h5py.Dataset]:
    """Return all that a file holds, itself first, if it does not claim more than it can hold."""
    items, claimed = [file], 0
    for _, item in walk(file, path):
        if len(items) > _MOST_ITEMS:
            raise FormatError(f"{path}: more than {_MOST_ITEMS:,} groups and data sets: do they repeat?")
        claimed += _claimed(item) if isinstance(item, h5py.Dataset) else 0
        items.append(item)
    check_unfolded(path, claimed)
    return items


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


def _check_answers(path: Path) -> None:
    """Read attributes and texts of a file in a process of their own: libhdf5 may loop or crash over damage.

    Raises
    ------
    FormatError
        If that process crashes, wants far more memory than the file has bytes, or comes to no end in time.
    """
    size = path.stat().st_size
    seconds = ANSWER_SECONDS + size / _BYTES_A_SECOND
    child = get_context("fork").Process(target=_try_to_read, args=(path, _CHILD_BYTES + 4 * size))
    child.start()
    child.join(seconds)
    if child.exitcode != 0:
        ends = {
            None: f"came to no end over it in {seconds:.3g} s",
            1: "asks for more memory than it can hold",
        }
        found = ends.get(child.exitcode, "crashes over it")
        child.kill()
        child.join()
        raise FormatError(f"{path}: damaged, the HDF5 library {found}; fetch or write the file again")


def _try_to_read(path: Path, limit: int) -> NoReturn:
    """Read what is not numbers in at most `limit` bytes, then end this process: 1 if they were too few."""
    code = 0
    try:
        with suppress(ValueError, OSError):  # not every system has this limit
            most = psutil.Process().memory_info().vms + limit
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        _read_what_is_not_numbers(path)
    except Exception as error:  # what else is wrong is found, and named, by the readers
        code = int(isinstance(error, MemoryError) or "allocat" in str(error))
    finally:
        os._exit(code)


def _read_what_is_not_numbers(path: Path) -> None:
    with h5py.File(path) as file:
        for item in _checked_items(file, path):
            for name in item.attrs:
                item.attrs[name]
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "O":
                for start in range(0, len(item) if item.shape else 0, _AT_ONCE):
                    item[start : start + _AT_ONCE]


def is_text(item: h5py.Dataset) -> bool:
    """Tell whether a data set holds texts, of fixed or of any length."""
    return h5py.check_string_dtype(item.dtype) is not None


def memory_of(item: h5py.Dataset) -> int:
    """Return about how many bytes of memory the values of a data set take once they are read."""
    cells = math.prod(item.shape or (0,))
    of_text = 0 if item.dtype.kind in "fiub" else _TEXT_BYTES + item.dtype.itemsize
    return cells * (item.dtype.itemsize + of_text)


def _claimed(item: h5py.Dataset) -> int:
    """Return the bytes of a data set's values, or of one chunk if that is larger (it is unpacked whole)."""
    return item.dtype.itemsize * max(math.prod(item.shape or (0,)), math.prod(item.chunks or (0,)))


def _refuse(path: Path, reason: str) -> None:
    raise FormatError(
        f"{path}: {reason}; a file whose values stand elsewhere is not opened: copy the data in"
    )
