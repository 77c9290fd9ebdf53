"""Predictions of held-out samples: who is recognised, and what groups of samples share the errors.

`exprml.evaluation.scoring.cross_validate` gives one number for a fold. These functions keep every prediction,
so that a score can be taken apart by cohort or tissue, or be given an interval by drawing whole groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from exprml.base.errors import DataError
from exprml.evaluation import experiment, parts
from exprml.evaluation.metrics import balanced_accuracy
from exprml.evaluation.parts import Protocol


def held_out(
    model: BaseEstimator,
    X: Any,
    y: Any,
    groups: Any,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    removed: bool = False,
) -> pd.DataFrame:
    """Return a prediction for every sample of the validation folds, by a model that has not seen its group.

    Parameters
    ----------
    model : estimator
        Cloned before each fit.
    X, y, groups
        As in `exprml.evaluation.parts.folds`.
    folds : list of (training, validation) indices
        From a splitter of `exprml.evaluation.splits`; no sample may be validated twice.
    removed : bool
        Remove the linear signal of `y` from training and validation apart (heil2022, Signal removal).

    Returns
    -------
    DataFrame
        Index: position of the sample; columns fold, group, truth, predicted.

    Raises
    ------
    DataError
        If a sample stands in two validation folds, a group on both sides of a fold, or a fold has a single
        class on one side.
    """
    protocol = Protocol(folds=folds, removal="split" if removed else "none")
    table = experiment.run({"": model}, parts.folds(X, y, groups, protocol), predictions=True)
    twice = table["sample"][table["sample"].duplicated()]
    if len(twice):
        raise DataError(f"{len(twice)} samples stand in two validation folds, as number {twice.min()}")
    return table.set_index("sample")[["fold", "group", "truth", "predicted"]].rename_axis(None).sort_index()


def score_by(predictions: pd.DataFrame, levels: Sequence) -> pd.Series:
    """Return the balanced accuracy within each level (cohort, tissue) of held-out predictions.

    Parameters
    ----------
    predictions : DataFrame
        Of `held_out`.
    levels : array, shape (samples,)
        The level of every sample of the data, looked up by the predictions' index. A level with a single
        class has that class's recall.
    """
    level = np.asarray(levels)[predictions.index]
    return predictions.groupby(level).apply(
        lambda part: balanced_accuracy(part["truth"], part["predicted"]), include_groups=False
    )


def votes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one prediction for each group and class: the commonest among its samples, ties as half a vote.

    Returns
    -------
    DataFrame
        Columns group, truth, samples, right (share of the samples that were right), vote (1 if more than
        half were, 0.5 if exactly half, else 0).
    """
    right = predictions["predicted"] == predictions["truth"]
    counted = right.groupby([predictions["group"], predictions["truth"]]).agg(["size", "mean"])
    counted = counted.set_axis(["samples", "right"], axis=1).reset_index()
    return counted.assign(vote=(np.sign(counted["right"] - 0.5) + 1) / 2)
