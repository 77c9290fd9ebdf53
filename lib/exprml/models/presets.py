"""Each paper's models by name: exactly as published, corrected, and the controls.

References: heil2022 (Model training): Adam, batch 16, gradient norm clipped at 0.01, at most 50 epochs,
"7 bad epochs in total", model seed 42; without a search the rate is 1e-3 (logistic regression) or
1e-5 (networks) and the weight decay 0.
"""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

from exprml.base.errors import ParameterError, UnknownNameError
from exprml.models.linear import ConvergedLogisticRegression
from exprml.models.networks import NetworkClassifier

SEARCHED = Path(__file__).with_name(
    "searched.yml"
)  # preset -> data set -> learning_rate, weight_decay, source


@dataclass(frozen=True)
class Preset:
    """A model with its settings.

    Attributes
    ----------
    kind : type
        The estimator's class.
    parameters : dict
        What differs from the class's defaults.
    summary, source : str
        What it is, and where the settings come from.
    """

    kind: type
    parameters: dict[str, Any]
    summary: str
    source: str


THREE = {"hidden": ("1/2", "1/4"), "dropout": 0.5}  # d -> d//2 -> d//4 -> classes
FIVE = {"hidden": ("1/2", "1/2", "1/2", "1/4"), "dropout": 0.5}
LOGISTIC = {"hidden": ()}

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
    "batch_size": 64,
    "epochs": 30,
    "clip_norm": 1.0,
    "learning_rate": 1e-3,
    "early_stopping": "consecutive",
    "patience": 5,
    "holdout": 0.2,
    "class_weight": "inverse",
    "inner_labels": "fixed",
    "random_state": 0,
}
PAPER = "heil2022, public code and Methods: Model training"
OURS = "this book: fixed label codes, resetting patience, rate by search on intact folds (searched.yml)"
NORM, PLAIN = {"batch_norm": True}, {"batch_norm": False}


def _heil(summary: str, *parts: dict[str, Any]) -> Preset:
    return Preset(NetworkClassifier, HEIL | {k: v for part in parts for k, v in part.items()}, summary, PAPER)


def _corrected(summary: str, *parts: dict[str, Any]) -> Preset:
    return Preset(
        NetworkClassifier, CORRECTED | {k: v for part in parts for k, v in part.items()}, summary, OURS
    )


CONVERGED = "logistic regression at its optimum, standardised features, C by inner group-wise folds"
PRESETS: dict[str, Preset] = {
    "heil2022/logistic-regression": _heil(
        "logistic regression by the networks' trainer", LOGISTIC, {"learning_rate": 1e-3}
    ),
    "heil2022/three-layer": _heil("three-layer network", THREE, PLAIN, SLOW),
    "heil2022/five-layer": _heil("five-layer network with BatchNorm", FIVE, NORM, SLOW),
    "heil2022/three-layer-batchnorm": _heil("three-layer network with BatchNorm added", THREE, NORM, SLOW),
    "heil2022/five-layer-no-batchnorm": _heil("five-layer network, BatchNorm left out", FIVE, PLAIN, SLOW),
    "corrected/logistic-regression": Preset(ConvergedLogisticRegression, {}, CONVERGED, "this book"),
    "corrected/three-layer": _corrected("three-layer network", THREE, PLAIN),
    "corrected/five-layer": _corrected("five-layer network with BatchNorm", FIVE, NORM),
    "corrected/three-layer-batchnorm": _corrected("three-layer network with BatchNorm added", THREE, NORM),
    "corrected/five-layer-no-batchnorm": _corrected("five-layer network, BatchNorm left out", FIVE, PLAIN),
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


def names() -> list[str]:
    """Return the names of all presets."""
    return list(PRESETS)


def _find(name: str) -> Preset:
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS, "exprml.models.presets")
    return PRESETS[name]


@cache
def _searched() -> dict[str, dict[str, dict[str, Any]]]:
    return (yaml.safe_load(SEARCHED.read_text()) or {}) if SEARCHED.is_file() else {}


def searched(name: str, tuned_on: str | None) -> dict[str, Any]:
    """Return what a committed search found for preset `name` on a data set: {} where there was none."""
    return dict(_searched().get(name, {}).get(tuned_on, {})) if tuned_on else {}


def make(name: str, *, tuned_on: str | None = None, **overrides: Any) -> BaseEstimator:
    """Return a new estimator with a preset's settings.

    Parameters
    ----------
    name : str
        See `names`.
    tuned_on : str, optional
        A data set ("gtex-toil"): take rate and weight decay from the committed search on it, if there
        is one.
    **overrides
        Parameters of the estimator that replace the preset's.

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    ParameterError
        If an override is no parameter of the estimator; names the nearest.
    """
    preset = _find(name)
    known = [one for one in inspect.signature(preset.kind).parameters if one != "self"]
    for one in overrides:
        if one not in known:
            near = get_close_matches(one, known, n=1, cutoff=0.5)
            hint = f": did you mean {near[0]!r}?" if near else f". Known: {', '.join(sorted(known))}."
            raise ParameterError(f"preset {name!r} has no parameter {one!r}{hint}")
    found = {key: value for key, value in searched(name, tuned_on).items() if key in known}
    return preset.kind(**deepcopy(preset.parameters | found | overrides))


def describe(name: str, *, tuned_on: str | None = None) -> dict[str, Any]:
    """Return a preset as a dict: name, summary, source, estimator, parameters (all of them).

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    """
    preset, found = _find(name), searched(name, tuned_on)
    estimator = make(name, tuned_on=tuned_on)
    return {
        "name": name,
        "summary": preset.summary,
        "source": found.get("source", preset.source),
        "estimator": preset.kind.__name__,
        "parameters": estimator.get_params(deep=False),
    }
