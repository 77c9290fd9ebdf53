"""Kernels without network ports, which never outlive the run that started them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from exprml.base.errors import ExprmlError
from exprml.base.locks import BusyError, held

_PREFIX, _LOCK = "exprml-", "lock"
_LONGEST = 70  # characters; a socket's path may have about 100


class PrivateKernelManager(AsyncKernelManager):
    """Starts this very Python as the kernel, over sockets in a private folder.

    The folder must be short (a socket's path has about 100 characters) and a kernel's own: two kernels
    that share a folder share sockets, and one of them hangs.
    """

    folder: ClassVar[Path]
    started: ClassVar[list[PrivateKernelManager]] = []

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.transport = "ipc"
        self.connection_file = str(self.folder / "kernel.json")
        argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._kernel_spec = KernelSpec(argv=argv, language="python", display_name="Python 3")
        self.started.append(self)

    async def _async_pre_start_kernel(self, **launch: Any) -> Any:
        """Keep what the kernel itself says (a crash in compiled code) out of the terminal, in a log."""
        log = open(self.folder / "kernel.log", "ab")  # noqa: SIM115 - open as long as the kernel
        return await super()._async_pre_start_kernel(**{**launch, "stdout": log, "stderr": log})

    @classmethod
    def last_words(cls, lines: int = 15) -> str:
        """Return the end of the kernel's log."""
        log = cls.folder / "kernel.log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        return "\n".join(text.splitlines()[-lines:])

    @classmethod
    def kill_all(cls) -> None:
        """Kill every kernel this process started, with whatever the kernels started."""
        for manager in cls.started:
            kernel = manager.provisioner
            if kernel is not None and kernel.has_process and kernel.pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(kernel.pid, signal.SIGKILL)


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a short private temporary folder; folders of workers that were killed are removed first.

    Raises
    ------
    ExprmlError
        If no temporary folder can be written.
    """
    base = _short_base()
    _remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=base))
    with open(folder / _LOCK, "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = folder.rename(base / folder.name.removeprefix("."))  # nobody ever sees it unlocked
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _short_base() -> Path:
    """Return ``/tmp``, else what the system calls its temporary folder."""
    if os.access("/tmp", os.W_OK):
        return Path("/tmp")
    try:
        base = tempfile.gettempdir()
    except FileNotFoundError as error:
        raise ExprmlError(f"{error.strerror}: let TMPDIR name a folder with a short path") from error
    if len(base) > _LONGEST:
        raise ExprmlError(
            f"the temporary folder {base} has too long a path for sockets: let TMPDIR name another"
        )
    return Path(base)


def _remove_abandoned(base: Path) -> None:
    """Remove the folders that nobody holds. A process number would not do: containers count from 1 each."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(BusyError, FileNotFoundError):  # at work, or removed by another just now
            if folder.lstat().st_uid == os.getuid() and (folder / _LOCK).is_file():
                with held(folder / _LOCK, wait=False):
                    shutil.rmtree(folder, ignore_errors=True)
