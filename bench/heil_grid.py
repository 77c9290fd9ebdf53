"""Time the grid of heil2022 at GTEx's size and the paper's settings: 17,382 x 5,000, 31 classes, batch 16.

Run as ``python bench/heil_grid.py [--threads 1] [--repeats 3] [--steps 8]``. Prints rows in the columns of
``bench/report.csv`` (`rows` returns them as a table). Measured: seconds per training step of each network,
ours beside a plain loop (index batches, PyTorch's fused Adam; same batches, same dropout, same loss), and
per row looked at for early stopping. Extrapolated from these, and called so: a fit of 50 epochs, which is
the most the paper allows (early stopping ends some sooner), and whole grids, one fit after the other.

The limit is memory: bytes that one step must move (weights read forward and, but for the first layer's,
backward; weights and both moments read and written once by Adam) at the speed of a large copy.
"""

from __future__ import annotations

import argparse
import datetime

import numpy as np
import pandas as pd
import torch
from machine import COLUMNS, copy_bandwidth, hardware, now, seconds
from torch import nn
from training import PEER, plain_loop

from exprml.models import presets
from exprml.models.layers import build_network, layer_widths
from exprml.models.networks import NetworkClassifier
from exprml.models.training import fit_network, predict_batches

N_SAMPLES, N_FEATURES, N_CLASSES = 17_382, 5_000, 31
MODELS = ("logistic-regression", "three-layer", "five-layer")
FOLDS, SEEDS, FRACTIONS = 5, 3, np.arange(1, 11) / 10
TRIALS, INNER = 25, 4  # the paper's search, once for each model, fold and seed, on 3/4 of the training folds


def preset(name: str, device: str, **changes: object) -> NetworkClassifier:
    """Return the paper's model."""
    return presets.make(f"heil2022/{name}", device=device, **changes)


def network(model: NetworkClassifier) -> nn.Sequential:
    """Return the model's network, the same weights each time."""
    widths = layer_widths(model.hidden, N_FEATURES)
    torch.manual_seed(0)
    return build_network(N_FEATURES, widths, N_CLASSES, batch_norm=model.batch_norm, dropout=model.dropout)


