"""Time the training loop against a plain one: DataLoader, PyTorch's default Adam, the same batches.

Run as ``python bench/training.py [--threads 1] [--epochs 2] [--repeats 3]``. Prints rows in the columns of
``bench/report.csv`` (`rows` returns them as a table). Both loops start from the same weights, see the same
batches in the same order and must end with the same loss. The limit is the time of the matrix products
alone, three per layer and batch, at this machine's speed for their shapes.
"""

from __future__ import annotations

import argparse
import copy
import datetime
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from machine import COLUMNS, hardware, seconds
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from exprml.models.layers import build_network
from exprml.models.training import TrainingSettings, fit_network

SHAPES = [  # preset's shape, widths of all layers, samples, batch, clip
    ("heil2022/logistic-regression", [2500, 2], 640, 16, 0.01),
    ("heil2022/three-layer", [2500, 1250, 625, 2], 640, 16, 0.01),
    ("corrected/three-layer", [1000, 500, 250, 25], 2496, 64, 1.0),
    ("corrected/five-layer", [1000, 500, 500, 500, 250, 25], 2496, 64, 1.0),
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
    """Train as tutorials do and return each epoch's mean loss."""
    module = module.to(device).train()
    optimizer = torch.optim.Adam(module.parameters(), lr=settings.learning_rate)
    weights = None if class_weights is None else class_weights.to(device)
    order, data = torch.Generator().manual_seed(0), TensorDataset(X, y)
    torch.manual_seed(1)  # dropout as in `fit_network`
    means = []
    for _ in range(settings.epochs):
        losses = []
        shuffled = torch.randperm(len(X), generator=order).tolist()
        own = torch.Generator()  # for what a loader draws unasked
        loader = DataLoader(data, batch_size=settings.batch_size, sampler=shuffled, generator=own)
        for inputs, targets in loader:
            optimizer.zero_grad()
            outputs = module(inputs.to(device))
            loss = nn.functional.cross_entropy(outputs, targets.to(device), weight=weights)
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), settings.clip_norm)
            optimizer.step()
            losses.append(loss.item())
        means.append(float(np.mean(losses)))
        on_epoch()
    return means


def product_seconds(widths: list[int], batch: int, repeats: int = 20) -> float:
    """Return the seconds of one batch's matrix products: forward, and twice backward but for the inputs."""
    total = 0.0
    for number, (n, m) in enumerate(pairwise(widths)):
        inputs, weights, errors = torch.randn(batch, n), torch.randn(m, n), torch.randn(batch, m)
        products = [lambda: inputs @ weights.T, lambda: errors.T @ inputs]  # noqa: B023
        products += [lambda: errors @ weights] if number else []  # noqa: B023
        for product in products:
            total += min(seconds(product) for _ in range(repeats))
    return total


def compare(name: str, widths: list[int], n: int, batch: int, clip: float, epochs: int, repeats: int) -> dict:
    """Return one row: both loops in turn, so that a busy machine slows both."""
    random = torch.Generator().manual_seed(0)
    X = torch.randn(n, widths[0], generator=random)
    y = torch.randint(0, widths[-1], (n,), generator=random)
    settings = TrainingSettings(
        batch_size=batch, clip_norm=clip, learning_rate=1e-4, epochs=epochs, device="cpu", progress=False
    )
    first, times, losses = build_network(widths[0], widths[1:-1], widths[-1]), [], None
    for repeat in range(repeats + 1):
        ours, theirs, found = copy.deepcopy(first), copy.deepcopy(first), {}
        mine = seconds(lambda: found.update(ours=fit_network(ours, X, y, settings=settings, seed=0)))  # noqa: B023
        plain = seconds(lambda: found.update(theirs=plain_loop(theirs, X, y, settings)))  # noqa: B023
        times += [(mine / epochs, plain / epochs)] if repeat else []  # the first one warms up
        losses = found["ours"].history["loss"].iloc[-1], found["theirs"][-1]
    ours_seconds, peer_seconds = np.median(times, axis=0)
    ratios = [plain / mine for mine, plain in times]
    limit = product_seconds(widths, batch) * (n // batch)
    return {
        "bench": f"training {name}",
        "size": f"{widths[0]} features x {n} samples, batch {batch}, per epoch",
        "ours_seconds": ours_seconds,
        "peer": "DataLoader + torch.optim.Adam",
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


def rows(epochs: int = 2, repeats: int = 3) -> pd.DataFrame:
    """Return one row per network."""
    return pd.DataFrame([compare(*shape, epochs, repeats) for shape in SHAPES])[COLUMNS]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(rows(options.epochs, options.repeats).to_csv(index=False, float_format="%.4g"), end="")
