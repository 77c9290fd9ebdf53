"""Least squares, ridge, reduced rank and component regression against scikit-learn and closed forms."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from exprml.base.errors import DataError, ParameterError
from exprml.models.least_squares import ComponentRegression, LeastSquares, ReducedRankRegression, TunedRidge


@parametrize_with_checks(
    [
        LeastSquares(),
        TunedRidge(),
        ReducedRankRegression(),
        ComponentRegression(),
    ]
)
def test_scikit_learn(estimator, check):
    check(estimator)


def correlated(n=200, p=30, k=12, seed=0, noise=1.0):
    """Features and targets that share 5 factors."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 5))
    X = factors @ random.normal(size=(5, p)) + random.normal(size=(n, p)) + 3
    return X, factors @ random.normal(size=(5, k)) + noise * random.normal(size=(n, k)) + 1


@pytest.mark.parametrize(("penalty", "peer"), [(0.0, LinearRegression()), (7.0, Ridge(alpha=7.0))])
def test_least_squares_equal_scikit_learns(penalty, peer):
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 40)) + 5
    Y = X @ random.normal(size=(40, 200)) + random.normal(size=(300, 200))
    ours = LeastSquares(penalty=penalty).fit(X, Y)
    peer.fit(X, Y)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, peer.intercept_, atol=1e-8)


def test_least_squares_with_fewer_samples_than_features_is_the_shortest():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(15, 40)), random.normal(size=15)
    found = LeastSquares().fit(X, y).coef_
    np.testing.assert_allclose(found, LinearRegression().fit(X, y).coef_, atol=1e-6)


def test_a_constant_feature_gets_no_weight():
    random = np.random.default_rng(0)
    X = random.normal(size=(50, 3))
    X[:, 1] = 4.0
    model = LeastSquares().fit(X, X[:, 0])
    np.testing.assert_allclose(model.coef_, [1, 0, 0], atol=1e-9)


def test_negative_penalty_is_refused():
    with pytest.raises(ParameterError, match="-1"):
        LeastSquares(penalty=-1).fit(np.eye(3), np.arange(3))


@pytest.mark.parametrize(("n", "p"), [(200, 30), (40, 90)])
def test_each_step_of_the_ridge_path_is_scikit_learns_ridge(n, p):
    X, Y = correlated(n, p)
    held = correlated(50, p, seed=1)
    penalties = (0.1, 10.0, 1000.0)
    model = TunedRidge(penalties=penalties).fit(X, Y, validation=held)
    for penalty, error in model.path_.itertuples(index=False):
        peer = Ridge(alpha=penalty).fit(X, Y)
        assert error == pytest.approx(np.abs(peer.predict(held[0]) - held[1]).mean(), abs=1e-9)
    assert model.path_["penalty"].tolist() == [1000.0, 10.0, 0.1]
    assert model.penalty_ == model.path_.loc[model.path_["mean_absolute_error"].idxmin(), "penalty"]
    chosen = Ridge(alpha=model.penalty_).fit(X, Y)
    np.testing.assert_allclose(model.coef_, chosen.coef_, atol=1e-9)
    np.testing.assert_allclose(model.predict(held[0]), chosen.predict(held[0]), atol=1e-8)


def test_single_precision_gives_the_same_ridge_to_five_digits():
    X, Y = correlated(400, 60)
    model = TunedRidge(penalties=(5.0,)).fit(X.astype("float32"), Y.astype("float32"))
    np.testing.assert_allclose(model.coef_, Ridge(alpha=5.0).fit(X, Y).coef_, atol=1e-5)


def test_validation_samples_choose_and_are_not_fitted_on():
    X, Y = correlated()
    held = (X[:50], -Y[:50])  # the opposite: nothing is best
    model = TunedRidge(penalties=(1.0, 1e9)).fit(X, Y, validation=held)
    assert model.penalty_ == 1e9
    np.testing.assert_allclose(model.coef_, Ridge(alpha=1e9).fit(X, Y).coef_, atol=1e-9)


def test_inner_part_keeps_groups_whole(monkeypatch):
    X, Y = correlated()
    groups, seen = np.repeat(np.arange(20), 10), []
    start = TunedRidge._start
    monkeypatch.setattr(TunedRidge, "_start", lambda *given: seen.append(given[1]) or start(*given[1:]))
    TunedRidge().fit(X, Y, groups)
    inner, whole = seen
    trained = {group for group, row in zip(groups, X, strict=True) if (inner == row).all(axis=1).any()}
    assert len(inner) == 10 * len(trained) < len(whole) == len(X)


