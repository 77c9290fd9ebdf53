"""What every tuned regressor refuses: candidates and validation samples that cannot choose."""

import numpy as np
import pytest

from exprml.base.errors import DataError, ParameterError
from exprml.models.lasso import TunedLasso
from exprml.models.least_squares import ComponentRegression, ReducedRankRegression, TunedRidge
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
