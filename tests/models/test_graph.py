"""Graph convolution: Laplacian, coarsening and Chebyshev's polynomials by hand, then the classifier."""

import json

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone

from exprml.base.errors import DataError
from exprml.models.graph import GraphClassifier
from exprml.models.graph_layers import GraphConvolution, matched, members_of, scaled_laplacian
from exprml.models.model_values import describe, restore

PATH = sparse.csr_matrix(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=float))


def graph_of(n_nodes: int, n_edges: int, seed: int = 0) -> sparse.csr_matrix:
    a, b = np.random.default_rng(seed).integers(0, n_nodes, (2, n_edges))
    dense = np.zeros((n_nodes, n_nodes))
    dense[a, b] = dense[b, a] = 1
    np.fill_diagonal(dense, 0)
    return sparse.csr_matrix(dense)


def test_the_laplacian_of_a_path_of_three_nodes():
    root = -1 / np.sqrt(2)
    assert scaled_laplacian(PATH).toarray() == pytest.approx(
        np.array([[0, root, 0], [root, 0, root], [0, root, 0]])
    )
    alone = sparse.csr_matrix((2, 2))
    assert not scaled_laplacian(alone).toarray().any()


def test_the_best_neighbour_has_weight_and_small_degree():
    weights = np.zeros((4, 4))
    for a, b, weight in ((0, 1, 1.0), (1, 2, 5.0), (2, 3, 1.0)):
        weights[a, b] = weights[b, a] = weight
    adjacency = sparse.csr_matrix(weights)
    assert matched(adjacency, np.arange(4)).tolist() == [
        0,
        0,
        1,
        1,
    ]  # the first node takes its only neighbour
    assert matched(adjacency, np.array([1, 0, 2, 3])).tolist() == [1, 0, 0, 2]  # the second the heavy edge


def test_clusters_are_single_nodes_or_neighbours():
    adjacency = graph_of(60, 150)
    cluster = matched(adjacency, np.random.default_rng(0).permutation(60))
    assert set(np.bincount(cluster)) == {1, 2}
    for one in np.flatnonzero(np.bincount(cluster) == 2):
        first, second = np.flatnonzero(cluster == one)
        assert adjacency[first, second] == 1


def test_the_published_slip_gives_the_first_node_an_edge_too_many_and_the_last_one_too_few():
    ends = [(0, 1), (1, 2), (2, 3)]
    weights = np.zeros((4, 4))
    for at, (a, b) in enumerate(ends):
        weights[a, b] = weights[b, a] = 1 + at
    adjacency = sparse.csr_matrix(weights)  # rows: 1 | 0 2 | 1 3 | 2
    last_first = np.array([3, 0, 1, 2])
    assert matched(adjacency, last_first).tolist() == [1, 1, 0, 0]
    assert matched(adjacency, last_first, slipped=True).tolist() == [1, 1, 2, 0]  # the last node sees no edge
    in_the_middle = np.array([1, 2, 0, 3])  # whose neighbours are their own, although each count is another's
    assert np.array_equal(matched(adjacency, in_the_middle), matched(adjacency, in_the_middle, slipped=True))


def test_the_slip_is_an_option_of_the_network_and_changes_few_of_its_pairs():
    X, y, ring = toy(n=30)
    ring = ring[:-1]  # a path: both of its ends are wrong
    pairs = [
        [small(ring, epochs=1, random_state=one, slipped=slip).fit(X, y) for slip in (False, True)]
        for one in range(12)
    ]
    members = [[{*map(tuple, one.module_.convolution.members.T.tolist())} for one in both] for both in pairs]
    changed = [len(right - slipped) for right, slipped in members]
    assert max(changed) > 0
    assert np.mean(changed) < 3  # of some twenty


@pytest.mark.parametrize("order", [1, 2, 7])
def test_convolution_equals_dense_polynomials_in_double_precision(order):
    adjacency = graph_of(40, 90)
    layer = GraphConvolution(adjacency, np.arange(40), 3, 5, order, "mean")
    generator = torch.Generator().manual_seed(0)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    X = torch.randn(3, 40, 6, generator=generator, requires_grad=True)
    L = torch.as_tensor(scaled_laplacian(adjacency).toarray())
    X64 = X.detach().double().requires_grad_()
    terms = [torch.eye(40, dtype=torch.float64), L]
    while len(terms) < order:
        terms.append(2 * L @ terms[-1] - terms[-2])
    basis = torch.stack([torch.einsum("mn,fnb->fmb", one, X64) for one in terms[:order]])
    weight = layer.weight.detach().double().view(5, order, 3)
    expected = torch.einsum("okf,kfnb->onb", weight, basis) + layer.bias.detach().double()[:, None, None]
    found = layer.convolved(X)
    assert torch.allclose(found.double(), expected, atol=1e-5)
    way = torch.randn(found.shape, generator=generator)
    found.backward(way)
    expected.backward(way.double())
    assert torch.allclose(X.grad.double(), X64.grad, atol=1e-4)


