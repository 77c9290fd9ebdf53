"""The door of the readers: errors of other libraries become ours, and no file asks for more than the limits.

A small file can claim a lot: packed zeros, an HDF5 data set that was never filled, a length in a header. What
is asked for is reckoned before it is taken.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from exprml.base.errors import ExprmlError, FormatError, ParameterError

MEMORY_SHARE = 0.8  # of the memory that is free now may be taken by one file
MEMORY_VARIABLE = "EXPRML_MEMORY_GB"  # sets another limit, in GB
UNFOLDED_TIMES = 2000  # times its own size is what a file may unfold to; gzip reaches 1,032
UNFOLDED_ALWAYS = 1 << 26  # bytes that the smallest file may unfold to
LINE_BYTES = 1 << 25  # of one line of text: a million samples need half of it

_line: ContextVar[int] = ContextVar("line", default=0)  # the line of text that is being read
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


@contextmanager
def as_format_error(path: str | Path) -> Iterator[None]:
    """Turn whatever a library raises over the content of `path` into :class:`FormatError`.

    The message names the file, the line where a text is being read, and what was raised.
    """
    _line.set(0)
    try:
        yield
    except ExprmlError:
        raise
    except MemoryError as error:
        raise FormatError(f"{path}: does not fit in memory; split it, or use a larger machine") from error
    except Exception as error:
        where = f"{path}, line {_line.get()}" if _line.get() else f"{path}"
        found = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise FormatError(
            f"{where}: damaged, or not what it claims to be ({found}); fetch or write the file again"
        ) from error


def guarded(reader: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Return `reader`, a function of a `path` and options, behind :func:`as_format_error`."""
    signature = inspect.signature(reader)

    @wraps(reader)
    def through_the_door(*given: _Given.args, **options: _Given.kwargs) -> _Result:
        path = signature.bind(*given, **options).arguments["path"]  # a wrong call stays a TypeError
        with as_format_error(path):
            return reader(*given, **options)

    return through_the_door


def text_lines(stream: Any, path: Path) -> Iterator[bytes]:
    """Yield the lines of an open binary file, and remember which is being read; none may be endless.

    Raises
    ------
    FormatError
        If a line is longer than `LINE_BYTES`.
    """
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        _line.set(number)
        if len(line) > LINE_BYTES:
            raise FormatError(
                f"{path}, line {number}: longer than {_size(LINE_BYTES)}, the most that a line may have; "
                "is this a table with line ends?"
            )
        yield line


def check_memory(path: str | Path, needed: int, what: str) -> None:
    """Raise when `what` of a file needs more memory than `MEMORY_SHARE` of what is free.

    Parameters
    ----------
    path : str or Path
    needed : int
        Bytes that are about to be taken.
    what : str
        What they are for, in the plural.

    Raises
    ------
    FormatError
        With the size, the limit, and how to set another.
    """
    limit = memory_limit()
    if needed > limit:
        raise FormatError(
            f"{path}: {what} do not fit: {_size(needed)} of memory needed, the limit is {_size(limit)} "
            f"({MEMORY_SHARE:.0%} of what is free): split the file, use a machine "
            f"with more, or set {MEMORY_VARIABLE} to more GB"
        )


class Growing:
    """What a reader keeps of a file of unknown length, held to the memory that was free at its start."""

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what, self.limit, self.taken = path, what, memory_limit(), 0

    def add(self, n_bytes: int) -> None:
        """Count bytes that are about to be kept; raise :class:`FormatError` above the limit."""
        self.taken += n_bytes
        if self.taken > self.limit:
            check_memory(self.path, self.taken, self.what)


def memory_limit() -> int:
    """Return how many bytes one file may take: from `MEMORY_VARIABLE`, else a share of what is free."""
    given = os.environ.get(MEMORY_VARIABLE, "")
    if not given:
        import psutil

        return int(MEMORY_SHARE * psutil.virtual_memory().available)
    try:
        gigabytes = float(given)
        if not 0 < gigabytes < float("inf"):
            raise ValueError
    except ValueError:
        raise ParameterError(
            f"{MEMORY_VARIABLE}={given!r}: expected a number of GB above 0, as {MEMORY_VARIABLE}=16"
        ) from None
    return int(gigabytes * 1e9)


def unfolded_limit(path: Path) -> int:
    """Return how many bytes the content of a packed file may unfold to."""
    return max(UNFOLDED_ALWAYS, UNFOLDED_TIMES * path.stat().st_size)


def check_unfolded(path: Path, claimed: int) -> None:
    """Raise when the content claims many times more bytes than the file has: most of them are not there.

    Raises
    ------
    FormatError
        With the claim, the limit, and what a true file does about it.
    """
    limit = unfolded_limit(path)
    if claimed > limit:
        raise FormatError(
            f"{path}: claims {_size(claimed)} of data in a file of {_size(path.stat().st_size)}; "
            f"the limit is {_size(limit)} ({UNFOLDED_TIMES:,} times its size). "
            "If the values are really in it, write it without compression"
        )


def as_dense(matrix: Any, path: str | Path) -> np.ndarray:
    """Return a matrix as a dense array, if there is memory for it."""
    if not hasattr(matrix, "toarray"):
        return np.asarray(matrix)
    n_cells = matrix.shape[0] * matrix.shape[1]
    check_memory(path, n_cells * matrix.dtype.itemsize, f"{n_cells:,} values, zeros written out,")
    return matrix.toarray()


def _size(n_bytes: float) -> str:
    step = sum(n_bytes >= 1000**power for power in range(1, 6))
    number, unit = n_bytes / 1000**step, ("bytes", "kB", "MB", "GB", "TB", "PB")[step]
    return f"{number:.3g} {unit}" if number < 1e6 else f"{number:,.0f} {unit}"
