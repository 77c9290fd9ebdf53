"""Time what okeke2023 asks of a processor: contrasts, over-representation, an epoch of its autoencoder.

Run as ``python bench/changes.py [--gseapy FOLDER] [--samples 512]``. Prints rows in the columns of
``bench/report.csv``. One thread. The peer of contrasts is a loop over series of R limma's lmFit and eBayes;
without Rscript and limma (Debian: r-bioc-limma) the row is left out. The peer of
over-representation is gseapy's loop over terms, which the book does not need: give the folder it lies in,
or scipy's function is called term by term in its place. The peer of an epoch is that of
``bench/training.py``. Seconds are of the processor: the machine may be shared.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402
from anndata import AnnData  # noqa: E402
from machine import COLUMNS, copy_bandwidth, hardware, peak_memory  # noqa: E402
from perturbations import cpu_seconds  # noqa: E402
from scipy import sparse, special, stats  # noqa: E402
from training import compare, product_seconds  # noqa: E402

from exprml.data import changes  # noqa: E402
from exprml.data.terms import enrichment  # noqa: E402

LISTS, TERMS, GENES, PEERS_LISTS = 1000, 10_000, 20_000, 3
REPORTS_SERIES, RUNS, PEERS_SERIES = 7000, 6, 10
WIDTHS = [21_953, 2000, 21_953]
ADAM_ARRAYS = 7  # read: weights, gradients, two moments; written: all but the gradients


def rows_of_ones(sizes: np.ndarray, seed: int) -> sparse.csr_array:
    """Return a row for each size, with that many ones in random places."""
    draws = np.random.default_rng(seed)
    places = np.concatenate([draws.choice(GENES, size, replace=False) for size in sizes])
    ends = np.r_[0, np.cumsum(sizes)]
    return sparse.csr_array((np.ones(len(places), np.int32), places, ends), (len(sizes), GENES))


def clocked(function: Callable[[], object]) -> tuple[float, object]:
    """Return the processor seconds of a call, and its result."""
    found: list = []
    return cpu_seconds(function, found), found[0]


def in_turn(
    ours: Callable[[], object], theirs: Callable[[], tuple[float, object]], times: float, repeats: int
) -> tuple[dict[str, float], list, str]:
    """Run ours and the peer's share of it in turn; return seconds and ratios, both results, and peak memory.

    The peer tells its own seconds; they are multiplied by `times`: what it would have taken for all.
    """
    spent: list[tuple[float, float]] = []
    found: list = []

    def run() -> None:
        for _ in range(repeats):
            (seconds, mine), (others, its) = clocked(ours), theirs()
            spent.append((seconds, others * times))
            found[:] = [mine, its]

    peak = peak_memory(run)
    a, b = np.array(spent).T
    row = {"ours_seconds": a.min(), "peer_seconds": b.min(), "ratio": b.min() / a.min()}
    return row | {"ratio_low": (b / a).min(), "ratio_high": (b / a).max()}, found, peak


def limma_loop(values: np.ndarray) -> tuple[float, np.ndarray]:
    """Return R limma's seconds, and t and p (series x 2 x genes) of values (series x runs x genes)."""
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder, "values"), Path(folder, "result")
        values.astype(float).tofile(given)
        script = Path(__file__).with_name("contrasts_peer.R")
        command = ["Rscript", script, given, *values.shape[:0:-1], len(values), result]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
        return float(done.stdout), np.fromfile(result).reshape(len(values), 2, -1)


