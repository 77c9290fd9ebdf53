"""Pretraining on the same task: two copies of one initialisation, one of them trained on other groups first.

Models are scikit-learn estimators. One whose ``fit`` (or that of the last step of its pipeline) takes
``start_from``, a fitted estimator, goes on from there; any other begins anew: pretraining changes nothing.

Source: heil2022, Methods: Pretraining, Supp Fig 9 and public code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from exprml.base.errors import ParameterError
from exprml.evaluation import parts
from exprml.evaluation.compare import paired_values
from exprml.evaluation.experiment import COLUMNS, last_step
from exprml.evaluation.scoring import scored

TENTHS = tuple(np.arange(1, 11) / 10)


def pretraining_curves(
    models: Mapping[str, BaseEstimator], X: Any, y: Any, groups: Any = None, **options: Any
) -> pd.DataFrame:
    """Score every model with and without pretraining on growing training sets; return a long table.

    Parameters
    ----------
    models : mapping of str to estimator
        With whole numbers as ``random_state``, or there is no one initialisation to copy. Where a model has a
        parameter ``classes``, it is told all labels of `y`: both copies need the same outputs.
    X, y, groups, modes
        As in `exprml.evaluation.parts.pretraining`.
    folds, folds_run, seeds, fractions, shuffle_labels, task
        As in `exprml.evaluation.parts.Protocol`; the paper has five folds, three seeds, ten fractions.
    metrics, majority
        As in `exprml.evaluation.experiment.run`.

    Returns
    -------
    DataFrame
        Columns as from `cross_validate`; ``n_train`` and ``seconds`` leave pretraining out, but those of
        "pooled" have its seconds.

    Raises
    ------
    UnknownNameError
        If a mode is unknown.
    ParameterError
        If a model has no fixed ``random_state``.
    """
    samples = parts.samples_of(X, y, groups)
    models = {name: _prepared(name, model, samples.y) for name, model in models.items()}
    cut, options = partial(parts.pretraining, samples), {"fractions": TENTHS} | options
    return scored(models, cut, options, split="group", removal="none")


def gains(table: pd.DataFrame, after: str = "pretrained", before: str = "not pretrained") -> pd.DataFrame:
    """Return what setting `after` scores more than `before`: a row per model, seed, fold and training size.

    Returns
    -------
    DataFrame
        Columns as in `table`, metric "gain", setting "`after` - `before`"; controls are left out.
    """
    gain = paired_values(table[table["control"] == ""], after, before, of="setting").rename("value")
    named = {"metric": "gain", "setting": f"{after} - {before}", "seconds": np.nan, "still_improving": np.nan}
    return gain.reset_index().assign(**named)[COLUMNS]


def _prepared(name: str, model: BaseEstimator, y: np.ndarray) -> BaseEstimator:
    """Return a copy that knows all classes; refuse one without a fixed seed."""
    model = clone(model)
    last = last_step(model)
    known = last.get_params(deep=False)
    if "random_state" in known and not isinstance(known["random_state"], int | np.integer):
        raise ParameterError(
            f"model {name!r} has random_state={known['random_state']!r}: two copies of one initialisation "
            "need a whole number"
        )
    if "classes" in known and known["classes"] is None:
        last.set_params(classes=tuple(np.unique(y).tolist()))
    return model
