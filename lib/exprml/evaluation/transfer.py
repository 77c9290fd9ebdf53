"""Train on one compendium, test on another: what a score loses, and how much of the loss is scale.

After the review-round extra of heil2022 (train on one compendium, test on the other, intact and removed).
A target has other units, and perhaps another mean and spread of every gene. `SCALINGS` names what is borrowed
from the target to put that right, from nothing to a mean and a standard deviation for each gene. None of them
sees a label of the target, but all except "source scaling" see its samples, and so its mixture of classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator

from exprml.evaluation import experiment, parts
from exprml.evaluation.compare import group_bootstrap
from exprml.evaluation.metrics import balanced_accuracy
from exprml.evaluation.parts import HELD_OUT, SCALINGS

__all__ = ["SCALINGS", "drops", "intervals", "predict_across", "predict_by_share"]

_RUN = ["task", "model", "setting", "control", "split"]


def predict_across(
    models: Mapping[str, BaseEstimator],
    source: AnnData,
    target: AnnData,
    y: str,
    groups: str,
    *,
    scalings: Sequence[str] = ("source scaling", "own scaling"),
    modes: Sequence[str] = ("intact",),
    folds: int = 3,
    folds_run: int | None = None,
    seeds: Sequence[int] = (0,),
    shuffle_labels: bool = False,
    majority: bool = False,
    task: str = "",
) -> pd.DataFrame:
    """Train on folds of `source`; predict its held-out fold and, scaled in several ways, the `target`.

    Parameters
    ----------
    models : mapping of str to estimator
        Cloned before every fit; they get scaled values.
    source, target, y, groups, scalings, modes
        As in `exprml.evaluation.parts.across`.
    folds, folds_run, seeds, shuffle_labels, task
        As in `exprml.evaluation.parts.Protocol`: folds of whole source groups, classes balanced over them;
        only labels of the source are shuffled.
    majority : bool
        Add the majority-class control.

    Returns
    -------
    DataFrame
        A row for every prediction: task, model, setting, control, split ("transfer"), fold, seed, n_train,
        seconds, group, truth, predicted. ``setting`` is "intact, held out" (the source's own fold), "intact,
        source scaling" and so on.
    """
    protocol = parts.Protocol(
        folds, folds_run, seeds, split="stratified-group", shuffle_labels=shuffle_labels, task=task
    )
    made = parts.across(source, target, y, groups, protocol, scalings=scalings, modes=modes)
    return _by_model(experiment.run(models, made, majority=majority, predictions=True))


def predict_by_share(
    models: Mapping[str, BaseEstimator],
    source: AnnData,
    target: AnnData,
    y: str,
    groups: str,
    *,
    positive: str,
    shares: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9),
    draws: int = 3,
    seed: int = 0,
    task: str = "",
) -> pd.DataFrame:
    """Predict the `target` by its own mean and spread, taken from samples with a chosen share of `positive`.

    Every point scores the same samples, the whole target: only the samples behind the statistics change.

    Parameters
    ----------
    models, source, target, y, groups
        As in `predict_across`; all of the source that shares no group with the target is trained on.
    positive, shares, draws, seed, task
        As in `exprml.evaluation.parts.by_share`.

    Returns
    -------
    DataFrame
        As from `predict_across`, with ``share`` and, of models that have a ``decision_function``, ``lead``:
        above 0 the second class by name is predicted. ``setting`` is "statistics at 30% tumour",
        or "source scaling" (no share).

    Raises
    ------
    DataError
        As in `predict_across`, and if the target has not two classes.
    UnknownNameError
        If `positive` is none of them.
    ParameterError
        If a share is outside 0 to 1.
    """
    options = {"positive": positive, "shares": shares, "draws": draws, "seed": seed, "task": task}
    found = []
    for one in experiment.predict(models, parts.by_share(source, target, y, groups, **options)):
        decide = getattr(one.fitted, "decision_function", None)
        found.append(experiment.table_of([one]).assign(lead=decide(one.part.test.X) if decide else np.nan))
    return _by_model(pd.concat(found, ignore_index=True))


def _by_model(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first model before those of the next."""
    order = table["model"].map({name: at for at, name in enumerate(table["model"].unique())})
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def intervals(predictions: pd.DataFrame, *, n_draws: int = 500, seed: int = 0) -> pd.DataFrame:
    """Return balanced accuracy over all folds with the 95 % interval of drawing whole test groups anew.

    The fitted models are held fixed: the interval is about the people tested, not about those trained on.

    Parameters
    ----------
    predictions : DataFrame
        From `predict_across`.
    n_draws, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row for each task, model, setting and control: mean, low, high, groups.
    """
    rows = []
    for key, part in predictions.groupby(_RUN, sort=False):
        codes = pd.factorize(np.concatenate([part["truth"], part["predicted"]]))[0]
        truth, predicted = codes[: len(part)], codes[len(part) :]
        drawn = group_bootstrap(
            truth, predicted, part["group"], balanced_accuracy, n_draws=n_draws, seed=seed
        )
        found = {"mean": drawn.mean, "low": drawn.low, "high": drawn.high, "groups": part["group"].nunique()}
        rows.append(dict(zip(_RUN, key, strict=True)) | found)
    return pd.DataFrame(rows)


def drops(found: pd.DataFrame) -> pd.DataFrame:
    """Return how far each score on the target lies below the held-out folds of the source, with intervals.

    Two independent 95 % intervals become that of the difference by the square roots of their sides (Zou and
    Donner 2008, Statistics in Medicine 27).

    Parameters
    ----------
    found : DataFrame
        From `intervals`.

    Returns
    -------
    DataFrame
        A row for each setting but "... held out": its columns, and mean, low, high of the drop.
    """
    mode = found["setting"].str.split(", ").str[0]
    held = found["setting"] == mode + ", " + HELD_OUT
    keys = ["task", "model", "control", "split", "mode"]
    both = found.assign(mode=mode)
    both = both[~held].merge(both[held], on=keys, suffixes=("", "_held")).drop(columns=["setting_held"])
    drop = both["mean_held"] - both["mean"]
    below = np.hypot(both["mean_held"] - both["low_held"], both["high"] - both["mean"])
    above = np.hypot(both["high_held"] - both["mean_held"], both["mean"] - both["low"])
    return both[[*_RUN, "mode"]].assign(mean=drop, low=drop - below, high=drop + above)
