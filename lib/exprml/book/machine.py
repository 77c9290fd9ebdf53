"""The machine, the versions a run was made with, and processes that end with their parent."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "anndata", "exprml")


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hardware() -> dict[str, str]:
    """Return processor, cores, memory and, if torch is in use and sees one, the GPU."""
    import psutil

    found = {
        "processor": _processor(),
        "cores": str(cores()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["GPU"] = torch.cuda.get_device_name(0)
    return found


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
