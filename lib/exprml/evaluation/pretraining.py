"""Pretraining on the same task: two copies of one initialisation, one of them trained on other groups first.

Models are scikit-learn estimators. One whose ``fit`` (or that of the last step of its pipeline) takes
``start_from``, a fitted estimator, goes on from there; any other begins anew: pretraining changes nothing.

Source: heil2022, Methods: Pretraining, Supp Fig 9 and public code.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from exprml.base.errors import ParameterError, check_known
from exprml.evaluation.arrays import as_arrays
from exprml.evaluation.scoring import COLUMNS, at_full_size, cross_validate, fit
from exprml.evaluation.splits import PretrainingSplit, assert_groups_apart, pretraining_split

TENTHS = tuple(np.arange(1, 11) / 10)
MODES = ("not pretrained", "pretrained", "pooled", "pretrained on shuffled labels", "not trained further")


class Continued(BaseEstimator):
    """A model whose training begins where that of `start` ended.

    Parameters
    ----------
    model : estimator or Pipeline
        What is trained.
    start : FrozenEstimator
        `model`, fitted before. The steps in front of the last stay as they were fitted there: the weights
        belong to inputs scaled that way.
    """

    def __init__(self, model: Any, start: Any) -> None:
        self.model = model
        self.start = start

    def fit(self, X: Any, y: Any, groups: Any = None) -> Continued:
        """Train further on `X` and `y`."""
        last = _last(self.model)
        if "start_from" not in inspect.signature(last.fit).parameters:
            self.fitted_ = fit(self.model, X, y, groups)
            return self
        before, start = self.start.estimator, _last(self.start.estimator)
        self.front_ = before[:-1] if isinstance(before, Pipeline) and len(before) > 1 else None
        options = {"groups": groups} if "groups" in inspect.signature(last.fit).parameters else {}
        self.fitted_ = clone(last).fit(self._in_front(X), y, start_from=start, **options)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predictions of the model trained further."""
        return self.fitted_.predict(self._in_front(X))

    def _in_front(self, X: Any) -> Any:
        front = getattr(self, "front_", None)
        return X if front is None else front.transform(X)


class Pooled(BaseEstimator):
    """A model trained on other samples and those given to `fit` together.

    Parameters
    ----------
    model : estimator
        What is trained.
    more : tuple of arrays
        X, y and groups of the other samples.
    """

    def __init__(self, model: Any, more: Any) -> None:
        self.model = model
        self.more = more

    def fit(self, X: Any, y: Any, groups: Any = None) -> Pooled:
        """Train on the other samples and these."""
        pool = (np.concatenate(pair) for pair in zip(self.more, (X, y, groups), strict=True))
        self.fitted_ = fit(self.model, *pool)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the model's predictions."""
        return self.fitted_.predict(X)


def pretraining_curves(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    modes: Sequence[str] = MODES[:2],
    folds: int = 5,
    folds_run: int | None = None,
    seeds: Sequence[int] = (0,),
    fractions: Sequence[float] = TENTHS,
    task: str = "",
    **options: Any,
) -> pd.DataFrame:
    """Score every model with and without pretraining on growing training sets; return a long table.

    Fold i validates, two folds are for pretraining and two for training (40/40/20 of the groups); the
    training subsets of a fold are the same in all modes, and so are the first weights.

    Parameters
    ----------
    models : mapping of str to estimator
        With whole numbers as ``random_state``, or there is no one initialisation to copy. Where a model has a
        parameter ``classes``, it is told all labels of `y`: both copies need the same outputs.
    X, y, groups
        As in `cross_validate`.
    modes : sequence of str
        The column ``setting``: "not pretrained"; "pretrained", trained further on the subset;
        "pooled", trained once on pretraining samples and subset together (control: is pretraining more than
        data?); "pretrained on shuffled labels" (control); "not trained further", the pretrained model as it
        is, with ``n_train`` 0 (control: what the curve of "pretrained" begins with).
    folds, folds_run, seeds, fractions, task
        As in `cross_validate`; the paper has five folds, three seeds, ten fractions.
    **options
        ``majority``, ``metrics`` and ``recalls`` of `cross_validate`.

    Returns
    -------
    DataFrame
        Columns as from `cross_validate`; ``n_train`` and ``seconds`` leave pretraining out, but those of
        "pooled" have its seconds.

    Raises
    ------
    UnknownNameError
        If a mode or option is unknown.
    ParameterError
        If a model has no fixed ``random_state``.
    """
    check_known("mode", modes, MODES)
    check_known("option", options, ("majority", "metrics", "recalls"), "pretraining_curves")
    X, y, groups = as_arrays(X, y, groups)
    models = {name: _prepared(name, model, y) for name, model in models.items()}
    tables = []
    for seed in seeds:
        parts = list(pretraining_split(groups, y, n_splits=folds, seed=seed))[:folds_run]
        for fold, part in enumerate(parts):
            assert_groups_apart(groups, *part)
            for mode, trained in _modes(modes, models, part, X, y, groups, seed).items():
                shares = (1.0,) if mode == "not trained further" else fractions
                same = {"folds": [part[1:]], "seeds": [seed], "fractions": shares, "setting": mode, **options}
                tables.append(cross_validate(trained, X, y, groups, **same).assign(fold=fold))
    table = pd.concat(tables, ignore_index=True).assign(split="group", task=task)
    return table.assign(n_train=table["n_train"].where(table["setting"] != "not trained further", 0))[COLUMNS]