def contrasts(n_series: int, repeats: int) -> dict:
    """Return the row of two groups compared in many series; the peer does some of them, in turn with ours."""
    draws = np.random.default_rng(0)
    depth = np.exp(draws.normal(0, 0.5, (n_series * RUNS, 1)))
    values = (draws.normal(5, 2, GENES) + draws.normal(0, depth, (n_series * RUNS, GENES))).astype(np.float32)
    obs = pd.DataFrame({"series": np.repeat(np.arange(n_series), RUNS).astype(str)})
    adata = AnnData(values, obs=obs.set_index(obs.index.astype(str)))
    first = np.tile(np.arange(RUNS) < RUNS // 2, n_series)
    few = values[: PEERS_SERIES * RUNS].reshape(PEERS_SERIES, RUNS, GENES)
    timed, (ours, theirs), peak = in_turn(
        lambda: changes.compare_groups(adata, first),
        lambda: limma_loop(few),
        n_series / PEERS_SERIES,
        repeats,
    )
    mine = np.stack([ours.layers[name][:PEERS_SERIES] for name in ("t", "p")], axis=1)
    seconds = timed["ours_seconds"]
    t = np.abs(ours.layers["t"][:PEERS_SERIES].astype(float))
    floor = clocked(lambda: special.stdtr(RUNS, -t))[0] * n_series / PEERS_SERIES
    whole = f"the report's {REPORTS_SERIES} series: {seconds * REPORTS_SERIES / n_series:.0f} s"
    return timed | {
        "bench": "contrasts of series, two groups, moderated t",
        "size": f"{n_series} series of {RUNS} runs x {GENES} genes; {whole}; {peak}",
        "limit": f"tails of t for as many values: {floor:.3g} s",
        "share_of_limit": floor / seconds,
        "peer": f"R limma's lmFit and eBayes, extrapolated from {PEERS_SERIES} series",
        "same_result": bool(np.allclose(mine, theirs, rtol=1e-6, atol=1e-9)),
    }


def names_of(row: sparse.csr_array) -> set[str]:
    return {f"gene {at}" for at in row.indices}


def gseapys(folder: str) -> tuple[str, Callable]:
    """Return the name of gseapy's loop and a function from a list and sets to p-values by set."""
    sys.path.insert(0, folder)
    from gseapy.stats import calc_pvalues

    def run(hits: set[str], sets: dict[str, set[str]]) -> dict[str, float]:
        found = list(calc_pvalues(hits, sets, background=GENES))
        return dict(zip(found[0], found[1], strict=True))

    return "gseapy.stats.calc_pvalues", run


def by_scipy(hits: set[str], sets: dict[str, set[str]]) -> dict[str, float]:
    """Return the p-values of the sets that share a gene with the list, one call each."""
    shared = {name: len(hits & one) for name, one in sets.items()}
    return {
        name: stats.hypergeom.sf(n - 1, GENES, len(sets[name]), len(hits)) for name, n in shared.items() if n
    }


def over_representation(folder: str | None, repeats: int) -> dict:
    """Return the row of lists x terms; the peer does some of the lists, in turn with all of ours."""
    sizes = np.random.default_rng(0)
    hits = rows_of_ones(sizes.integers(20, 2000, LISTS), 1)
    terms = rows_of_ones(np.minimum(5 + sizes.pareto(1.0, TERMS) * 10, 2000).astype(int), 2)
    peer, loop = gseapys(folder) if folder else ("scipy.stats.hypergeom.sf, a call a term", by_scipy)
    sets = {str(at): names_of(terms[[at]]) for at in range(TERMS)}
    lists = [names_of(hits[[at]]) for at in range(PEERS_LISTS)]
    timed, (p, theirs), peak = in_turn(
        lambda: enrichment(hits, terms),
        lambda: clocked(lambda: [loop(one, sets) for one in lists]),
        LISTS / PEERS_LISTS,
        repeats,
    )
    same = all(
        np.allclose(p[at, [int(name) for name in one]], [*one.values()], rtol=1e-9, atol=0)
        for at, one in enumerate(theirs)
    )
    return timed | {
        "bench": "over-representation, one sparse product",
        "size": f"{LISTS} lists of 20 to 2000 hits x {TERMS} terms, {GENES} genes; {peak}",
        "peer": f"{peer}, extrapolated from {PEERS_LISTS} lists",
        "same_result": same,
    }


def epoch_row(n_samples: int, repeats: int, batch: int = 128) -> dict:
    """Return the row of an epoch, beside the plain loop, its products and the optimiser's memory traffic."""
    found: list[dict] = []
    clock = time.process_time
    peak = peak_memory(lambda: found.append(compare("", WIDTHS, n_samples, batch, None, repeats, clock)))
    steps = n_samples / batch
    products = product_seconds(WIDTHS, batch, repeats=3, clock=clock) * steps
    weights = 2 * WIDTHS[0] * WIDTHS[1]
    traffic = ADAM_ARRAYS * 4 * weights / copy_bandwidth() * steps
    return found[0] | {
        "bench": "autoencoder 21953-2000-21953, an epoch",
        "size": f"{weights / 1e6:.3g} million weights, {n_samples} samples, batch {batch}, per epoch; {peak}",
        "limit": f"matrix products alone: {products:.4g} s; the optimiser's memory traffic: {traffic:.3g} s",
        "share_of_limit": (products + traffic) / found[0]["ours_seconds"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gseapy", help="folder in which gseapy lies")
    parser.add_argument("--series", type=int, default=700)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    common = {"hardware": hardware(), "date": datetime.date.today().isoformat()}
    rows = [over_representation(options.gseapy, options.repeats) | common]
    if shutil.which("Rscript"):
        rows.append(contrasts(options.series, options.repeats) | common)
    rows += [common | epoch_row(options.samples, options.repeats)]
    print(pd.DataFrame(rows).reindex(columns=COLUMNS).to_csv(index=False, float_format="%.4g"), end="")
