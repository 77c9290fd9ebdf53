"""Controls that belong to no paper: what every model must beat, or should match."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.multioutput import MultiOutputRegressor

from exprml.models.least_squares import ComponentRegression, ReducedRankRegression, TunedRidge
from exprml.models.linear import ConvergedLogisticRegression
from exprml.models.presets.preset import Preset

CONVERGED = "logistic regression at its optimum, standardised features, C by inner group-wise folds"

PRESETS: dict[str, Preset] = {
    "control/majority": Preset(DummyClassifier, {"strategy": "prior"}, "always the commonest class"),
    "control/forest": Preset(
        RandomForestClassifier,
        {"n_estimators": 300, "class_weight": "balanced", "n_jobs": 1, "random_state": 0},
        "random forest",
    ),
    "control/linear-converged": Preset(ConvergedLogisticRegression, {}, CONVERGED),
    "corrected/ridge": Preset(TunedRidge, {}, "ridge regression, its penalty chosen on samples held out"),
    "control/predict-zero": Preset(
        DummyRegressor, {"strategy": "mean"}, "each target's training mean: 0 once standardised"
    ),
    "control/reduced-rank": Preset(
        ReducedRankRegression, {}, "the best linear bottleneck, rank and ridge penalty tuned"
    ),
    "control/component-regression": Preset(
        ComponentRegression, {}, "least squares on principal components, their number tuned"
    ),
    "control/boosted-trees": Preset(
        MultiOutputRegressor,
        {"estimator": HistGradientBoostingRegressor(max_iter=100, learning_rate=0.1, random_state=0)},
        "boosted trees, one model for each target: give it a sample of the targets",
    ),
}
