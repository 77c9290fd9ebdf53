"""What regressors of many targets share: what they refuse, and targets that need no centred copy."""

import numpy as np
import pytest
from sklearn.base import clone

from exprml.base.errors import DataError, ParameterError
from exprml.models.lasso import TunedLasso
from exprml.models.least_squares import ComponentRegression, LeastSquares, ReducedRankRegression, TunedRidge
from exprml.models.multitarget import at_edge, near_zero
from exprml.models.neighbours import LandmarkNeighbours
from exprml.models.networks import NetworkRegressor


@pytest.mark.parametrize(
    "model",
    [
        TunedRidge(),
        ReducedRankRegression(),
        ComponentRegression(),
        TunedLasso(),
        LandmarkNeighbours(),
        NetworkRegressor(epochs=1),
    ],
)
def test_gaps_in_the_validation_targets_choose_nothing(model):
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 8))
    gaps = Y.copy()
    gaps[3, 4] = np.nan
    with pytest.raises(DataError, match=r"validation \(its targets\) contains 1 NaN.*sample 3, feature 4"):
        model.fit(X, Y, validation=(X, gaps))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (TunedRidge(penalties=[1.0, np.nan]), "penalties has nan"),
        (ReducedRankRegression(ranks=[2.5]), r"ranks has 2\.5, but must be whole numbers"),
        (ComponentRegression(rank=True), "rank has True"),
        (LandmarkNeighbours(candidates=[2.5]), r"candidates has 2\.5"),
        (LandmarkNeighbours(n_neighbours=0), "n_neighbours has 0, but must be 1 or more"),
    ],
)
def test_candidates_that_cannot_be_tried_are_refused(model, message):
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 8))
    with pytest.raises(ParameterError, match=message):
        model.fit(X, Y, validation=(X, Y))


@pytest.mark.parametrize(("offset", "as_they_are"), [(0.0, True), (0.2, True), (0.3, False), (50.0, False)])
@pytest.mark.parametrize("estimator", [LeastSquares(), TunedLasso(penalties=[0.05], tolerance=1e-7)])
def test_targets_near_zero_are_not_copied_and_all_give_the_same(estimator, offset, as_they_are):
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 20)) + 3
    Y = X[:, :6] - X[:, :6].mean(axis=0) + random.normal(size=(400, 6))
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    shifted = Y + offset
    values, means = near_zero(shifted, shifted.mean(axis=0))
    assert (values is shifted) == as_they_are
    np.testing.assert_allclose(values.mean(axis=0), means, atol=1e-12)
    centred, moved = clone(estimator).fit(X, Y), clone(estimator).fit(X, shifted)
    np.testing.assert_allclose(moved.coef_, centred.coef_, atol=1e-6)
    np.testing.assert_allclose(moved.intercept_, centred.intercept_ + offset, atol=1e-6)
    singles = clone(estimator).fit(X.astype(np.float32), shifted.astype(np.float32))
    np.testing.assert_allclose(singles.coef_, centred.coef_, atol=2e-5)


@pytest.mark.parametrize(
    ("fixed", "peer"),
    [
        (TunedRidge(penalties=[3.0]), LeastSquares(penalty=3.0)),
        (ReducedRankRegression(rank=8, penalty=3.0), LeastSquares(penalty=3.0)),
        (ComponentRegression(rank=99), LeastSquares()),
    ],
)
def test_one_candidate_is_fitted_on_all_samples_and_holds_none_out(fixed, peer):
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 8))
    found = fixed.fit(X, Y, groups=["one patient"] * 30)  # which could not be cut in two
    np.testing.assert_allclose(found.coef_, peer.fit(X, Y).coef_, atol=1e-4)
    assert len(found.path_) == 1
    assert found.path_["mean_absolute_error"].isna().all()


def test_one_number_of_neighbours_needs_no_samples_to_choose():
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 8))
    found = LandmarkNeighbours(n_neighbours=99).fit(X, Y, groups=["one patient"] * 30)
    assert found.n_neighbours_ == 8
    np.testing.assert_allclose(found.predict(X), np.repeat(X.mean(axis=1, keepdims=True), 8, axis=1))


@pytest.mark.parametrize("model", [TunedRidge(), ReducedRankRegression(rank=2), LandmarkNeighbours()])
def test_several_candidates_of_one_group_cannot_be_chosen(model):
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 8))
    with pytest.raises(DataError, match="all samples are in one group"):
        model.fit(X, Y, groups=["one patient"] * 30)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (TunedLasso(penalties=[1e-3, 0.1, 5.0]), "The penalty 0.001 is the smallest of 3 tried; what"),
        (TunedLasso(penalties=[5.0, 2.0, 9.0, 0.1]), "The penalty 0.1 is the smallest of 4"),
        (TunedRidge(penalties=[1e7, 1e6]), "The penalty 1e+06 is the smallest of 2"),
        (TunedRidge(penalties=[1.0, 0.0]), ""),  # nothing lies below no penalty
        (TunedRidge(penalties=[1.0]), ""),  # nothing was chosen
        (LandmarkNeighbours(candidates=[2, 3]), "The number of neighbours 2 is the smallest of 2 tried"),
        (LandmarkNeighbours(candidates=[1, 2, 3]), ""),  # nor below one neighbour
        (ReducedRankRegression(ranks=[1, 2]), "The rank 2 is the largest of 2 tried; what a larger one"),
        (ReducedRankRegression(ranks=[1, 8]), ""),  # nor above all parts
    ],
)
def test_a_choice_at_the_edge_of_what_was_tried_says_so(model, said):
    X = np.random.default_rng(0).normal(size=(60, 8))
    Y = X + 1e-3 * np.random.default_rng(1).normal(size=X.shape)
    found = at_edge(model.fit(X, Y, validation=(X, Y)))
    assert found.startswith(said) if said else found == ""


def test_a_choice_amid_what_was_tried_says_nothing():
    X, Y = np.random.default_rng(0).normal(size=(2, 40, 12))
    Y[:, :6] += X[:, :6]
    new = np.random.default_rng(1).normal(size=(2, 40, 12))
    new[1, :, :6] += new[0, :, :6]
    model = TunedRidge().fit(X, Y, validation=tuple(new))
    assert len(model.path_) == 22
    assert at_edge(model) == ""
    assert at_edge(TunedRidge(penalties=[1.0]).fit(X, Y)) == ""  # an only candidate has no error
