"""Time the lasso for all targets against scikit-learn's, with and without its Gram matrix.

Run as ``python bench/lasso.py [--samples 20000] [--targets 9520]``. Prints rows in the columns of
``bench/report.csv`` (`rows` returns them as a table). Ours solves all targets. scikit-learn's are timed on
samples of the targets: their seconds are those of the larger sample, plus what one more target costs times
the targets left, and say so. Both stop at the same duality gap. The compilation of our kernel, once per
installation, stands in a row of its own. The limit is the matrix products alone.
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
from least_squares import N_LANDMARKS, landmarks_and_targets, product_seconds  # noqa: E402
from machine import COLUMNS, hardware, peak_memory, seconds  # noqa: E402
from sklearn.linear_model import Lasso as PeerLasso  # noqa: E402

from exprml.models import lasso_kernel  # noqa: E402
from exprml.models.lasso import TunedLasso  # noqa: E402

PEERS = {"Lasso(precompute=True)": (True, 100, 400), "Lasso": (False, 2, 6)}  # targets timed


def extrapolated(fit: Callable[[int], object], few: int, some: int, n_targets: int) -> float:
    """Return the seconds for all targets from those of `few` and of `some`."""
    first, second = seconds(lambda: fit(few)), seconds(lambda: fit(some))
    each = max(second - first, 0.0) / (some - few)
    return second + each * (n_targets - some)


def compile_seconds(X: np.ndarray, Y: np.ndarray, penalty: float) -> float:
    """Return how much longer a first fit takes where nothing compiled is kept."""
    for function in vars(lasso_kernel).values():
        if hasattr(function, "_cache"):
            function._cache.flush()

    def fit() -> object:
        return TunedLasso(penalties=[penalty]).fit(X[:500, :50], Y[:500, :2])

    return seconds(fit) - seconds(fit)


def objective(model: object, X: np.ndarray, Y: np.ndarray, penalty: float, n: int) -> np.ndarray:
    """Return scikit-learn's objective of the first `n` targets."""
    coefficients = model.coef_[:n].astype(np.float64)
    residual = Y[:, :n] - X @ coefficients.T - model.intercept_[:n]
    return np.square(residual).mean(axis=0) / 2 + penalty * np.abs(coefficients).sum(axis=1)


def rows(n_samples: int = 20_000, n_targets: int = 9520, penalty: float = 0.03) -> pd.DataFrame:
    """Return one row for each peer and one for the compilation."""
    X, Y = landmarks_and_targets(n_samples, n_targets)
    compilation, found = compile_seconds(X, Y, penalty), {}
    ours = seconds(lambda: found.update(ours=TunedLasso(penalties=[penalty]).fit(X, Y)))
    memory, limit = peak_memory(lambda: TunedLasso(penalties=[penalty]).fit(X, Y)), product_seconds(X, Y)
    kept = (found["ours"].coef_ != 0).sum(axis=1).mean()
    common = {
        "size": f"{n_samples} x {N_LANDMARKS} -> {n_targets} targets, penalty {penalty:g}, {kept:.0f} kept",
        "ours_seconds": ours,
        "limit": f"matrix products alone: {limit:.4g} s; {memory}",
        "share_of_limit": limit / ours,
        "hardware": hardware(),
        "date": datetime.date.today().isoformat(),
    }
    table = []
    for name, (precompute, few, some) in PEERS.items():
        few, some = min(few, n_targets // 2), min(some, n_targets)

        def fit(n: int, precompute: bool = precompute) -> None:
            found["theirs"] = PeerLasso(alpha=penalty, precompute=precompute).fit(X, Y[:, :n])

        theirs = extrapolated(fit, few, some, n_targets)
        excess = objective(found["ours"], X, Y, penalty, some) - objective(
            found["theirs"], X, Y, penalty, some
        )
        row = {
            "bench": "lasso",
            "peer": f"{name}, extrapolated from {some} targets",
            "peer_seconds": theirs,
            "ratio": theirs / ours,
            "same_result": bool(np.abs(excess).max() < 1e-4),  # the gap both may leave; variance is 1
        }
        table.append(common | row)
    once = {"bench": "lasso, compilation, once", "ours_seconds": compilation, "hardware": hardware()}
    table.append(once | {"size": "float32", "peer": "", "date": common["date"]})
    return pd.DataFrame(table).reindex(columns=COLUMNS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--targets", type=int, default=9520)
    parser.add_argument("--penalty", type=float, default=0.03)
    options = parser.parse_args()
    table = rows(options.samples, options.targets, options.penalty)
    print(table.to_csv(index=False, float_format="%.4g"), end="")