def test_leaking_groups_would_choose_a_weaker_penalty():
    """Partners of the samples held out make interpolation look good: the choice must not see them."""
    random = np.random.default_rng(0)
    patients = random.normal(size=(40, 200))
    X = np.repeat(patients, 3, axis=0) + 0.05 * random.normal(size=(120, 200))
    Y = np.repeat(random.normal(size=(40, 5)), 3, axis=0)  # nothing but the patient
    groups = np.repeat(np.arange(40), 3)
    assert TunedRidge().fit(X, Y, groups).penalty_ > TunedRidge().fit(X, Y).penalty_


def reduced_rank(X, Y, rank, penalty=0.0):
    """Return the closed form: fitted values of the augmented problem projected on leading ones."""
    x, y = X - X.mean(0), Y - Y.mean(0)
    stacked = np.vstack([x, np.sqrt(penalty) * np.eye(X.shape[1])])
    full = np.linalg.lstsq(stacked, np.vstack([y, np.zeros((X.shape[1], Y.shape[1]))]), rcond=None)[0]
    directions = np.linalg.svd(stacked @ full, full_matrices=False)[2][:rank].T
    return (full @ directions @ directions.T).T


@pytest.mark.parametrize("penalty", [0.0, 20.0])
@pytest.mark.parametrize("rank", [1, 4, 12])
def test_reduced_rank_equals_the_closed_form(rank, penalty):
    X, Y = correlated()
    model = ReducedRankRegression(rank=rank, penalty=penalty).fit(X, Y)
    np.testing.assert_allclose(model.coef_, reduced_rank(X, Y, rank, penalty), atol=1e-9)
    assert np.linalg.matrix_rank(model.coef_, tol=1e-8) == rank


def test_component_regression_equals_scikit_learns():
    X, Y = correlated()
    held = correlated(30, seed=1)
    model = ComponentRegression(ranks=(2, 7, 99)).fit(X, Y, validation=held)
    assert model.path_["rank"].tolist() == [2, 7, 30]
    for rank, error in model.path_.itertuples(index=False):
        peer = make_pipeline(PCA(rank), LinearRegression()).fit(X, Y)
        assert error == pytest.approx(np.abs(peer.predict(held[0]) - held[1]).mean(), abs=1e-9)
    peer = make_pipeline(PCA(model.rank_), LinearRegression()).fit(X, Y)
    np.testing.assert_allclose(model.predict(held[0]), peer.predict(held[0]), atol=1e-9)


def test_the_path_of_ranks_is_that_of_separate_fits():
    X, Y = correlated()
    held = correlated(30, seed=1)
    path = ReducedRankRegression(ranks=(1, 3, 8), penalty=3.0).fit(X, Y, validation=held).path_
    for rank, error in path.itertuples(index=False):
        one = ReducedRankRegression(rank=rank, penalty=3.0).fit(X, Y)
        assert error == pytest.approx(np.abs(one.predict(held[0]) - held[1]).mean(), abs=1e-9)


def test_more_ranks_never_fit_the_training_samples_worse():
    """In squares; a target's absolute errors may."""
    X, Y = correlated()
    models = [ReducedRankRegression(rank=rank, penalty=0.0) for rank in (1, 2, 5, 12)]
    squares = [np.square(model.fit(X, Y).predict(X) - Y).sum() for model in models]
    assert squares == sorted(squares, reverse=True)


def test_the_bottleneck_finds_the_planted_rank():
    X, Y = correlated(400, 30, 60, noise=3.0)
    X = np.hstack([X, np.random.default_rng(3).normal(size=(400, 100))])
    model = ReducedRankRegression(ranks=(1, 2, 5, 20, 60), penalty=0.0).fit(X, Y)
    assert model.rank_ == 5


def test_what_cannot_be_used_is_refused():
    X, Y = correlated()
    with pytest.raises(ParameterError, match="-2"):
        TunedRidge(penalties=(1.0, -2.0)).fit(X, Y)
    with pytest.raises(ParameterError, match="empty"):
        TunedRidge(penalties=()).fit(X, Y)
    with pytest.raises(ParameterError, match="'best'"):
        ReducedRankRegression(penalty="best").fit(X, Y)
    with pytest.raises(DataError, match="same targets"):
        TunedRidge().fit(X, Y, validation=(X, Y[:, :3]))
    with pytest.raises(DataError, match="none to choose the penalty"):
        TunedRidge(holdout=0.0).fit(X, Y)
