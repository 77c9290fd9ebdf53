"""Time the training loop against the strongest plain one: index batches and PyTorch's fused Adam.

Run as ``python bench/training.py [--threads 1] [--repeats 5]``. Prints rows in the columns of
``bench/report.csv`` (`rows` returns them as a table). The peer moves the data to the device once, takes each
batch by index, clips with ``clip_grad_norm_`` and steps with ``torch.optim.Adam(fused=True)``. Both loops
start from the same weights, see the same batches in the same order and must end with the same loss. They
take turns, an epoch each, so that a busy machine slows both. What is measured above all is what the
block-wise optimiser of wide layers (`exprml.models.optimizers`) gains, and where it gains nothing.

The limit is the time of the matrix products alone, three per layer and batch, at this machine's speed for
their shapes.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from machine import COLUMNS, hardware, now
from torch import nn

from exprml.models.layers import build_network
from exprml.models.training import TrainingSettings, fit_network

PEER = "plain loop, index batches + torch.optim.Adam(fused=True)"
SHAPES = [  # preset's shape, widths of all layers, samples, batch, clip
    ("heil2022/five-layer, 5,000 genes", [5000, 2500, 2500, 2500, 1250, 31], 128, 16, 0.01),
    ("heil2022/three-layer, 5,000 genes", [5000, 2500, 1250, 31], 128, 16, 0.01),
    ("heil2022/three-layer, 2,500 genes", [2500, 1250, 625, 2], 320, 16, 0.01),
    ("heil2022/logistic-regression, 2,500 genes", [2500, 2], 640, 16, 0.01),
    ("corrected/five-layer, 1,000 genes", [1000, 500, 500, 500, 250, 25], 2496, 64, 1.0),
    ("corrected/three-layer, 1,000 genes", [1000, 500, 250, 25], 2496, 64, 1.0),
    ("corrected/d-gex, 1,000 targets", [943, 1000, 1000], 960, 32, None),
]


def plain_loop(
    module: nn.Module,
    X: torch.Tensor,
    y: torch.Tensor,
    settings: TrainingSettings,
    *,
    class_weights: torch.Tensor | None = None,
    device: str = "cpu",
    on_epoch: Callable[[], None] = lambda: None,
) -> list[float]:
    """Train as a careful user would and return each epoch's mean loss."""
    module, X, y = module.to(device).train(), X.to(device), y.to(device)
    optimizer = torch.optim.Adam(module.parameters(), lr=settings.learning_rate, fused=True)
    weights = None if class_weights is None else class_weights.to(device)
    order, means = torch.Generator().manual_seed(0), []
    torch.manual_seed(1)  # dropout as in `fit_network`
    for _ in range(settings.epochs):
        total = torch.zeros((), device=device)
        for batch in torch.randperm(len(X), generator=order).to(device).split(settings.batch_size):
            optimizer.zero_grad()
            outputs, targets = module(X[batch]), y[batch]
            if settings.loss == "cross-entropy":
                loss = nn.functional.cross_entropy(outputs, targets, weight=weights)
            else:
                loss = nn.functional.mse_loss(outputs, targets)
            loss.backward()
            if settings.clip_norm is not None:
                nn.utils.clip_grad_norm_(module.parameters(), settings.clip_norm)
            optimizer.step()
            total += loss.detach() * len(batch)
        means.append(total.item() / len(X))
        on_epoch()
    return means


def product_seconds(
    widths: list[int], batch: int, repeats: int = 20, *, clock: Callable[[], float] = now
) -> float:
    """Return the seconds of one batch's matrix products: forward, and twice backward but for the inputs."""

    def timed(product: Callable) -> float:
        start = clock()
        product()
        return clock() - start

    total = 0.0
    for number, (n, m) in enumerate(pairwise(widths)):
        inputs, weights, errors = torch.randn(batch, n), torch.randn(m, n), torch.randn(batch, m)
        products = [lambda: inputs @ weights.T, lambda: errors.T @ inputs]  # noqa: B023
        products += [lambda: errors @ weights] if number else []  # noqa: B023
        for product in products:
            total += min(timed(product) for _ in range(repeats))
    return total


def made_up(widths: list[int], n: int, batch: int, clip: float | None) -> tuple:
    """Return standard normal values, class codes or targets, and the settings; without clipping D-GEX's."""
    random = torch.Generator().manual_seed(0)
    X = torch.randn(n, widths[0], generator=random)
    if clip is None:
        y, loss = torch.randn(n, widths[-1], generator=random), "squared"
    else:
        y, loss = torch.randint(0, widths[-1], (n,), generator=random), "cross-entropy"
    options = {"batch_size": batch, "clip_norm": clip, "loss": loss, "learning_rate": 1e-4, "epochs": 2}
    return X, y, TrainingSettings(**options, device="cpu")


def compare(
    name: str, widths: list[int], n: int, batch: int, clip: float | None, repeats: int,
    clock: Callable[[], float] = now,
) -> dict:  # fmt: skip
    """Return one row; the second epoch of each run is timed, the first one warms up."""
    X, y, settings = made_up(widths, n, batch, clip)
    times, losses = [], ()
    for _ in range(repeats):
        ends: list[float] = []
        modules = []
        for _ in range(2):
            torch.manual_seed(0)
            modules.append(build_network(widths[0], widths[1:-1], widths[-1]))
        ours = fit_network(modules[0], X, y, settings=settings, on_epoch=lambda *_: ends.append(clock()))  # noqa: B023
        plain = plain_loop(modules[1], X, y, settings, on_epoch=lambda: ends.append(clock()))  # noqa: B023
        times.append((ends[1] - ends[0], ends[3] - ends[2]))
        losses = ours.history["loss"].iloc[-1], plain[-1]
    ours_seconds, peer_seconds = np.median(times, axis=0)
    ratios = [plain / mine for mine, plain in times]
    limit = product_seconds(widths, batch) * (n / batch)
    millions = sum(a * b for a, b in pairwise(widths)) / 1e6
    return {
        "bench": f"training {name}",
        "size": f"{millions:.3g} million weights, {n} samples, batch {batch}, per epoch",
        "ours_seconds": ours_seconds,
        "peer": PEER,
        "peer_seconds": peer_seconds,
        "ratio": float(np.median(ratios)),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "same_result": bool(np.isclose(*losses, rtol=1e-4)),
        "limit": f"matrix products alone: {limit:.4g} s",
        "share_of_limit": limit / ours_seconds,
        "hardware": hardware(),
        "date": datetime.date.today().isoformat(),
    }


def rows(repeats: int = 5) -> pd.DataFrame:
    """Return one row per network."""
    return pd.DataFrame([compare(*shape, repeats) for shape in SHAPES])[COLUMNS]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(rows(options.repeats).to_csv(index=False, float_format="%.4g"), end="")
