"""Time what mcdermott2020 asks of a processor: windows of GCTX, neighbours by Canberra distance, convolution.

Run as ``python bench/perturbations.py [--pyg FOLDER]``. Prints rows in the columns of ``bench/report.csv``.
One thread each, in processor seconds. The convolution's peer is torch-geometric's ChebConv, which the book
does not need: give the folder it lies in, or its row is left out. Times are the best of some calls, in turn.
Files are read from the page cache: what is compared is code, not disks.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402
from machine import COLUMNS, copy_bandwidth, hardware  # noqa: E402
from scipy import sparse  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402

from exprml.data import formats  # noqa: E402
from exprml.models import presets  # noqa: E402
from exprml.models.graph_layers import GraphConvolution  # noqa: E402
from exprml.models.neighbours import CanberraNeighbours  # noqa: E402

GENES, PUBLISHED_SAMPLES = 978, 156_461
ALL_GENES, LEVEL4_SAMPLES = 12_328, 1_319_138


def cpu_seconds(function: Callable[[], object], results: list) -> float:
    """Return this process's processor seconds of one call, whose result is added to `results`."""
    start = time.process_time()
    results.append(function())
    return time.process_time() - start


def in_turn(ours: Callable, theirs: Callable, repeats: int) -> tuple[dict, list]:
    """Return the columns of a comparison, and both last results."""
    times, found = [], []
    for _ in range(repeats):
        found = []
        times.append([cpu_seconds(one, found) for one in (ours, theirs)])
    a, b = np.array(times).T
    ratios = b / a
    columns = {"ours_seconds": a.min(), "peer_seconds": b.min(), "ratio": b.min() / a.min()}
    return columns | {"ratio_low": ratios.min(), "ratio_high": ratios.max()}, found


def profiles(n: int, seed: int) -> np.ndarray:
    """Return (samples, genes) like z-scores: some shared directions, and noise."""
    generator = np.random.default_rng(seed)
    shared = np.random.default_rng(0).standard_normal((20, GENES))
    found = generator.standard_normal((n, 20)) @ shared / 4 + generator.standard_normal((n, GENES))
    return found.astype(np.float32)


def neighbour_rows(n_train: int, n_queries: int, repeats: int) -> list[dict]:
    """Return a row beside scikit-learn's brute force."""
    train, queries, y = profiles(n_train, 1), profiles(n_queries, 2), np.arange(n_train) % 2
    CanberraNeighbours().fit(train[:9], y[:9]).kneighbors(queries[:4])  # compiles
    ours = CanberraNeighbours(n_neighbors=12).fit(train, y)
    peer = NearestNeighbors(n_neighbors=12, metric="canberra", algorithm="brute").fit(train)
    columns, found = in_turn(lambda: ours.kneighbors(queries), lambda: peer.kneighbors(queries), repeats)
    same = (found[0][1] == found[1][1]).mean()
    size = f"{n_train} x {GENES} train, {n_queries} queries, k 12; {same:.4%} alike; of ties the first sample"
    named = {"bench": "neighbours, canberra", "peer": "NearestNeighbors(algorithm='brute'), float32 samples"}
    return [named | {"size": size, "same_result": bool(same > 0.9999), **columns}]


def level4_file(path: Path, n_samples: int) -> None:
    """Write a GCTX in the form of GSE92742's level 4: float32, not packed, chunks of 1,000 x 1,000."""
    draws = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        chunks = (min(1000, n_samples), 1000)
        matrix = file.create_dataset("0/DATA/0/matrix", (n_samples, ALL_GENES), np.float32, chunks=chunks)
        for start in range(0, n_samples, 1000):
            rows = min(1000, n_samples - start)
            matrix[start : start + rows] = draws.standard_normal((rows, ALL_GENES), np.float32)
        file["0/META/ROW/id"] = np.array([f"{at}" for at in range(ALL_GENES)], dtype="S6")
        file["0/META/COL/id"] = np.array([f"W{at}" for at in range(n_samples)], dtype="S8")


def by_h5py(path: Path, columns: np.ndarray, *, picked: bool) -> np.ndarray:
    """Read the stretch of genes that holds the columns, 1,000 samples at a time; pick the columns or not."""
    with h5py.File(path) as file:
        matrix, low, high = file["0/DATA/0/matrix"], columns.min(), columns.max() + 1
        found = np.empty((len(matrix), len(columns)), np.float32)
        for start in range(0, len(matrix), 1000):
            block = matrix[start : start + 1000, low:high]
            found[start : start + 1000] = block[:, columns - low] if picked else block[:, : len(columns)]
    return found


def window_rows(n_samples: int, repeats: int) -> list[dict]:
    """Return rows of reading the landmarks' columns: side by side, and scattered over all genes."""
    scattered = np.sort(np.random.default_rng(0).choice(ALL_GENES, GENES, replace=False))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "level4.gctx"
        level4_file(path, n_samples)
        for where, columns in {"first": np.arange(GENES), "scattered": scattered}.items():
            genes = [str(at) for at in columns]
            opening = min(cpu_seconds(lambda: formats.read_gctx_metadata(path), []) for _ in range(3))
            ours = lambda: formats.read_gctx(path, genes=genes).X  # noqa: E731, B023
            columns_of, found = in_turn(ours, lambda: by_h5py(path, columns, picked=True), repeats)  # noqa: B023
            bare = min(cpu_seconds(lambda: by_h5py(path, columns, picked=False), []) for _ in range(repeats))  # noqa: B023
            size = 4 * n_samples * (columns.max() + 1 - columns.min()) / 1e6
            rows.append(
                {
                    "bench": f"reading landmarks of a level-4 GCTX, {where} genes",
                    "size": f"{n_samples} of the true {LEVEL4_SAMPLES} samples, {GENES} of {ALL_GENES} "
                    f"genes, {size:,.0f} MB passed over; opening and ids {opening:.2g} s of ours",
                    "peer": "h5py, blocks of 1000 samples, columns picked",
                    "same_result": bool((found[0] == found[1]).all()),
                    "limit": f"h5py alone for the same bytes, nothing picked: {bare:.3g} s",
                    "share_of_limit": bare / columns_of["ours_seconds"],
                    **columns_of,
                }
            )
    return rows


