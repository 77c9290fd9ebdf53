"""A lock between processes, held while a block runs and freed by the system if the process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` (made if missing); wait for another process to let go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as handle:
        try:
            import fcntl
        except ImportError:  # Windows: no second process is expected there
            yield
            return
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
