"""A classifier whose first layers follow a graph of the features: the GCNN of mcdermott2020."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from torch import nn

from exprml.base.errors import DataError, check_known
from exprml.models.graph_layers import GraphConvolution, GraphNetwork, matched
from exprml.models.layers import build_network, layer_widths
from exprml.models.networks import NetworkClassifier
from exprml.models.settings import resolve_device, seeded


@dataclass(kw_only=True, eq=False, repr=False)
class GraphClassifier(NetworkClassifier):
    """Chebyshev convolutions over a graph of features, then dense layers (mcdermott2020, public code).

    Features in connected parts of at most `smallest` nodes, and those without an edge, are not convolved:
    they go to the dense layers as they are. Parameters as in `NetworkClassifier`, and those below; weights
    start normal and cut (0.1), biases at 0.1, as in the paper; `initialisation`, `standardise` are idle.

    Parameters
    ----------
    edges : array, (edges, 2) or (edges, 3), optional
        Numbers of the features that an edge joins, in any direction, and perhaps its weight (1). None: no
        graph, dense layers alone.
    n_filters, order : int
        Filters, and terms of the polynomial. Pairs of neighbours are pooled, matched as `random_state` draws.
    pooling : {"max", "mean"}
    smallest : int
        Largest part that is set aside.
    slipped : bool
        Match nodes with the published code's slip in counting edges, see `matched`.
    """

    activation: str = "leaky-relu"
    optimizer: str = "sgd"
    schedule: str = "staircase"
    decayed: str = "linear"
    early_stopping: str = "none"
    holdout: float | None = None  # as published: the last epoch is kept
    class_weight: Any = None
    edges: Any = None
    n_filters: int = 9
    order: int = 7
    pooling: str = "mean"
    smallest: int = 10
    slipped: bool = False

    def _adjacency(self, n_inputs: int) -> tuple[sparse.csr_matrix, np.ndarray]:
        """Return the graph of the parts that are large enough, and the features that are its nodes."""
        edges = np.zeros((0, 2), int) if self.edges is None else np.asarray(self.edges)
        pairs = edges.ndim == 2 and edges.shape[1] in (2, 3)
        if not (pairs and np.isin(edges[:, :2], range(n_inputs)).all()):
            raise DataError(f"edges of shape {edges.shape}: give pairs of feature numbers below {n_inputs}")
        weights = edges[:, 2] if edges.shape[1] == 3 else np.ones(len(edges))
        if not (weights > 0).all():
            raise DataError(f"{(~(weights > 0)).sum()} of {len(edges)} edges have no weight above 0")
        joins = edges[:, 0] != edges[:, 1]
        ends, weights = edges[joins, :2].astype(int).T, weights[joins]
        ends, shape = np.concatenate([ends, ends[::-1]], axis=1), (n_inputs, n_inputs)
        whole = sparse.coo_matrix((np.tile(weights, 2), ends), shape).tocsr()
        times = sparse.coo_matrix((np.ones(ends.shape[1]), ends), shape).tocsr()
        whole.data /= times.data  # an edge given twice has the mean weight
        part = sparse.csgraph.connected_components(whole, directed=False)[1]
        nodes = np.flatnonzero(np.bincount(part)[part] > self.smallest)
        if self.edges is not None and not len(nodes):
            raise DataError(f"no part of the graph has more than {self.smallest} nodes; or give edges=None")
        return whole[nodes][:, nodes], nodes

    def _draw_module(self, n_inputs: int, n_outputs: int) -> nn.Module:
        check_known("pooling", [self.pooling], ("max", "mean"))
        adjacency, nodes = self._adjacency(n_inputs)
        order = np.random.default_rng(self.seed_).permutation(len(nodes))
        cluster = matched(adjacency, order, slipped=self.slipped)
        found = self.n_filters * len(np.unique(cluster)) + n_inputs - len(nodes)
        options = {"activation": self.activation, "dropout": self.dropout}
        with seeded(self.seed_, resolve_device(self.device)):
            layer = None
            if len(nodes):
                layer = GraphConvolution(adjacency, cluster, 1, self.n_filters, self.order, self.pooling)
            dense = build_network(found, layer_widths(self.hidden, found), n_outputs, **options)
            module = GraphNetwork(n_inputs, nodes, layer, dense)
            for parameter in module.parameters():
                if parameter.ndim > 1:
                    nn.init.trunc_normal_(parameter, std=0.1, a=-0.2, b=0.2)
                else:
                    nn.init.constant_(parameter, 0.1)
        return module
