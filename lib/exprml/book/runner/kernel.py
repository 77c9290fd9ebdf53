"""Kernels without network ports, which never outlive the run that started them."""

from __future__ import annotations

import contextlib
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

_PREFIX = "exprml-"


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
        text = log.read_text(errors="replace") if log.is_file() else ""
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
    """Yield a short private temporary folder; folders of workers that were killed are removed first."""
    short = Path("/tmp")
    base = short if os.access(short, os.W_OK) else Path(tempfile.gettempdir())
    _remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        with contextlib.suppress(FileNotFoundError):  # another worker may remove its own just now
            if pid.isdigit() and folder.stat().st_uid == os.getuid() and not _alive(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
