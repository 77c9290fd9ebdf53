"""heil2022 (Methods: Model training), as published and corrected.

Adam, batch 16, gradient norm clipped at 0.01, at most 50 epochs, "7 bad epochs in total", model seed 42;
without a search the rate is 1e-3 (logistic regression) or 1e-5 (networks) and the weight decay 0.
"""

from __future__ import annotations

from exprml.models.linear import ConvergedLogisticRegression
from exprml.models.networks import NetworkClassifier
from exprml.models.presets.preset import Preset

THREE = {"hidden": ("1/2", "1/4"), "dropout": 0.5}  # d -> d//2 -> d//4 -> classes
FIVE = {"hidden": ("1/2", "1/2", "1/2", "1/4"), "dropout": 0.5}
NORM, PLAIN = {"batch_norm": True}, {"batch_norm": False}
NETWORKS = {
    "three-layer": (THREE | PLAIN, "three-layer network"),
    "five-layer": (FIVE | NORM, "five-layer network with BatchNorm"),
    "three-layer-batchnorm": (THREE | NORM, "three-layer network with BatchNorm added"),
    "five-layer-no-batchnorm": (FIVE | PLAIN, "five-layer network, BatchNorm left out"),
}
LOGISTIC = "logistic regression by the networks' trainer"

HEIL = {
    "batch_size": 16,
    "epochs": 50,
    "clip_norm": 0.01,
    "weight_decay": 0.0,
    "early_stopping": "cumulative",  # the count of bad epochs is never reset
    "patience": 7,
    "holdout": 0.2,
    "class_weight": "inverse",
    "inner_labels": "refit",  # heil2022, public code
    "random_state": 42,
}
SLOW = {"learning_rate": 1e-5}  # the networks' rate without a search
CORRECTED = {
    "standardise": True,
    "batch_size": 64,
    "epochs": 300,  # a limit: patience ends it
    "clip_norm": 1.0,
    "learning_rate": 1e-3,
    "early_stopping": "consecutive",
    "patience": 5,
    "holdout": 0.2,
    "class_weight": "inverse",
    "inner_labels": "fixed",
    "inner_removal": "apart",
    "random_state": 0,
}
PAPER = "heil2022, public code and Methods: Model training"
OURS = (
    "this book: standardised input, fixed label codes, resetting patience, rate by search (searched.yml), "
    "linear signal removed apart in the samples that stop training"
)
CONVERGED = "logistic regression at its optimum, standardised features, C by inner group-wise folds"
PRESETS: dict[str, Preset] = {
    "heil2022/logistic-regression": Preset(
        NetworkClassifier, HEIL | {"hidden": (), "learning_rate": 1e-3}, LOGISTIC, PAPER
    ),
    "corrected/logistic-regression": Preset(ConvergedLogisticRegression, {}, CONVERGED),
}
for _name, (_layers, _summary) in NETWORKS.items():
    PRESETS[f"heil2022/{_name}"] = Preset(NetworkClassifier, HEIL | _layers | SLOW, _summary, PAPER)
    PRESETS[f"corrected/{_name}"] = Preset(NetworkClassifier, CORRECTED | _layers, _summary, OURS)