def at_least_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each curve's smallest training size; of modes without training, none."""
    trained = table[table["n_train"] > 0]
    curve = [name for name in COLUMNS[:7] if name in table]
    return trained[trained["n_train"] == trained.groupby(curve, dropna=False)["n_train"].transform("min")]


def at_most_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each curve's largest training size; of modes without training, none."""
    return at_full_size(table[table["n_train"] > 0])


def gains(table: pd.DataFrame, after: str = "pretrained", before: str = "not pretrained") -> pd.DataFrame:
    """Return what setting `after` scores more than `before`: a row per model, seed, fold and training size.

    Returns
    -------
    DataFrame
        Columns as in `table`, metric "gain", setting "`after` - `before`"; controls are left out.
    """
    rows = table[(table["metric"] == "balanced_accuracy") & (table["control"] == "")]
    keys = [name for name in COLUMNS[:8] if name != "setting"]
    wide = rows.pivot(index=keys, columns="setting", values="value")
    gain = (wide[after] - wide[before]).dropna().rename("value").reset_index()
    return gain.assign(metric="gain", setting=f"{after} - {before}", seconds=np.nan)[COLUMNS]


def _modes(
    modes: Sequence[str],
    models: Mapping[str, BaseEstimator],
    part: PretrainingSplit,
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> dict[str, dict[str, BaseEstimator]]:
    """Return for each mode the models as it trains them; what several modes begin with is fitted once."""
    more = (X[part.pretrain], y[part.pretrain], groups[part.pretrain])
    shuffled = np.random.default_rng([seed, 2]).permutation(more[1])

    def begun(labels: np.ndarray) -> dict[str, FrozenEstimator]:
        return {name: FrozenEstimator(fit(model, more[0], labels, more[2])) for name, model in models.items()}

    made: dict[str, dict[str, BaseEstimator]] = {"not pretrained": dict(models)}
    if {"pretrained", "not trained further"} & set(modes):
        made["not trained further"] = begun(more[1])
        made["pretrained"] = _continued(models, made["not trained further"])
    if "pretrained on shuffled labels" in modes:
        made["pretrained on shuffled labels"] = _continued(models, begun(shuffled))
    made["pooled"] = {name: Pooled(model, more) for name, model in models.items()}
    return {mode: made[mode] for mode in modes}


def _continued(
    models: Mapping[str, BaseEstimator], starts: Mapping[str, FrozenEstimator]
) -> dict[str, BaseEstimator]:
    """Return each model, to be trained from its start."""
    return {name: Continued(model, starts[name]) for name, model in models.items()}


def _prepared(name: str, model: BaseEstimator, y: np.ndarray) -> BaseEstimator:
    """Return a copy that knows all classes; refuse one without a fixed seed."""
    model = clone(model)
    last = _last(model)
    known = last.get_params(deep=False)
    if "random_state" in known and not isinstance(known["random_state"], int | np.integer):
        raise ParameterError(
            f"model {name!r} has random_state={known['random_state']!r}: two copies of one initialisation "
            "need a whole number"
        )
    if "classes" in known and known["classes"] is None:
        last.set_params(classes=tuple(np.unique(y).tolist()))
    return model


def _last(model: BaseEstimator) -> BaseEstimator:
    """Return the model itself, or the last step of a pipeline."""
    return model.steps[-1][1] if isinstance(model, Pipeline) else model
