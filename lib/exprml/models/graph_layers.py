"""Spectral graph convolution with coarsening (Defferrard et al. 2016): the layers of mcdermott2020's GCNN.

A signal lies on a graph's nodes, here genes. The convolution is a polynomial of the scaled Laplacian in
Chebyshev's form, so that a polynomial of order K sees neighbours K - 1 steps away. Pooling joins nodes that a
greedy matching put into one cluster. The paper lays clusters out as a binary tree and fills empty places with
fake nodes of value 0, whose bias then enters maxima and means; here empty places count in neither.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn


def scaled_laplacian(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return L - 1, where L is the normalised Laplacian, whose largest eigenvalue is taken for 2.

    That is minus the adjacency divided by the roots of both degrees; rows of nodes without an edge are 0.
    """
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    scale = sparse.diags(np.where(degree > 0, np.maximum(degree, 1e-300) ** -0.5, 0))
    return (-(scale @ adjacency @ scale)).tocsr()


def matched(adjacency: sparse.csr_matrix, order: np.ndarray, *, slipped: bool = False) -> np.ndarray:
    """Return each node's cluster, of one or two: in `order`, a free node takes its best free neighbour.

    That is Graclus's matching: the best has the largest weight times the sum of both nodes' inverse degrees.

    Parameters
    ----------
    adjacency : sparse matrix, (nodes, nodes)
        Symmetric, every node with an edge.
    order : array of int, (nodes,)
    slipped : bool
        Count the first edge of each node for the node before it, as the code of Defferrard et al. 2016 does,
        which the paper took over.
    """
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    cluster, count = np.full(adjacency.shape[0], -1), 0
    rows = np.repeat(np.arange(len(cluster)), np.diff(adjacency.indptr))
    if slipped:
        rows[1:] -= np.diff(rows) > 0
    starts, lengths = adjacency.indptr, np.bincount(rows, minlength=len(cluster))
    for node in order:
        if cluster[node] >= 0:
            continue
        span = slice(starts[node], starts[node] + lengths[node])
        others, weights = adjacency.indices[span], adjacency.data[span]
        free = (cluster[others] < 0) & (others != node)
        cluster[node] = count
        if free.any():
            score = weights[free] * (1 / degree[node] + 1 / degree[others[free]])
            cluster[others[free][score.argmax()]] = count
        count += 1
    return cluster


class ChebyshevBasis(torch.autograd.Function):
    """T_0(L) X to T_{K-1}(L) X, and back by Clenshaw's recurrence; L is symmetric."""

    @staticmethod
    def forward(ctx: Any, laplacian: Tensor, X: Tensor, order: int) -> Tensor:
        """Return the basis, (order, features, nodes, rows), of `X`, (features, nodes, rows)."""
        ctx.save_for_backward(laplacian)
        basis = X.new_empty(order, *X.shape)
        basis[0] = X
        for feature in range(X.shape[0]):  # one feature at a time stays in a core's cache
            parts = basis[:, feature]
            if order > 1:
                parts[1] = laplacian @ parts[0]
            for k in range(2, order):
                torch.addmm(parts[k - 2], laplacian, parts[k - 1], beta=-1, alpha=2, out=parts[k])
        return basis

    @staticmethod
    def backward(ctx: Any, errors: Tensor) -> tuple[None, Tensor | None, None]:
        """Return the errors of `X` from those of the basis."""
        if not ctx.needs_input_grad[1]:
            return None, None, None
        (laplacian,) = ctx.saved_tensors
        found = torch.empty_like(errors[0])
        for feature in range(errors.shape[1]):
            later = last = torch.zeros_like(errors[0, feature])
            for k in range(len(errors) - 1, 0, -1):
                given = errors[k, feature] - last
                later, last = torch.addmm(given, laplacian, later, alpha=2), later
            found[feature] = torch.addmm(errors[0, feature] - last, laplacian, later)
        return None, found, None


class GraphConvolution(nn.Module):
    """Chebyshev convolution, ReLU and pooling: (features, nodes, rows) to (filters, clusters, rows).

    Parameters
    ----------
    adjacency : sparse matrix, (nodes, nodes)
        Symmetric, nothing on the diagonal.
    cluster : array of int, (nodes,)
        What is pooled: one node or two.
    n_features, n_filters, order : int
        Features per node, filters, and terms of the polynomial.
    pooling : {"max", "mean"}
    """

    def __init__(
        self, adjacency: sparse.csr_matrix, cluster: np.ndarray, n_features: int, n_filters: int, order: int,
        pooling: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.order, self.pooling = order, pooling
        laplacian = scaled_laplacian(adjacency)
        parts = (torch.as_tensor(one) for one in (laplacian.indptr, laplacian.indices))
        values = torch.as_tensor(laplacian.data, dtype=torch.float32)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
            laplacian = torch.sparse_csr_tensor(*parts, values, laplacian.shape, check_invariants=True)
        self.register_buffer("laplacian", laplacian, persistent=False)
        self.register_buffer("members", torch.as_tensor(members_of(cluster)), persistent=False)
        self.weight = nn.Parameter(torch.empty(n_filters, order * n_features))
        self.bias = nn.Parameter(torch.empty(n_filters))

    def convolved(self, X: Tensor) -> Tensor:
        """Return the convolution alone, (filters, nodes, rows)."""
        basis = ChebyshevBasis.apply(self.laplacian, X, self.order)
        found = torch.addmm(self.bias[:, None], self.weight, basis.flatten(2).flatten(0, 1))
        return found.view(-1, *X.shape[1:])

    def forward(self, X: Tensor) -> Tensor:
        """Return what the filters find in `X`, (features, nodes, rows), pooled."""
        found = self.convolved(X).relu_()
        first, second = (found.index_select(1, members) for members in self.members)
        return torch.maximum(first, second) if self.pooling == "max" else (first + second) / 2


def members_of(cluster: np.ndarray) -> np.ndarray:
    """Return the two nodes of each cluster, (2, clusters); a cluster of one has its node twice."""
    order, sizes = np.argsort(cluster, kind="stable"), np.bincount(cluster)
    last = np.cumsum(sizes) - 1
    return np.stack([order[last - sizes + 1], order[last]])


class GraphNetwork(nn.Module):
    """A graph convolution over some inputs; what it finds and all other inputs go through dense layers.

    Parameters
    ----------
    n_inputs : int
    on_graph : array of int, (nodes,)
        The inputs that are nodes of the graph.
    convolution : GraphConvolution, optional
        None without a graph.
    dense : Module
        From filters and clusters, and the other inputs, to outputs.
    """

    def __init__(self, n_inputs: int, on_graph: np.ndarray, convolution: Any, dense: nn.Module) -> None:
        super().__init__()
        self.n_inputs = n_inputs
        self.register_buffer("on_graph", torch.as_tensor(on_graph), persistent=False)
        aside = np.setdiff1d(np.arange(n_inputs), on_graph)
        self.register_buffer("aside", torch.as_tensor(aside), persistent=False)
        self.convolution, self.dense = convolution, dense

    def forward(self, X: Tensor) -> Tensor:
        """Return outputs, (rows, outputs), for `X`, (rows, inputs)."""
        columns = X.t()
        found = columns[self.aside]
        if self.convolution is not None:
            filtered = self.convolution(columns[self.on_graph][None])
            found = torch.cat([filtered.flatten(0, 1), found])
        return self.dense(found.t().contiguous())
