"""Time remove_linear_signal against R limma's removeBatchEffect: same values, same machine, one run.

Run as ``python bench/linear_signal.py [--features 5000] [--samples 1000] [--repeats 9]``. Prints rows in the
columns of ``bench/report.csv`` (`rows` returns them as a table). Seconds are inside each process, without
start-up and reading. The limit is what the memory of this machine allows: read the values once, write once.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "2")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from machine import COLUMNS, hardware  # noqa: E402

from exprml.evaluation.linear_signal import remove_linear_signal  # noqa: E402

PEER_SCRIPT = Path(__file__).with_name("limma_peer.R")
TARGETS = {2: 15, 21: 25}  # classes -> how many times faster than limma it must be


def seconds_of(function: Callable[[], object], repeats: int) -> np.ndarray:
    """Return the seconds of each call, after one call that warms up."""
    function()
    seconds = np.empty(repeats)
    for i in range(repeats):
        start = time.perf_counter()
        function()
        seconds[i] = time.perf_counter() - start
    return seconds


def peer_seconds(X: np.ndarray, n_classes: int, repeats: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return limma's seconds and its result (samples x features), or None where R or limma is missing."""
    if not shutil.which("Rscript"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        values, result = Path(folder, "values"), Path(folder, "result")
        X.tofile(values)
        command = ["Rscript", str(PEER_SCRIPT), values, X.shape[1], X.shape[0], n_classes, repeats, result]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"limma did not run: {done.stderr.strip()}")
            return None
        return np.array(done.stdout.split(), dtype=float), np.fromfile(result).reshape(X.shape)


def rows(n_features: int = 5000, n_samples: int = 1000, repeats: int = 9) -> pd.DataFrame:
    """Return one row for each number of classes."""
    X = np.random.default_rng(0).normal(size=(n_samples, n_features))
    limit = float(np.median(seconds_of(X.copy, repeats)))
    table = []
    for n_classes in TARGETS:
        labels = np.arange(n_samples) % n_classes
        peer = peer_seconds(X, n_classes, repeats)
        ours = seconds_of(lambda labels=labels: remove_linear_signal(X, labels), repeats)
        row = {
            "bench": "remove_linear_signal array",
            "size": f"{n_features} features x {n_samples} samples, {n_classes} labels",
        }
        table.append(row | _times(ours, peer, limit) | {"same_result": _same(X, labels, peer)})
    return pd.DataFrame(table)[COLUMNS]


def _times(ours: np.ndarray, peer: tuple | None, limit: float) -> dict[str, object]:
    """Return medians, their ratio with the range of quartiles, and what is common to all rows."""
    theirs = peer[0] if peer else np.array([np.nan])
    low, high = (
        np.quantile(theirs, 0.25) / np.quantile(ours, 0.75),
        np.quantile(theirs, 0.75) / np.quantile(ours, 0.25),
    )
    middle = float(np.median(ours))
    return {
        "ours_seconds": middle,
        "peer": "limma removeBatchEffect" if peer else "not run (Rscript with limma not found)",
        "peer_seconds": float(np.median(theirs)),
        "ratio": float(np.median(theirs)) / middle,
        "ratio_low": low,
        "ratio_high": high,
        "limit": f"copy of the values: {limit:.4g} s",
        "share_of_limit": limit / middle,
        "hardware": hardware(),
        "date": datetime.date.today().isoformat(),
    }


def _same(X: np.ndarray, labels: np.ndarray, peer: tuple | None) -> object:
    """Tell whether both results agree within 1e-10; empty where the peer did not run."""
    if peer is None:
        return ""
    return bool(np.abs(remove_linear_signal(X, labels) - peer[1]).max() < 1e-10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=5000)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=9)
    chosen = parser.parse_args()
    print(
        rows(chosen.features, chosen.samples, chosen.repeats).to_csv(index=False, float_format="%.4g"), end=""
    )


if __name__ == "__main__":
    main()
