"""Processes that start fast and end with the one that started them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable


def spare_slow_imports() -> None:
    """Keep jsonschema from compiling a grammar of web addresses (1 s a process) that no notebook uses."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] - None makes its import fail


def leave_with_parent(parent: int, cleanup: Callable[[], None]) -> None:
    """Watch the parent process from a thread: when it is gone, clean up and end this process at once."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        cleanup()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
