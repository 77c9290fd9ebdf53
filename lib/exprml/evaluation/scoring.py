"""Cross-validation, before and after removal: a row per model, fold, training size and metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from exprml.base.fitting import shared_out
from exprml.evaluation import experiment, parts
from exprml.evaluation.experiment import COLUMNS, MAJORITY, Part, fit  # noqa: F401 - taken from here
from exprml.evaluation.parts import SHUFFLED, SPLITS, Protocol  # noqa: F401

# What tells two learning curves apart, in any table of the book.
CURVE = ["source", "line", "dataset", "task", "model", "setting", "control", "split", "fold", "seed"]


def cross_validate(
    models: Mapping[str, BaseEstimator], X: Any, y: Any, groups: Any = None, **options: Any
) -> pd.DataFrame:
    """Fit every model on every fold, seed and training size; return a long table of scores.

    Parameters
    ----------
    models, metrics, recalls, majority, settings, predictions
        As in `exprml.evaluation.experiment.run`.
    X, y, groups
        As in `exprml.evaluation.parts.folds`.
    **options
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
    return scored(models, partial(parts.folds, X, y, groups), options)


def before_and_after(
    models: Mapping[str, BaseEstimator], X: Any, y: Any, groups: Any = None, **options: Any
) -> pd.DataFrame:
    """Return `cross_validate` on the same folds for each of the `modes`, which become the column ``setting``.

    Parameters
    ----------
    models, X, y, groups, metrics, recalls, majority, settings, **options
        As in `cross_validate`.
    modes, within
        As in `exprml.evaluation.parts.before_and_after`.
    """
    return scored(models, partial(parts.before_and_after, X, y, groups), options)


def scored(
    models: Mapping[str, BaseEstimator], cut: Callable[..., Iterable[Part]], options: dict, **fixed: Any
) -> pd.DataFrame:
    """Return `experiment.run` on the parts that `cut` makes; each option goes to what has a parameter for it.

    Parameters
    ----------
    cut : function
        A generator of parts that takes a ``protocol``.
    options : dict
        Of `cut`, of `experiment.run` and of `Protocol`.
    **fixed
        Options that are not to be given otherwise: a TypeError says which was.
    """
    for_cut, for_run, rest = shared_out(dict(**fixed, **options), cut, experiment.run)
    return experiment.run(models, cut(protocol=Protocol(**rest), **for_cut), **for_run)


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
