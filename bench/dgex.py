"""Time D-GEX's training beside a plain loop and beside the matrix products that it cannot do without.

Run as ``python bench/dgex.py [--threads 1] [--samples 3000] [--repeats 3]``. Prints rows in the columns of
``bench/report.csv`` (`rows` returns them as a table). Measured on the CPU: an epoch of 943-3000-4760 in
float32, at batch 1,000 and at the paper's 200, without the look at 5,000 training samples that drives its
rate. The plain loop indexes batches itself (no DataLoader) and steps by ``torch.optim.SGD``; both start from
the same weights, see the same batches and must end with the same loss. With CUDA: the paper's largest size
with all targets in one network (3 x 9000, 9,520 targets, 88,807 samples, batch 200), seconds for
its 200 epochs from the median of some, looks at training and validation samples included.

The first limit is the time of these matrix products alone, in their shapes, measured between the repeats;
the second the same number of operations at the speed of one large square product.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import resource
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from machine import COLUMNS, hardware, now, seconds
from torch import nn

from exprml.models import presets
from exprml.models.layers import build_network, initialise
from exprml.models.training import fit_network

WIDTHS, BATCHES = [943, 3000, 4760], (1000, 200)
LARGEST = {"widths": [943, 9000, 9000, 9000, 9520], "n": 88_807, "held": 11_101, "batch": 200, "epochs": 200}
SQUARE = 2048  # rows and columns of the large product


def network(widths: list[int]) -> nn.Module:
    """Return D-GEX of these widths with the first weights of chen2016."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = build_network(widths[0], widths[1:-1], widths[-1], activation="tanh", dropout=0.1)
        initialise(module, "glorot-uniform", output_bound=1e-4)
    return module


def made_up(widths: list[int], n: int, device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """Return standard normal inputs and targets: what they say does not change how long a step takes."""
    random = torch.Generator(device).manual_seed(0)
    return tuple(torch.randn(n, width, generator=random, device=device) for width in (widths[0], widths[-1]))


def plain_epoch(module: nn.Module, X: torch.Tensor, y: torch.Tensor, settings: object) -> float:
    """Train for an epoch by ``torch.optim.SGD`` and return the mean loss."""
    module.train()
    layers = [one for one in module if isinstance(one, nn.Linear)]
    groups = [{"params": [layer.weight], "lr": settings.learning_rate * 3} for layer in layers[1:]]
    groups.append({"params": [layers[0].weight, *(layer.bias for layer in layers)]})
    optimizer = torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)
    torch.manual_seed(1)  # dropout as in `fit_network`
    order, total = torch.randperm(len(X), generator=torch.Generator().manual_seed(0)).to(X.device), 0.0
    for batch in order.split(settings.batch_size):
        optimizer.zero_grad()
        loss = (module(X[batch]) - y[batch]).square().sum(dim=1).mean()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(X)


def operations(widths: list[int], n: int) -> int:
    """Return additions and multiplications of an epoch: three products per layer, two in the first."""
    return sum(2 * n * before * after * (3 if k else 2) for k, (before, after) in enumerate(pairwise(widths)))


def product_seconds(widths: list[int], batch: int, device: str, dtype: torch.dtype, repeats: int) -> float:
    """Return the seconds of one batch's matrix products: forward, and back but for the first inputs."""
    total = 0.0
    for number, (n, m) in enumerate(pairwise(widths)):
        shapes = {"inputs": (batch, n), "weights": (m, n), "errors": (batch, m)}
        one = {name: torch.randn(*shape, device=device, dtype=dtype) for name, shape in shapes.items()}
        pairs = [(one["inputs"], one["weights"].T), (one["errors"].T, one["inputs"])]
        pairs += [(one["errors"], one["weights"])] if number else []
        total += sum(min(seconds(lambda: a @ b, device) for _ in range(repeats)) for a, b in pairs)  # noqa: B023
    return total


def square_speed(device: str, dtype: torch.dtype, repeats: int, size: int = SQUARE) -> float:
    """Return operations per second of one large square product."""
    one = torch.randn(size, size, device=device, dtype=dtype)
    return 2 * size**3 / min(seconds(lambda: one @ one, device) for _ in range(repeats))


def limits(widths: list[int], n: int, batch: int, device: str, dtype: torch.dtype) -> tuple[float, str]:
    """Return the seconds of an epoch's matrix products alone, and both limits in words."""
    alone = product_seconds(widths, batch, device, dtype, 4) * n / batch
    speed = square_speed(device, dtype, 4)
    square = operations(widths, n) / speed
    return alone, (
        f"these products alone: {alone:.4g} s; their operations at the {speed / 1e12:.3g} TFLOP/s of one of "
        f"{SQUARE} x {SQUARE}: {square:.4g} s"
    )


