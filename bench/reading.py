"""Time each reader of files against the library a user would call: same file, same values, one process each.

Run as ``python bench/reading.py [--samples 1000] [--genes 6000] [--repeats 2] [--only gct]``. Prints rows in
the columns of ``bench/report.csv`` (`rows` returns them as a table). Seconds are of the processor, in the
process that reads, so that a busy machine changes little; each reading has its own process, whose peak of
memory stands in the row. The peers look for nothing that is wrong in a file.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import anndata
import h5py
import numpy as np
import pandas as pd
import rdata
from anndata import AnnData
from machine import COLUMNS, hardware, peak_memory
from scipy import sparse

from exprml.data import formats
from exprml.data.labels import read_labels


def _by_pandas(path: Path, **options: object) -> np.ndarray:
    return pd.read_csv(path, index_col=0, float_precision="round_trip", **options).to_numpy(np.float32)


def _by_h5py(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file["0/DATA/0/matrix"][:]


def _table(samples_in: str) -> Callable[[Path], np.ndarray]:
    return lambda path: formats.read_table(path, samples_in=samples_in).X


READERS: dict[str, tuple[Callable, str, Callable]] = {  # file -> ours, name of the peer, the peer
    "a.csv": (_table("rows"), "pandas.read_csv", _by_pandas),
    "a.tsv.gz": (_table("rows"), "pandas.read_csv", lambda path: _by_pandas(path, sep="\t")),
    "turned.tsv": (_table("columns"), "pandas.read_csv", lambda path: _by_pandas(path, sep="\t").T),
    "gaps.csv": (_table("rows"), "pandas.read_csv", _by_pandas),
    "labels.csv": (read_labels, "pandas.read_csv", lambda path: pd.read_csv(path, dtype=str, index_col=0)),
    "a.gct": (
        lambda path: formats.read_gct(path).X,
        "pandas.read_csv",
        lambda path: _by_pandas(path, sep="\t", skiprows=2, usecols=lambda name: name != "Description").T,
    ),
    "a.gctx": (lambda path: formats.read_gctx(path).X, "h5py, whole matrix", _by_h5py),
    "dense.h5ad": (
        lambda path: formats.read_h5ad(path).X,
        "anndata.read_h5ad",
        lambda path: anndata.read_h5ad(path).X,
    ),
    "sparse.h5ad": (
        lambda path: formats.read_h5ad(path).X,
        "anndata.read_h5ad",
        lambda path: anndata.read_h5ad(path).X,
    ),
    "a.rds": (
        lambda path: formats.read(path, samples_in="rows").X,
        "rdata.read_rds",
        lambda path: rdata.read_rds(path).to_numpy(np.float32),
    ),
}


def write_file(path: Path, n_samples: int, n_genes: int) -> None:
    """Write the file of this name: values of four decimals, a third of them zero."""
    generator = np.random.default_rng(0)
    pool = np.maximum(generator.normal(2, 4, 10_000).round(4), 0)
    codes = generator.integers(0, len(pool), (n_samples, n_genes))
    samples, genes = [f"sample-{i}" for i in range(n_samples)], [f"GENE{i}" for i in range(n_genes)]
    if path.suffix in (".csv", ".tsv", ".gz", ".gct"):
        _write_text(path, codes, np.array([str(one) for one in pool], dtype=object), samples, genes)
        return
    data = AnnData(pool[codes].astype(np.float32))
    data.obs_names, data.var_names = samples, genes
    if path.suffix == ".gctx":
        formats.write_gctx(data, path)
    elif path.suffix == ".rds":
        rdata.write_rds(path, data.to_df().astype(float))
    else:
        data.X = sparse.csr_matrix(data.X) if path.stem == "sparse" else data.X
        data.write_h5ad(path)


def _write_text(
    path: Path, codes: np.ndarray, pool: np.ndarray, samples: list[str], genes: list[str]
) -> None:
    mark, turned = "," if path.suffix == ".csv" else "\t", path.name in ("turned.tsv", "a.gct")
    rows, columns, codes = (genes, samples, codes.T) if turned else (samples, genes, codes)
    if path.stem == "labels":  # many short lines of words
        rows, columns, codes = [f"s{i}" for i in range(codes.size // 9)], list("abcdefghi"), codes.reshape(-1)
        codes = codes[: len(rows) * 9].reshape(-1, 9) % 9
        pool = np.array([f"class-{i}" for i in range(9)], dtype=object)
    with gzip.open(path, "wt", 1) if path.suffix == ".gz" else open(path, "w") as stream:
        head = ["Name", "Description"] if path.suffix == ".gct" else ["id"]
        stream.write(f"#1.2\n{len(rows)}\t{len(columns)}\n" if path.suffix == ".gct" else "")
        stream.write(mark.join([*head, *columns]) + "\n")
        for number, (name, row) in enumerate(zip(rows, codes, strict=True)):
            cells = list(pool[row])
            cells[7] = "" if path.stem == "gaps" and number % 5 == 0 else cells[7]
            stream.write(mark.join([name, *["na"] * (len(head) - 1), *cells]) + "\n")


def _read(path: Path, which: int, repeats: int) -> tuple[float, str, np.ndarray]:
    """Return the best seconds of the processor, the peak of memory, and some values of what was read."""
    reader = READERS[path.name][which]
    memory, best = peak_memory(lambda: reader(path)), np.inf
    for _ in range(repeats):
        start = time.process_time()
        values = reader(path)
        best = min(best, time.process_time() - start)
    values = values.toarray() if sparse.issparse(values) else np.asarray(values)
    return best, memory, values[:50] if values.dtype.kind == "f" else np.zeros(1)


def rows(n_samples: int = 1000, n_genes: int = 6000, repeats: int = 2, only: str = "") -> pd.DataFrame:
    """Return one row for each kind of file."""
    table, context = [], multiprocessing.get_context("fork")
    for name in (one for one in READERS if only in one):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            with ProcessPoolExecutor(1, context) as pool:  # the parent stays small
                pool.submit(write_file, path, n_samples, n_genes).result()
            found = []
            for which in (0, 2):  # a process that may have children: HDF5 is tried in one
                with ProcessPoolExecutor(1, context) as pool:
                    found.append(pool.submit(_read, path, which, repeats).result())
            (ours, our_peak, read), (theirs, their_peak, expected) = found
            size = f"{n_samples} samples x {n_genes} genes, {path.stat().st_size / 1e6:.0f} MB"
            table.append(
                {
                    "bench": f"reading {name}",
                    "size": f"{size}; {our_peak}, the peer's {their_peak.removeprefix('peak memory ')}",
                    "ours_seconds": ours,
                    "peer": READERS[name][1],
                    "peer_seconds": theirs,
                    "ratio": theirs / ours,
                    "same_result": np.array_equal(read, expected, equal_nan=True),
                    "hardware": hardware(),
                    "date": datetime.date.today().isoformat(),
                }
            )
    return pd.DataFrame(table).reindex(columns=COLUMNS)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--genes", type=int, default=6000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", default="", help="files whose name holds this, as gct")
    given = parser.parse_args()
    table = rows(given.samples, given.genes, given.repeats, given.only)
    print(table.to_csv(index=False, float_format="%.4g"), end="")


if __name__ == "__main__":
    main()
