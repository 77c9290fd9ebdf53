"""Time least squares for thousands of targets against scikit-learn's LinearRegression and Ridge.

Run as ``python bench/least_squares.py [--samples 20000] [--targets 9520] [--repeats 2]``. Prints rows in the
columns of ``bench/report.csv`` (`rows` returns them as a table). Both get the same float32 arrays of the twin
of landmarks and targets, and must find the same coefficients. The limit is the time of the two matrix
products that nobody can do without, at this machine's speed; the peak memory holds the data too.
"""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Callable

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "2")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402
from machine import COLUMNS, hardware, peak_memory, seconds  # noqa: E402
from sklearn.linear_model import LinearRegression, Ridge  # noqa: E402

from exprml.data.simulate import landmark_twin  # noqa: E402
from exprml.models.least_squares import LeastSquares, TunedRidge  # noqa: E402

N_LANDMARKS = 943  # chen2016
PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)


def landmarks_and_targets(n_samples: int, n_targets: int) -> tuple[np.ndarray, np.ndarray]:
    """Return standardised landmarks and targets of the twin, float32."""
    twin = landmark_twin(n_samples, N_LANDMARKS, n_targets, rank=50)
    values = twin.X
    values -= values.mean(axis=0)
    values /= values.std(axis=0)
    marked = twin.var["is_landmark"].to_numpy()
    return np.ascontiguousarray(values[:, marked]), np.ascontiguousarray(values[:, ~marked])


def product_seconds(X: np.ndarray, Y: np.ndarray) -> float:
    """Return the seconds of ``X' X`` and ``X' Y``, the better of two."""
    inputs, targets = torch.from_numpy(X), torch.from_numpy(Y)
    return min(seconds(lambda: (inputs.T @ inputs, inputs.T @ targets)) for _ in range(2))


def compare(
    name: str, size: str, ours: Callable, peer: Callable, peer_name: str, limit: float, repeats: int
) -> dict:
    """Return one row: both in turn, so that a busy machine slows both."""
    found, times = {}, []
    memory = peak_memory(lambda: found.update(ours=ours()))  # warms up as well
    for _ in range(repeats):
        mine = seconds(lambda: found.update(ours=ours()))
        times.append((mine, seconds(lambda: found.update(theirs=peer()))))
    ratios = [theirs / mine for mine, theirs in times]
    ours_seconds, peer_seconds = np.median(times, axis=0)
    size_of_coefficient = np.abs(found["theirs"].coef_).mean()
    return {
        "bench": name,
        "size": size,
        "ours_seconds": ours_seconds,
        "peer": peer_name,
        "peer_seconds": peer_seconds,
        "ratio": float(np.median(ratios)),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "same_result": bool(
            np.abs(found["ours"].coef_ - found["theirs"].coef_).max() < 0.02 * size_of_coefficient
        ),
        "limit": f"matrix products alone: {limit:.4g} s; {memory}",
        "share_of_limit": limit / ours_seconds,
        "hardware": hardware(),
        "date": datetime.date.today().isoformat(),
    }


def rows(n_samples: int = 20_000, n_targets: int = 9520, repeats: int = 2) -> pd.DataFrame:
    """Return one row for ordinary least squares and one for a path of ridge penalties."""
    X, Y = landmarks_and_targets(n_samples, n_targets)
    held = n_samples // 10
    size, limit = f"{n_samples} x {N_LANDMARKS} -> {n_targets} targets", product_seconds(X, Y)

    def path() -> Ridge:
        models = [Ridge(alpha=one, solver="cholesky").fit(X[held:], Y[held:]) for one in PENALTIES]
        errors = [np.abs(one.predict(X[:held]) - Y[:held]).mean() for one in models]
        return models[int(np.argmin(errors))]

    tuned = TunedRidge(penalties=PENALTIES)
    table = [
        compare(
            "least squares",
            size,
            lambda: LeastSquares().fit(X, Y),
            lambda: LinearRegression().fit(X, Y),
            "LinearRegression",
            *(limit, repeats),
        ),
        compare(
            "ridge path",
            f"{size}, {len(PENALTIES)} penalties, {held} samples choose",
            lambda: tuned.fit(X[held:], Y[held:], validation=(X[:held], Y[:held])),
            path,
            "Ridge(solver='cholesky') for each",
            *(limit, 1),
        ),
    ]
    return pd.DataFrame(table)[COLUMNS]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--targets", type=int, default=9520)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    print(
        rows(options.samples, options.targets, options.repeats).to_csv(index=False, float_format="%.4g"),
        end="",
    )
