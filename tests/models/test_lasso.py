"""The lasso for many targets against scikit-learn's, one target at a time."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso as PeerLasso
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from exprml.base.errors import ParameterError
from exprml.models.lasso import TunedLasso


@parametrize_with_checks([TunedLasso(penalties=[0.01]), TunedLasso()])
def test_scikit_learn(estimator, check):
    check(estimator)


def correlated(n=150, p=40, k=6, seed=0):
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 4))
    X = factors @ random.normal(size=(4, p)) + random.normal(size=(n, p)) + 2
    return X, factors @ random.normal(size=(4, k)) + random.normal(size=(n, k)) - 1


@pytest.mark.parametrize("penalty", [0.02, 0.2])
@pytest.mark.parametrize(("n", "p"), [(150, 40), (30, 80)])
def test_coefficients_equal_scikit_learns(n, p, penalty):
    X, Y = correlated(n, p)
    ours = TunedLasso(penalties=[penalty], tolerance=1e-12, max_passes=200_000).fit(X, Y)
    peer = PeerLasso(alpha=penalty, tol=1e-12, max_iter=10**6).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.predict(X), peer.predict(X), atol=1e-4)
    assert 0 < (ours.coef_ != 0).mean() < 1


def objective(model, X, y, penalty):
    return np.square(y - model.predict(X)).mean() / 2 + penalty * np.abs(model.coef_).sum()


def test_the_default_tolerance_bounds_the_objective():
    """A gap of 1e-4 of a target's sum of squares, as scikit-learn's."""
    X, Y = correlated()
    for target in Y.T:
        loose = TunedLasso(penalties=[0.05]).fit(X, target)
        exact = TunedLasso(penalties=[0.05], tolerance=1e-12).fit(X, target)
        excess = objective(loose, X, target, 0.05) - objective(exact, X, target, 0.05)
        assert -1e-12 <= excess <= 1e-4 * target.var()


def test_single_precision_gives_the_same_coefficients():
    X, Y = correlated(400)
    ours = TunedLasso(penalties=[0.05], tolerance=1e-5).fit(X.astype("float32"), Y.astype("float32"))
    peer = PeerLasso(alpha=0.05, tol=1e-9, max_iter=10**5).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=2e-3)


def test_the_path_ends_at_least_squares():
    """chen2016, Table 2 has the lasso 21 % above least squares; a small enough penalty is least squares."""
    X, Y = correlated(400)
    ours = TunedLasso(penalties=[1e-7], tolerance=1e-10, max_passes=100_000).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, LinearRegression().fit(X, Y).coef_, atol=1e-4)


def test_the_path_is_that_of_separate_fits_and_the_best_is_kept():
    (X, Y), held = correlated(), correlated(60, seed=1)
    penalties = (0.01, 0.05, 0.3)
    model = TunedLasso(penalties=penalties, tolerance=1e-10).fit(X, Y, validation=held)
    assert model.path_["penalty"].tolist() == [0.3, 0.05, 0.01]
    for penalty, error in model.path_.itertuples(index=False):
        peer = PeerLasso(alpha=penalty, tol=1e-10, max_iter=10**5).fit(X, Y)
        assert error == pytest.approx(np.abs(peer.predict(held[0]) - held[1]).mean(), abs=1e-4)
    best = PeerLasso(alpha=model.penalty_, tol=1e-10, max_iter=10**5).fit(X, Y)
    assert model.penalty_ == model.path_.loc[model.path_["mean_absolute_error"].idxmin(), "penalty"]
    np.testing.assert_allclose(model.coef_, best.coef_, atol=1e-4)


def test_the_first_penalty_of_the_default_path_leaves_nothing():
    X, Y = correlated()
    model = TunedLasso().fit(X, Y)
    first = model.path_["penalty"].iloc[0]
    held_out = 0.8  # the path is that of the inner part: about this share of the samples
    assert not TunedLasso(penalties=[first * 1.3]).fit(X, Y).coef_.any()
    assert TunedLasso(penalties=[first * held_out * 0.7]).fit(X, Y).coef_.any()
    assert (np.diff(model.path_["penalty"]) < 0).all()


def test_the_default_path_ends_once_weaker_penalties_are_no_better():
    X, Y = correlated(60, 50, 4)
    path = TunedLasso().fit(X, Y, validation=correlated(60, 50, 4, seed=1)).path_
    assert len(path) < 13
    assert path["mean_absolute_error"].idxmin() == len(path) - 3


def test_too_few_passes_are_reported():
    X, Y = correlated()
    with pytest.warns(ConvergenceWarning, match="penalty=0.001 left 6 of 6 targets"):
        TunedLasso(penalties=[0.001], tolerance=1e-12, max_passes=2).fit(X, Y)


def test_negative_penalty_is_refused():
    with pytest.raises(ParameterError, match="-1"):
        TunedLasso(penalties=[-1]).fit(np.eye(3), np.arange(3))


def test_torch_keeps_its_number_of_threads():
    """Numba's threads and torch's share OpenMP: left with all cores, small networks are ten times slower."""
    before = torch.get_num_threads()
    X, Y = correlated()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            TunedLasso(penalties=[0.1]).fit(X, Y)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