def simulated(n: int, device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """Return values in [0, 1], each class with genes of its own that are high, and class codes."""
    random = torch.Generator(device).manual_seed(0)
    y = torch.randint(0, N_CLASSES, (n,), generator=random, device=device)
    X = torch.rand(n, N_FEATURES, generator=random, device=device)
    high = torch.rand(N_CLASSES, N_FEATURES, generator=random, device=device) < 0.05
    return X.mul_(0.5).add_(high[y], alpha=0.3), y


def step_seconds(name: str, device: str, repeats: int, steps: int) -> dict[str, object]:
    """Return ours and the plain loop's seconds per step, in turn, so that a busy machine slows both.

    The first of two epochs warms up, the second is timed. The losses of the first must agree: later, the
    five-layer network multiplies any rounding, that of its inputs' last digit too (BatchNorm over 16 rows).
    """
    model = preset(name, device, epochs=2)
    X, y = simulated(model.batch_size * steps)
    weights = (1 / (torch.bincount(y, minlength=N_CLASSES) + 1)).float()
    ours, plain = np.empty((2, repeats))
    for repeat in range(repeats):
        ends: list[float] = []
        options = {"class_weights": weights, "on_epoch": lambda *_: ends.append(now(device))}  # noqa: B023
        found = fit_network(network(model), X, y, settings=model, **options).history["loss"]
        expected = plain_loop(network(model), X, y, model, device=device, **options)
        ours[repeat], plain[repeat] = (ends[1] - ends[0]) / steps, (ends[3] - ends[2]) / steps
    return {"ours": ours, "plain": plain, "same": bool(np.isclose(found[0], expected[0], rtol=1e-3))}


def looking_seconds(name: str, device: str, n: int = 1024) -> float:
    """Return the seconds that early stopping's look at a held-out row takes."""
    module, X = network(preset(name, device)).to(device), simulated(n, device)[0]
    return min(seconds(lambda: predict_batches(module, X), device) for _ in range(3)) / n


def work(share: float) -> tuple[int, int]:
    """Return steps per epoch and rows looked at of a fit on this share of four of the five folds."""
    n = N_SAMPLES * (FOLDS - 1) / FOLDS * share
    return int(np.ceil(0.8 * n / 16)), int(0.2 * n)


def weights_of(name: str) -> tuple[int, int]:
    """Return how many weights a network has, and how many of them in its first layer."""
    layers = [one for one in network(preset(name, "cpu")) if isinstance(one, nn.Linear)]
    return sum(one.weight.numel() for one in layers), layers[0].weight.numel()


def least_bytes(name: str) -> int:
    """Return the bytes that a step cannot but move."""
    total, first = weights_of(name)
    return 4 * (total + (total - first) + 6 * total)


def _row(bench: str, size: str, ours: np.ndarray, plain: np.ndarray, least: float, **more: object) -> dict:
    """Return a row from repeated seconds; the ratio's range is that of the repeats."""
    middle, peer, ratios = float(np.median(ours)), float(np.median(plain)), plain / ours
    return {
        "bench": f"heil2022 grid, {bench}",
        "size": size,
        "ours_seconds": middle,
        "peer": PEER,
        "peer_seconds": peer,
        "ratio": float(np.median(ratios)),
        "ratio_low": float(ratios.min()),
        "ratio_high": float(ratios.max()),
        "same_result": "",
        "share_of_limit": least / middle,
        "date": datetime.date.today().isoformat(),
    } | more


def rows(device: str = "cpu", repeats: int = 3, steps: int = 8) -> pd.DataFrame:
    """Return rows per step (measured), per fit and per grid (extrapolated)."""
    bandwidth, table = copy_bandwidth(device), []
    grids = {"no search": np.zeros((3, repeats)), "search": np.zeros((3, repeats))}
    where = {"hardware": hardware(device)}
    for name in MODELS:
        found = step_seconds(name, device, repeats, steps)
        least = least_bytes(name) / bandwidth
        each = np.stack([found["ours"], found["plain"], np.full(repeats, least)])
        total, looking = weights_of(name)[0], looking_seconds(name, device)
        limit = f"{least_bytes(name) / 1e6:.4g} MB at {bandwidth / 1e9:.3g} GB/s: {least:.4g} s"
        size = f"{N_FEATURES} features, {N_CLASSES} classes, {total / 1e6:.3g} million weights, batch 16"
        more = where | {"same_result": found["same"], "limit": limit}
        table.append(_row(f"{name}: step, measured", size, *each[:2], least, **more))

        def fit(share: float, each: np.ndarray = each, looking: float = looking) -> np.ndarray:
            n_steps, n_held = work(share)
            return 50 * (n_steps * each + n_held * looking * np.array([[1], [1], [0]]))

        grids["no search"] += FOLDS * SEEDS * sum(map(fit, FRACTIONS))
        grids["search"] += FOLDS * SEEDS * (sum(map(fit, FRACTIONS)) + TRIALS * INNER * fit(3 / 4))
        size = (
            f"{N_SAMPLES} samples, 4/5 of them: {work(1)[0]} steps and {work(1)[1]} rows held out, 50 epochs"
        )
        more = where | {"limit": f"the steps' memory traffic: {fit(1)[2][0]:.4g} s"}
        table.append(_row(f"{name}: fit, extrapolated", size, *fit(1)[:2], fit(1)[2][0], **more))
    table += [_grid_row(kind, grid, where) for kind, grid in grids.items()]
    return pd.DataFrame(table)[COLUMNS]


def _grid_row(kind: str, grid: np.ndarray, where: dict[str, str]) -> dict:
    size = f"{len(MODELS)} models x {FOLDS} folds x {len(FRACTIONS)} fractions x {SEEDS} seeds, 50 epochs"
    inner = f"; before it {TRIALS} trials x {INNER} inner fits for each model, fold and seed"
    limit = f"the steps' memory traffic: {grid[2][0]:.4g} s"
    size += inner if kind == "search" else ""
    return _row(f"{kind}: extrapolated", size, grid[0], grid[1], grid[2][0], limit=limit, **where)


def not_run() -> pd.DataFrame:
    """Return the row that says that there is no GPU."""
    text = {
        "bench": "heil2022 grid, no search: on CUDA",
        "size": "as above",
        "peer": "not run (no CUDA device)",
    }
    text |= {"hardware": "none", "date": datetime.date.today().isoformat()}
    return pd.DataFrame([text]).reindex(columns=COLUMNS)


def main() -> None:
    """Print the rows of the CPU and, where there is one, of the GPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8, help="steps per epoch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = [rows("cpu", options.repeats, options.steps)]
    found.append(rows("cuda", options.repeats, options.steps) if torch.cuda.is_available() else not_run())
    print(pd.concat(found).to_csv(index=False, float_format="%.4g"), end="")


if __name__ == "__main__":
    main()
