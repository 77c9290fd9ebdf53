"""Regulatory graphs: tables of edges between genes, restricted to those that data have, and null graphs.

A graph is undirected here, as the paper's (mcdermott2020): who regulates whom is forgotten. Its table of
edges has source, target and weight, each pair of genes once.
"""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError
from exprml.base.provenance import with_steps

COLUMNS = ["source", "target", "weight"]


def as_graph(edges: pd.DataFrame, steps: list[str]) -> AnnData:
    """Return edges as data without samples: a gene for each name, the table in ``uns["edges"]``."""
    names = pd.Index(sorted(set(edges["source"]) | set(edges["target"])), name="gene")
    X, obs = np.empty((0, len(names)), np.float32), pd.DataFrame(index=pd.Index([], dtype=str))
    adata = AnnData(X, obs=obs, var=pd.DataFrame({"symbol": names}, index=names))
    adata.uns["edges"] = edges[COLUMNS]
    return with_steps(adata, [*steps, f"{len(edges)} edges between {len(names)} names"])


def restrict(edges: pd.DataFrame, genes: Sequence[str]) -> pd.DataFrame:
    """Return the edges between the genes, undirected, each pair once.

    Parameters
    ----------
    edges : DataFrame
        source, target, weight (0 or more), in any direction, some perhaps twice.
    genes : sequence of str
        Names as in the edges.

    Returns
    -------
    DataFrame
        source, target (the later of `genes`), weight (the largest of a pair's). ``attrs["dropped"]`` counts
        what was left out: edges with a gene that the data lack, self loops, pairs that stood there before in
        the same direction or in the other.

    Raises
    ------
    DataError
        If a weight is negative or no number, or no edge is left.
    """
    wrong = edges[~(edges["weight"] >= 0)]
    for _, one in wrong.iterrows():
        raise DataError(
            f"{len(wrong)} of {len(edges)} weights are negative or no number, as {one['weight']} between "
            f"{one['source']} and {one['target']}: a graph convolution needs weights of 0 or more"
        )
    place = pd.Series(np.arange(len(genes)), index=pd.Index(genes))
    ends = pd.DataFrame({end: edges[end].map(place) for end in COLUMNS[:2]})
    there, dropped = ends.notna().all(axis=1), {}
    dropped["with a gene that the data lack"] = int((~there).sum())
    loops = there & (ends["source"] == ends["target"])
    dropped["self loops"] = int(loops.sum())
    kept = ends[there & ~loops].astype(int)
    pairs = pd.DataFrame(np.sort(kept.to_numpy(), axis=1), columns=COLUMNS[:2], index=kept.index)
    same = kept.duplicated()
    dropped["twice in one direction"] = int(same.sum())
    dropped["there in the other direction"] = int((pairs.duplicated() & ~same).sum())
    pairs["weight"] = edges["weight"]
    found = pairs.groupby(COLUMNS[:2], as_index=False)["weight"].max()
    if found.empty:
        raise DataError(
            f"no edge is left: none of the {len(edges)} edges joins two different genes of the {len(genes)}, "
            f"as {genes[0]!r}; do the names agree?"
        )
    found[COLUMNS[:2]] = np.asarray(genes, dtype=object)[found[COLUMNS[:2]].to_numpy()]
    found.attrs["dropped"] = dropped
    return found


def rewired(edges: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Return a random graph in which every gene keeps its number of neighbours; weights are those of no edge.

    Five times as many pairs of edges as there are edges swap their ends; what would give an edge twice is
    drawn again. Weights are handed round at random.
    """
    graph = nx.from_pandas_edgelist(edges, *COLUMNS[:2])
    swaps = 5 * len(edges)
    nx.double_edge_swap(graph, swaps, max_tries=100 * swaps, seed=seed)
    found = pd.DataFrame(sorted(graph.edges), columns=COLUMNS[:2])
    return found.assign(weight=np.random.default_rng(seed).permutation(edges["weight"].to_numpy()))


def permuted(edges: pd.DataFrame, genes: Sequence[str], *, seed: int = 0) -> pd.DataFrame:
    """Return the same graph with its genes exchanged at random, those without an edge among them."""
    other = dict(zip(genes, np.random.default_rng(seed).permutation(np.asarray(genes, object)), strict=True))
    return edges.assign(**{end: edges[end].map(other) for end in COLUMNS[:2]})


def components(edges: pd.DataFrame) -> list[int]:
    """Return the number of genes of each connected part of the graph, largest first."""
    parts = nx.connected_components(nx.from_pandas_edgelist(edges, *COLUMNS[:2]))
    return sorted(map(len, parts), reverse=True)