def test_the_empty_place_of_a_cluster_counts_in_no_maximum_and_no_mean():
    cluster = np.array([0, 1, 0, 2])
    assert members_of(cluster).tolist() == [[0, 1, 3], [2, 1, 3]]
    X = torch.tensor([[[4.0], [-3.0], [1.0], [2.0]]])
    for pooling, bias, expected in (("max", 0.5, [4.5, 0, 2.5]), ("mean", 0.5, [3, 0, 2.5])):
        layer = GraphConvolution(sparse.csr_matrix((4, 4)), cluster, 1, 1, 1, pooling)
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.constant_(layer.bias, bias)  # a fake node's output would be the bias
        assert layer(X).flatten().tolist() == expected


def toy(seed: int = 0, n: int = 160) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return samples of 40 features on a ring of 30, with 10 apart; the class moves neighbours together."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, n)
    X = generator.standard_normal((n, 40)).astype(np.float32)
    for one in range(3):
        X[y == one, 8 * one : 8 * one + 6] += 1.2
    ring = np.stack([np.arange(30), (np.arange(30) + 1) % 30], axis=1)
    return X, np.array(["a", "b", "c"])[y], ring


def small(edges: np.ndarray | None, **more: object) -> GraphClassifier:
    settings = {"n_filters": 4, "order": 3, "hidden": (16,), "dropout": 0.2, "optimizer": "sgd"}
    settings |= {"learning_rate": 0.02, "momentum": 0.9, "epochs": 20, "batch_size": 20, "holdout": None}
    settings |= {"class_weight": None, "random_state": 0, "early_stopping": "none"}
    return GraphClassifier(edges=edges, **settings | more)


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_it_learns_gives_the_same_numbers_twice_and_comes_back_from_what_is_kept(pooling):
    X, y, ring = toy()
    model = small(ring, pooling=pooling).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.7
    logits = model.decision_function(X)
    assert np.array_equal(logits, clone(model).fit(X[:120], y[:120]).decision_function(X))
    arrays = {}
    stored = json.loads(json.dumps(describe(model, arrays)))
    assert np.array_equal(restore(stored, arrays).decision_function(X), logits)


def test_small_parts_and_features_without_edges_go_to_the_dense_layers():
    X, y, ring = toy()
    edges = np.concatenate(
        [ring, [[31, 32], [33, 33]], ring[:, ::-1]]
    )  # a pair, a self loop, all edges twice
    model = small(edges, epochs=1).fit(X, y)
    assert model.module_.on_graph.tolist() == list(range(30))
    assert model.module_.aside.tolist() == list(range(30, 40))
    assert model.module_.convolution.laplacian.to_dense().abs().max() == pytest.approx(0.5)
    none = small(None, epochs=1).fit(X, y)
    assert none.module_.dense[0].in_features == 40


def test_edges_may_have_weights_and_those_given_twice_count_their_mean():
    X, y, ring = toy()
    weighed = np.column_stack([ring, np.where(np.arange(30) < 15, 1.0, 0.25)])
    adjacency, _ = small(np.concatenate([weighed, weighed[:1] * [1, 1, 3]]))._adjacency(40)
    assert (adjacency[0, 1], adjacency[1, 2], adjacency[20, 21]) == (2.0, 1.0, 0.25)
    alike = [small(one, epochs=1).fit(X, y).decision_function(X) for one in (ring, weighed)]
    assert not np.allclose(*alike)


@pytest.mark.parametrize(
    "edges", [[[0, 1], [1, 2]], [[0, 40]], [0, 1], [[0, -1]], [[0, 1, 0.0], [1, 2, 1.0]]]
)
def test_a_graph_that_cannot_be_used_is_refused(edges):
    X, y, _ = toy()
    with pytest.raises(DataError, match=r"no part of the graph|pairs of feature numbers|no weight above 0"):
        small(np.array(edges)).fit(X, y)


def test_decay_is_for_dense_weights_and_rates_fall_by_steps():
    X, y, ring = toy()
    settings = {"weight_decay": 0.5, "schedule_steps": 4}
    model = small(ring, schedule_factor=0.5, epochs=3, **settings).fit(X, y)
    assert model.history_["learning_rate"].tolist() == [0.02, 0.005, 0.00125]  # 8 steps an epoch
    plain = small(ring, schedule_factor=0.5, epochs=3, **settings | {"weight_decay": 0.0}).fit(X, y)
    ratio = {
        name: float(one.detach().norm() / other.detach().norm())
        for (name, one), other in zip(
            model.module_.named_parameters(), plain.module_.parameters(), strict=True
        )
    }
    assert ratio["dense.0.weight"] < 0.95
    assert ratio["convolution.weight"] == pytest.approx(1, abs=0.1)