def random_graph(n_edges: int = 10_000) -> sparse.csr_matrix:
    """Return the adjacency of a graph of 978 nodes and exactly so many edges."""
    pairs = np.stack(np.triu_indices(GENES, 1))
    a, b = pairs[:, np.random.default_rng(0).choice(pairs.shape[1], n_edges, replace=False)]
    half = sparse.coo_matrix((np.ones(n_edges), (a, b)), (GENES, GENES))
    return (half + half.T).tocsr()


def convolution_rows(
    pyg: str | None, repeats: int, width: int = 32, order: int = 10, batch: int = 92
) -> list[dict]:
    """Return the row of a Chebyshev convolution, forward and backward."""
    if pyg is None:
        return []
    sys.path.insert(0, pyg)
    from torch_geometric.nn import ChebConv

    adjacency = random_graph()
    ours = GraphConvolution(adjacency, np.arange(GENES), width, width, order, "mean")
    peer = ChebConv(width, width, order, normalization="sym")
    with torch.no_grad():
        ours.weight.copy_(torch.cat([one.weight for one in peer.lins], dim=1))
        ours.bias.copy_(peer.bias)
    edges = torch.as_tensor(np.stack(adjacency.nonzero()))
    X, way = torch.randn(width, GENES, batch), torch.randn(width, GENES, batch)
    theirs = X.permute(2, 1, 0).contiguous().requires_grad_()
    mine, their_way = X.clone().requires_grad_(), way.permute(2, 1, 0).contiguous()

    def run_ours() -> torch.Tensor:
        mine.grad = None
        found = ours.convolved(mine)
        found.backward(way)
        return found.detach()

    def run_peer() -> torch.Tensor:
        theirs.grad = None
        found = peer(theirs, edges, lambda_max=torch.tensor(2.0))
        found.backward(their_way)
        return found.detach()

    columns, (found, expected) = in_turn(run_ours, run_peer, repeats)
    apart = float((found - expected.permute(2, 1, 0)).abs().max())
    apart_back = float((mine.grad - theirs.grad.permute(2, 1, 0)).abs().max())
    product = 2 * (order - 1) * width * product_seconds(ours.laplacian, batch)
    traffic = 2 * (order - 1) * 4 * 3 * X.numel() / copy_bandwidth(n=X.numel())
    return [
        {
            "bench": "Chebyshev convolution, forward and backward",
            "size": f"{GENES} nodes, 10000 edges, K {order}, {width} -> {width}, batch {batch}; differ by "
            f"{apart:.1e}, gradients by {apart_back:.1e}",
            "peer": "torch_geometric ChebConv",
            "same_result": apart < 1e-5,
            "limit": f"its sparse products: {product:.3g} s; their arrays at a copy's rate: {traffic:.3g} s",
            "share_of_limit": product / columns["ours_seconds"],
            **columns,
        }
    ]


def product_seconds(laplacian: torch.Tensor, batch: int) -> float:
    """Return the seconds of one sparse product with (nodes, batch), the best of some."""
    X = torch.randn(GENES, batch)
    return min(cpu_seconds(lambda: laplacian @ X, []) for _ in range(50))


def epoch_row(n_steps: int = 30) -> dict:
    """Return the seconds of an epoch of the published site network, from steps measured."""
    regulators = np.random.default_rng(0).integers(0, 60, 3387)
    edges = np.stack([regulators, np.random.default_rng(1).integers(0, 851, 3387)], axis=1)
    model = presets.make("mcdermott2020/gcnn-site", edges=edges, epochs=1)
    X = profiles(model.batch_size * n_steps, 3)
    y = np.arange(len(X)) % 12
    few = cpu_seconds(lambda: model.fit(X[: model.batch_size * 2], y[: model.batch_size * 2]), [])
    step = (cpu_seconds(lambda: model.fit(X, y), []) - few) / (n_steps - 2)
    steps = PUBLISHED_SAMPLES * 8 // 10 // model.batch_size
    return {
        "bench": "an epoch of the published site GCNN, estimated",
        "size": f"{steps} steps of {model.batch_size}, {step:.3g} s each; the paper runs 350 epochs",
        "ours_seconds": step * steps,
        "peer": "",
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--window", type=int, default=20_000, help="samples of the GCTX that is read")
    parser.add_argument("--pyg", help="folder in which torch_geometric lies")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = window_rows(options.window, 2 * options.repeats)
    found += [*convolution_rows(options.pyg, 2 * options.repeats), epoch_row()]
    found += neighbour_rows(options.train, options.queries, options.repeats)
    common = {"hardware": hardware(), "date": datetime.date.today().isoformat()}
    table = pd.DataFrame([row | common for row in found]).reindex(columns=COLUMNS)
    print(table.to_csv(index=False, float_format="%.4g"), end="")
