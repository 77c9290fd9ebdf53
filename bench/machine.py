"""What the benches share: columns of the report, the machine's name, its memory's speed. Prints nothing."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

COLUMNS = [
    *("bench", "size", "ours_seconds", "peer", "peer_seconds", "ratio", "ratio_low", "ratio_high"),
    *("same_result", "limit", "share_of_limit", "hardware", "date"),
]


def hardware(device: str = "cpu") -> str:
    """Return the processor, torch's threads and how busy the machine is, or the name of the GPU."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    model, information = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    threads = torch.get_num_threads()
    busy = f"load {os.getloadavg()[0]:.2g} on {os.cpu_count()} cores"
    return f"{model}, {threads} thread{'s' * (threads > 1)}, {busy}"


def now(device: str = "cpu") -> float:
    """Return the time in seconds, once a GPU has done its work."""
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def seconds(function: Callable[[], object], device: str = "cpu") -> float:
    """Return the seconds of one call."""
    start = now(device)
    function()
    return now(device) - start


def peak_memory(function: Callable[[], object]) -> str:
    """Return the largest resident memory of this process during a call, all else included; Linux only."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        function()
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return "peak memory not measured"
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return f"peak memory {kilobytes / 1e6:.2f} GB"


def copy_bandwidth(device: str = "cpu", n: int = 28_000_000, repeats: int = 7) -> float:
    """Return bytes per second, read and written, of the best of some copies of `n` float32 values."""
    source, target = torch.zeros(n, device=device).add_(1), torch.zeros(n, device=device).add_(1)
    return 8 * n / min(seconds(lambda: target.copy_(source), device) for _ in range(repeats))
