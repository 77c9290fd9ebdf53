"""Cross-validation, before and after removal: a row per model, fold, training size and metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from exprml.evaluation import experiment, parts
from exprml.evaluation.experiment import COLUMNS, MAJORITY, Metrics, Settings, fit
from exprml.evaluation.parts import SHUFFLED, SPLITS, Protocol

__all__ = [
    "COLUMNS", "MAJORITY", "SHUFFLED", "SPLITS", "at_full_size", "at_least_data", "before_and_after",
    "cross_validate", "fit",
]  # fmt: skip

# What tells two learning curves apart, in any table of the book.
CURVE = ["source", "line", "dataset", "task", "model", "setting", "control", "split", "fold", "seed"]


def cross_validate(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    metrics: Metrics = ("balanced_accuracy",),
    recalls: bool = False,
    majority: bool = False,
    settings: Settings | None = None,
    **protocol: Any,
) -> pd.DataFrame:
    """Fit every model on every fold, seed and training size; return a long table of scores.

    Parameters
    ----------
    models, metrics, recalls, majority, settings
        As in `exprml.evaluation.experiment.run`.
    X, y, groups
        As in `exprml.evaluation.parts.folds`.
    **protocol
        Of `exprml.evaluation.parts.Protocol`: folds, folds_run, seeds, fractions, split, removal, …

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; ``seconds`` is for fit and predict. A training subset or (with removal) a
        validation fold with a single class cannot be used: its rows hold NaN.

    Raises
    ------
    ParameterError, DataError
        See `GroupFolds` and `remove_linear_signal`.
    """
    scored = {"metrics": metrics, "recalls": recalls, "majority": majority, "settings": settings}
    return experiment.run(models, parts.folds(X, y, groups, Protocol(**protocol)), **scored)


def before_and_after(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    modes: Sequence[str] = ("intact", "removed"),
    within: Any = None,
    recalls: bool = False,
    majority: bool = False,
    settings: Settings | None = None,
    **protocol: Any,
) -> pd.DataFrame:
    """Return `cross_validate` on the same folds for each of the `modes`, which become the column ``setting``.

    Parameters
    ----------
    models, X, y, groups, recalls, majority, settings, **protocol
        As in `cross_validate`.
    modes, within
        As in `exprml.evaluation.parts.before_and_after`.
    """
    made = parts.before_and_after(X, y, groups, Protocol(**protocol), modes=modes, within=within)
    return experiment.run(models, made, recalls=recalls, majority=majority, settings=settings)


def at_full_size(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the largest training size of each curve: one model, task, setting, seed and fold.

    Rows without a training size form a curve of their own. A table without the column is returned as it is.
    """
    return _at_size(table, "max")


def at_least_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each curve's smallest training size; of settings without training, none."""
    return _at_size(table[table["n_train"] > 0], "min")


def _at_size(table: pd.DataFrame, end: str) -> pd.DataFrame:
    """Return the rows of each curve that have its largest ("max") or smallest ("min") training size."""
    if "n_train" not in table or table["n_train"].isna().all():
        return table
    curve = [column for column in CURVE if column in table]
    size = table["n_train"].fillna(-1)
    wanted = table.assign(n_train=size).groupby(curve, dropna=False)["n_train"].transform(end)
    return table[size == wanted]
