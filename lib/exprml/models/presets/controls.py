"""Controls that belong to no paper: what every model must beat, or should match."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

from exprml.models.linear import ConvergedLogisticRegression
from exprml.models.presets.heil2022 import CONVERGED
from exprml.models.presets.preset import Preset

PRESETS: dict[str, Preset] = {
    "control/majority": Preset(
        DummyClassifier, {"strategy": "prior"}, "always the commonest class", "this book"
    ),
    "control/forest": Preset(
        RandomForestClassifier,
        {"n_estimators": 300, "class_weight": "balanced", "n_jobs": 1, "random_state": 0},
        "random forest",
        "this book",
    ),
    "control/linear-converged": Preset(ConvergedLogisticRegression, {}, CONVERGED, "this book"),
}
