"""Neighbours: genes (KNN-GE of chen2016), against a loop by hand, and samples, against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from exprml.base.errors import ParameterError
from exprml.models.neighbours import CanberraNeighbours, CorrelationAsDistance, LandmarkNeighbours


@parametrize_with_checks([LandmarkNeighbours(), CanberraNeighbours(n_neighbors=1)])
def test_scikit_learn(estimator, check):
    check(estimator)


def genes(n=50, p=12, k=7, seed=0):
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 3))
    X = factors @ random.normal(size=(3, p)) + random.normal(size=(n, p))
    return X, factors @ random.normal(size=(3, k)) + random.normal(size=(n, k))


def by_hand(X, Y, new, k):
    predicted = np.empty((len(new), Y.shape[1]))
    for target in range(Y.shape[1]):
        distances = [np.linalg.norm(X[:, gene] - Y[:, target]) for gene in range(X.shape[1])]
        predicted[:, target] = new[:, np.argsort(distances)[:k]].mean(axis=1)
    return predicted


@pytest.mark.parametrize("k", [1, 4, 12])
def test_equals_a_loop_over_genes(k):
    (X, Y), (new, _) = genes(), genes(9, seed=1)
    model = LandmarkNeighbours(n_neighbours=k).fit(X, Y)
    np.testing.assert_allclose(model.predict(new), by_hand(X, Y, new, k), atol=1e-12)
    assert model.neighbours_.shape == (k, 7)


def test_the_path_is_that_of_separate_fits_and_the_best_is_kept():
    (X, Y), held = genes(), genes(30, seed=1)
    model = LandmarkNeighbours(candidates=(1, 3, 99)).fit(X, Y, validation=held)
    assert model.path_["n_neighbours"].tolist() == [1, 3, 12]
    for k, error in model.path_.itertuples(index=False):
        assert error == pytest.approx(np.abs(by_hand(X, Y, held[0], k) - held[1]).mean(), abs=1e-12)
    assert model.n_neighbours_ == model.path_["n_neighbours"][model.path_["mean_absolute_error"].idxmin()]
    np.testing.assert_allclose(model.predict(X), by_hand(X, Y, X, model.n_neighbours_), atol=1e-12)


def test_a_copy_among_the_landmarks_is_found():
    X, _ = genes()
    model = LandmarkNeighbours().fit(X, X[:, [5, 2]])
    assert model.n_neighbours_ == 1
    assert model.neighbours_.tolist() == [[5, 2]]
    np.testing.assert_array_equal(model.predict(X), X[:, [5, 2]])


def test_no_neighbours_are_refused():
    with pytest.raises(ParameterError, match="n_neighbours has 0"):
        LandmarkNeighbours(n_neighbours=0).fit(*genes())


def labelled(n: int = 300, wide: int = 37, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((n, wide)).astype(np.float32)
    X[generator.random(X.shape) < 0.1] = 0  # 0 / 0 is 0 in a Canberra distance
    y = generator.integers(0, 3, n)
    return X + 0.3 * y[:, None].astype(np.float32), np.array(["b", "a", "c"])[y]


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_samples_vote_as_scikit_learn_has_them(weights):
    X, y = labelled()
    train, test = (X[:250], y[:250]), X[249:]  # the first of them is a training sample
    ours = CanberraNeighbours(n_neighbors=7, weights=weights).fit(*train)
    peer = KNeighborsClassifier(7, metric="canberra", weights=weights, algorithm="brute").fit(*train)
    distances, indices = ours.kneighbors(test)
    expected, neighbours = peer.kneighbors(test)
    assert distances == pytest.approx(expected, abs=1e-5)
    assert (indices == neighbours).all()
    assert ours.predict_proba(test) == pytest.approx(peer.predict_proba(test), abs=1e-5)
    assert (ours.predict(test) == peer.predict(test)).all()


def test_of_samples_equally_far_the_first_is_nearest():
    X = np.repeat(np.arange(1.0, 11.0)[:, None], 40, axis=1)[[3, 3, 7, 3, 7]]
    model = CanberraNeighbours(n_neighbors=3).fit(X, list("abcde"))
    assert model.kneighbors(X[:1])[1].tolist() == [[0, 1, 3]]


def test_correlation_as_distance_lets_the_most_unlike_vote():
    X, y = labelled()
    wrong = CorrelationAsDistance(n_neighbors=5).fit(X[:250], y[:250])
    by_hand = KNeighborsClassifier(5, algorithm="brute", metric=lambda a, b: np.corrcoef(a, b)[0, 1])
    assert (wrong.predict(X[250:]) == by_hand.fit(X[:250], y[:250]).predict(X[250:])).all()
    flat = np.vstack([X[:250], np.ones_like(X[:1])])  # a sample that does not vary has no r; it counts as 0
    assert CorrelationAsDistance().fit(flat, [*y[:250], "a"]).predict(flat[-1:]).shape == (1,)
