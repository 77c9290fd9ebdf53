"""A lock between processes, held while a block runs; the system releases it however the process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exprml.base.errors import ExprmlError


class BusyError(ExprmlError):
    """Somebody else holds the lock; ``pid`` says who, if it is known."""

    def __init__(self, path: Path, pid: str) -> None:
        self.pid = pid
        super().__init__(f"{path.name} is held by process {pid or 'unknown'}")


@contextmanager
def held(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on `path`, a file that is made if missing and says which process holds it.

    Raises
    ------
    BusyError
        If another process holds it and `wait` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            lock.seek(0)
            raise BusyError(path, lock.read().strip()) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