def compare(batch: int, n: int, repeats: int) -> dict:
    """Return one row: both loops and the products in turn, so that a busy machine slows all."""
    (X, y), first = made_up(WIDTHS, n), network(WIDTHS)
    changes = {"batch_size": batch, "epochs": 1, "schedule": "none", "device": "cpu"}
    settings, times, losses, least = presets.make("chen2016/d-gex-1", **changes), [], (), []
    for repeat in range(repeats + 1):
        ours, theirs, found = copy.deepcopy(first), copy.deepcopy(first), {}
        mine = seconds(lambda: found.update(ours=fit_network(ours, X, y, settings=settings, seed=0)))  # noqa: B023
        plain = seconds(lambda: found.update(theirs=plain_epoch(theirs, X, y, settings)))  # noqa: B023
        least.append(limits(WIDTHS, n, batch, "cpu", torch.float32))
        times += [(mine, plain)] if repeat else []  # the first one warms up
        losses = found["ours"].history["loss"].iloc[-1], found["theirs"]
    alone, text = min(least)
    memory = f"peak memory of the process {peak_memory(batch, n):.3g} GB"
    size = f"{' - '.join(map(str, WIDTHS))}, {n} samples, batch {batch}, float32; {memory}"
    return {
        "bench": f"D-GEX, an epoch at batch {batch}",
        "size": size,
        "peer": "plain loop + torch.optim.SGD",
        **_times(np.array(times), alone),
        "same_result": bool(np.isclose(*losses, rtol=1e-4)),
        "limit": text,
        "hardware": hardware(),
        "date": datetime.date.today().isoformat(),
    }


def _times(times: np.ndarray, alone: float) -> dict[str, float]:
    """Return the columns of times from pairs (ours, peer's) and the limit."""
    (ours, peer), ratios = np.median(times, axis=0), times[:, 1] / times[:, 0]
    spread = {"ratio": np.median(ratios), "ratio_low": ratios.min(), "ratio_high": ratios.max()}
    return {"ours_seconds": ours, "peer_seconds": peer, **spread, "share_of_limit": alone / ours}


def peak_memory(batch: int, n: int) -> float:
    """Return the largest memory, in GB, of a process that does an epoch and nothing else."""
    command = [sys.executable, __file__, "--memory", str(batch), "--samples", str(n)]
    done = subprocess.run(
        [*command, "--threads", str(torch.get_num_threads())], capture_output=True, text=True
    )
    return float(done.stdout) if done.returncode == 0 else float("nan")


def one_epoch(batch: int, n: int) -> float:
    """Do an epoch and return this process's largest memory in GB."""
    X, y = made_up(WIDTHS, n)
    changes = {"batch_size": batch, "epochs": 1, "schedule": "none", "device": "cpu"}
    fit_network(network(WIDTHS), X, y, settings=presets.make("chen2016/d-gex-1", **changes))
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def largest(device: str = "cuda", epochs: int = 4) -> dict:
    """Return the row of the paper's largest size on a GPU."""
    size = LARGEST
    widths, n, batch = size["widths"], size["n"], size["batch"]
    X, y = made_up(widths, n + size["held"], device)
    changes = {"epochs": epochs, "device": device}
    settings, ends = presets.make("chen2016/d-gex-3", **changes), []
    torch.cuda.reset_peak_memory_stats()
    fit_network(
        network(widths),
        X,
        y,
        settings=settings,
        rows=np.arange(n),
        validation=np.arange(n, len(X)),
        on_epoch=lambda *_: ends.append(now(device)),
    )
    memory, ours = torch.cuda.max_memory_allocated() / 1e9, np.diff(ends)
    plain = network(widths).to(device)
    peer = min(seconds(lambda: plain_epoch(plain, X[:n], y[:n], settings), device) for _ in range(2))
    alone, text = limits(widths, n, batch, device, torch.float32)
    speed = operations(widths, n) / np.median(ours) / 1e12
    shape = f"{' - '.join(map(str, widths))}, {n} samples, batch {batch}, float32, {size['epochs']} epochs"
    found = _times(np.stack([ours, np.full(len(ours), peer)], axis=1), alone)
    for name in ("ours_seconds", "peer_seconds"):
        found[name] *= size["epochs"]
    return {
        "bench": "D-GEX, the largest size on CUDA: extrapolated",
        "size": f"{shape}; {speed:.4g} TFLOP/s; peak memory of the GPU {memory:.3g} GB",
        "peer": "plain loop + torch.optim.SGD, without looks at validation samples",
        **found,
        "limit": f"per epoch, {text}",
        "hardware": hardware(device),
        "date": datetime.date.today().isoformat(),
    }


def not_run() -> dict:
    """Return the row that says that there is no GPU."""
    shape = f"{' - '.join(map(str, LARGEST['widths']))}, {LARGEST['n']} samples"
    text = {"bench": "D-GEX, the largest size on CUDA", "size": shape, "peer": "not run (no CUDA device)"}
    return text | {"hardware": "none", "date": datetime.date.today().isoformat()}


def rows(samples: int = 3000, repeats: int = 3) -> pd.DataFrame:
    """Return one row per batch size, and one of the largest size."""
    table = [compare(batch, samples, repeats) for batch in BATCHES]
    table.append(largest() if torch.cuda.is_available() else not_run())
    return pd.DataFrame(table).reindex(columns=COLUMNS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="BATCH", help="print the memory of an epoch only")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory:
        print(one_epoch(options.memory, options.samples))
    else:
        table = rows(options.samples, options.repeats)
        print(table.to_csv(index=False, float_format="%.4g"), end="")
