"""Train on one compendium, test on another: what a score loses, and how much of the loss is scale.

After the review-round extra of heil2022 (train on one compendium, test on the other, intact and removed).
A target has other units, and perhaps another mean and spread of every gene. `SCALINGS` names what is borrowed
from the target to put that right, from nothing to a mean and a standard deviation for each gene. None of them
sees a label of the target, but all except "source scaling" see its samples, and so its mixture of classes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.evaluation import scoring
from exprml.evaluation.arrays import as_arrays
from exprml.evaluation.compare import group_bootstrap
from exprml.evaluation.linear_signal import remove_linear_signal
from exprml.evaluation.metrics import balanced_accuracy, recall_per_class

HELD_OUT = "held out"
SCALINGS = ("source scaling", "one shift", "own means", "own scaling")
MODES = {"intact": False, "removed": True}
_RUN = ["task", "model", "setting", "control", "split"]
_FIT = [*_RUN, "fold", "seed", "n_train"]


@dataclass
class _Side:
    """Samples that are trained or scored on: values, labels, groups."""

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    def part(self, chosen: np.ndarray) -> _Side:
        """Return the samples at the indices, or where the mask holds."""
        return _Side(self.X[chosen], self.y[chosen], self.groups[chosen])

    def removed(self) -> _Side:
        """Return the samples without the linear signal of their own labels."""
        return _Side(remove_linear_signal(self.X, self.y), self.y, self.groups)


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
    source, target : AnnData, samples x the same genes in the same order
        What is learnt from, and what is only tested on. A group that is in both is never trained on and
        tested on at once: target samples of the training groups are left out.
    y, groups : str
        Columns of both ``obs``. A class of the target must be a class of the source.
    scalings : sequence of `SCALINGS`
        What is done to the target before it is standardised as the source's training samples are: nothing;
        one number added to all values, which moves its grand mean to the source's; a number added to each
        gene; or its own mean and spread for each gene in place of the source's.
    modes : sequence of {"intact", "removed"}
        "removed": linear signal of the labels taken from training, held-out and target samples apart, each
        with its own labels: a probe, as in `remove_linear_signal`.
    folds, folds_run, seeds
        Folds of whole source groups, classes balanced over them; see `scoring.cross_validate`.
    shuffle_labels, majority : bool
        Controls: permute the labels of the source, once per seed; add the majority-class control.
    task : str
        Copied into the table.

    Returns
    -------
    DataFrame
        A row for every prediction: task, model, setting, control, split ("transfer"), fold, seed, n_train,
        seconds (of the fit), group, truth, predicted. ``setting`` is "intact, held out" (the source's own
        fold), "intact, source scaling" and so on.

    Raises
    ------
    DataError
        If genes or classes of the two do not fit, or no target sample is left.
    UnknownNameError
        If a scaling or mode is unknown.
    """
    check_known("scaling", scalings, SCALINGS)
    check_known("mode", modes, MODES)
    models = {**models, scoring.MAJORITY: scoring.majority_control()} if majority else dict(models)
    here, there = _sides(source, target, y, groups)
    tables = []
    for seed in seeds:
        labels = np.random.default_rng([seed, 1]).permutation(here.y) if shuffle_labels else here.y
        for where, parts in _folds(replace(here, y=labels), there, folds, seed, folds_run):
            for mode in modes:
                trained, scored = _scaled(parts, MODES[mode], scalings)
                for name, model in models.items():
                    row = {"task": task, "model": name, "control": scoring.control_of(model, shuffle_labels)}
                    tables += _predictions(model, trained, scored, row | where, mode)
    return pd.concat(tables, ignore_index=True)


def rescale(target: np.ndarray, source: np.ndarray, fitted: BaseEstimator, scaling: str) -> np.ndarray:
    """Return the target's values, (samples, genes), as a model trained on scaled `source` gets to see them.

    Parameters
    ----------
    target, source : ndarray, shape (samples, genes)
        Unscaled values; of the source the training samples.
    fitted : transformer
        Fitted to `source`; under "own scaling" a clone of it is fitted to `target` instead.
    scaling : one of `SCALINGS`
        See `predict_across`.
    """
    if scaling == "own scaling":
        return clone(fitted).fit_transform(target)
    if scaling == "one shift":
        target = target + (source.mean(dtype=float) - target.mean(dtype=float))
    if scaling == "own means":
        target = target + (source.mean(axis=0, dtype=float) - target.mean(axis=0, dtype=float))
    return fitted.transform(target)


def scores(predictions: pd.DataFrame, *, recalls: bool = False) -> pd.DataFrame:
    """Return balanced accuracy (and recall per class) of every fit, long, columns `scoring.COLUMNS`.

    Parameters
    ----------
    predictions : DataFrame
        From `predict_across` or `predict_by_share`.
    recalls : bool
        Add rows ``recall:<class>``.
    """
    rows = []
    for key, part in predictions.groupby(_FIT, sort=False):
        row = dict(zip(_FIT, key, strict=True)) | {"seconds": part["seconds"].iloc[0]}
        truth, predicted = part["truth"].to_numpy(), part["predicted"].to_numpy()
        found = {"balanced_accuracy": balanced_accuracy(truth, predicted)}
        if recalls:
            found |= {f"recall:{one}": share for one, share in recall_per_class(truth, predicted).items()}
        rows += [{**row, "metric": metric, "value": value} for metric, value in found.items()]
    return pd.DataFrame(rows)[scoring.COLUMNS]


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
    models, source, target, y, groups, task
        As in `predict_across`; all of the source that shares no group with the target is trained on.
    positive : str
        The class whose share is set, of two.
    shares : sequence of float
        Shares of `positive` among the samples whose statistics are used.
    draws : int
        How often these samples are drawn; the draw stands in the column ``fold``.
    seed : int
        Draws them.

    Returns
    -------
    DataFrame
        As from `predict_across`, with ``share`` and, of models that have a ``decision_function``, ``lead``:
        above 0 the second class by name is predicted. ``setting`` is "statistics at 30% tumour",
        or "source scaling" (no share). At every share as many samples are drawn as the rarer class has.

    Raises
    ------
    DataError
        As in `predict_across`, and if the target has not two classes.
    UnknownNameError
        If `positive` is none of them.
    ParameterError
        If a share is outside 0 to 1.
    """
    here, there = _sides(source, target, y, groups)
    _check_shares(there.y, positive, shares)
    here = here.part(~np.isin(here.groups, there.groups))
    theirs = StandardScaler().fit(here.X)
    trained = replace(here, X=theirs.transform(here.X))
    views = [({"fold": 0, "share": np.nan, "setting": SCALINGS[0]}, theirs)]
    for share, draw in product(shares, range(draws)):
        own = StandardScaler().fit(there.X[_draw(there.y == positive, share, [seed, draw])])
        where = {"fold": draw, "share": share, "setting": f"statistics at {share:.0%} {positive}"}
        views.append((where, own))
    tables = []
    for name, model in models.items():
        start = time.perf_counter()
        found = scoring.fit(model, trained.X, trained.y, trained.groups)
        row = {"task": task, "model": name, "control": "", "split": "transfer", "seed": seed}
        row |= {"n_train": len(trained.y), "seconds": time.perf_counter() - start}
        for where, view in views:
            seen = replace(there, X=view.transform(there.X))
            lead = found.decision_function(seen.X) if hasattr(found, "decision_function") else np.nan
            tables.append(_table(found, seen).assign(lead=lead, **row, **where))
    return pd.concat(tables, ignore_index=True)


def _check_shares(classes: np.ndarray, positive: str, shares: Sequence[float]) -> None:
    """Raise unless there are two classes, `positive` one of them, and the shares are such."""
    known = np.unique(classes).tolist()
    if len(known) != 2:
        raise DataError(f"the target has {len(known)} classes ({', '.join(known)}): a share needs two")
    check_known("class of the target", [positive], known)
    wrong = [share for share in shares if not 0 <= share <= 1]
    if wrong:
        raise ParameterError(f"share {wrong[0]} of {positive!r} is outside 0 to 1")


def _draw(positive: np.ndarray, share: float, seed: list[int]) -> np.ndarray:
    """Return indices of as many samples as the rarer class has, the given share of them positive."""
    generator = np.random.default_rng(seed)
    size = min(positive.sum(), (~positive).sum())
    n_positive = round(share * size)
    parts = [(np.flatnonzero(positive), n_positive), (np.flatnonzero(~positive), size - n_positive)]
    return np.concatenate([generator.choice(one, count, replace=False) for one, count in parts])


def _sides(source: AnnData, target: AnnData, y: str, groups: str) -> tuple[_Side, _Side]:
    """Return both compendia as arrays, after a look at genes and classes."""
    if not source.var_names.equals(target.var_names):
        common = len(source.var_names.intersection(target.var_names))
        raise DataError(
            f"source ({source.n_vars} genes) and target ({target.n_vars}) share {common} genes: "
            "give both the same genes in the same order"
        )
    here, there = (_Side(*as_arrays(one, y, groups)) for one in (source, target))
    here, there = (replace(one, y=one.y.astype(str), groups=one.groups.astype(str)) for one in (here, there))
    unknown = sorted(set(there.y) - set(here.y))
    if unknown:
        raise DataError(f"target class {unknown[0]!r} of {y!r} is not in the source: drop or rename it")
    return here, there


def _folds(
    here: _Side, there: _Side, folds: int, seed: int, folds_run: int | None
) -> Iterator[tuple[dict[str, int], tuple[_Side, _Side, _Side]]]:
    """Yield each fold's place in the table, and its training, held-out and target samples."""
    pairs = scoring.fold_pairs(folds, "stratified-group", seed, here.y, here.groups)
    for fold, (train, held) in enumerate(pairs[:folds_run]):
        away = there.part(~np.isin(there.groups, here.groups[train]))
        if not len(away.y):
            raise DataError(f"fold {fold}: every group of the target is trained on too; cut more folds")
        where = {"fold": fold, "seed": seed, "n_train": len(train)}
        yield where, (here.part(train), here.part(held), away)


def _scaled(
    parts: tuple[_Side, _Side, _Side], removed: bool, scalings: Sequence[str]
) -> tuple[_Side, dict[str, _Side]]:
    """Return the scaled training samples, and by name all that they are tested on."""
    train, held, away = [one.removed() for one in parts] if removed else parts
    fitted = StandardScaler().fit(train.X)
    scored = {way: replace(away, X=rescale(away.X, train.X, fitted, way)) for way in scalings}
    held = replace(held, X=fitted.transform(held.X))
    return replace(train, X=fitted.transform(train.X)), {HELD_OUT: held, **scored}


def _predictions(
    model: BaseEstimator, trained: _Side, scored: Mapping[str, _Side], row: dict[str, Any], mode: str
) -> list[pd.DataFrame]:
    """Fit one model; return its predictions of every test set."""
    start = time.perf_counter()
    found = scoring.fit(model, trained.X, trained.y, trained.groups)
    row = {**row, "split": "transfer", "seconds": time.perf_counter() - start}
    return [_table(found, side).assign(**row, setting=f"{mode}, {way}") for way, side in scored.items()]


def _table(fitted: BaseEstimator, side: _Side) -> pd.DataFrame:
    """Return group, truth and prediction of every sample."""
    return pd.DataFrame({"group": side.groups, "truth": side.y, "predicted": fitted.predict(side.X)})
