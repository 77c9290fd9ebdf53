"""Train on one compendium, test on another: what a score loses, and how much of the loss is scale.

After the review-round extra of heil2022 (train on one compendium, test on the other, intact and removed).
A target has other units, and perhaps another mean and spread of every gene. `SCALINGS` names what is borrowed
from the target to put that right, from nothing to a mean and a standard deviation for each gene. None of them
sees a label of the target, but all except "source scaling" see its samples, and so its mixture of classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.evaluation import experiment
from exprml.evaluation.compare import group_bootstrap
from exprml.evaluation.experiment import Part, Samples
from exprml.evaluation.metrics import balanced_accuracy
from exprml.evaluation.parts import Protocol, samples_of, without_signal
from exprml.evaluation.scoring import scored

HELD_OUT = "held out"
SCALINGS = ("source scaling", "one shift", "own means", "own scaling")
_RUN = ["task", "model", "setting", "control", "split"]


def predict_across(
    models: Mapping[str, BaseEstimator], source: AnnData, target: AnnData, y: str, groups: str, **options: Any
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

    Raises
    ------
    DataError
        If genes or classes of the two do not fit, or no target sample is left.
    UnknownNameError
        If a scaling or mode is unknown.
    """
    cut = partial(_folds_of_source, *_both(source, target, y, groups))
    fixed = {"split": "stratified-group", "removal": "none", "predictions": True}
    return _by_model(scored(models, cut, {"folds": 3} | options, **fixed))


def predict_by_share(
    models: Mapping[str, BaseEstimator], source: AnnData, target: AnnData, y: str, groups: str, **options: Any
) -> pd.DataFrame:
    """Predict the `target` by its own mean and spread, taken from samples with a chosen share of `positive`.

    Every point scores the same samples, the whole target: only the samples behind the statistics change.

    Parameters
    ----------
    models, source, target, y, groups
        As in `predict_across`; all of the source that shares no group with the target is trained on.
    positive : str
        The class whose share is set, of two.
    shares : sequence of float
        Shares of `positive` among the samples whose mean and spread are used; the column ``share``. At every
        share as many samples are drawn as the rarer class has.
    draws, seed : int
        How often these samples are drawn (the column ``fold``), and by which seed.
    task : str
        Copied into the table.

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
    found = []
    for one in experiment.predict(models, _by_share(*_both(source, target, y, groups), **options)):
        decide = getattr(one.fitted, "decision_function", None)
        found.append(experiment.table_of([one]).assign(lead=decide(one.part.test.X) if decide else np.nan))
    return _by_model(pd.concat(found, ignore_index=True))


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


def _folds_of_source(
    here: Samples,
    there: Samples,
    protocol: Protocol,
    scalings: Sequence[str] = ("source scaling", "own scaling"),
    modes: Sequence[str] = ("intact",),
) -> Iterator[Part]:
    """Yield folds of the source, tested on what they hold out and, scaled in several ways, on the target."""
    check_known("scaling", scalings, SCALINGS)
    check_known("mode", modes, ("intact", "removed"))
    for seed in protocol.seeds:
        ours = here._replace(y=protocol.shuffled(here.y, seed))
        pairs = protocol.pairs(seed, ours.y, ours.groups)[: protocol.folds_run]
        for (fold, (train, held)), mode in product(enumerate(pairs), modes):
            away = there.take(~np.isin(there.groups, ours.groups[train]))
            if not len(away.y):
                raise DataError(f"fold {fold}: every group of the target is trained on too; cut more folds")
            sides = [ours.take(train), ours.take(held), away]
            trained, held_out, away = map(without_signal, sides) if mode == "removed" else sides
            fitted = StandardScaler().fit(trained.X)
            scaled = trained._replace(X=fitted.transform(trained.X))
            words = protocol.words(fold=fold, seed=seed, n_train=len(train)) | {"split": "transfer"}
            own = held_out._replace(X=fitted.transform(held_out.X))
            yield Part({**words, "setting": f"{mode}, {HELD_OUT}"}, scaled, own)
            for way in scalings:
                seen = away._replace(X=rescale(away.X, trained.X, fitted, way))
                yield Part({**words, "setting": f"{mode}, {way}"}, scaled, seen)


def rescale(target: np.ndarray, source: np.ndarray, fitted: StandardScaler, scaling: str) -> np.ndarray:
    """Return the target's values, (samples, genes), as a model trained on scaled `source` gets to see them.

    Parameters
    ----------
    target, source : ndarray, shape (samples, genes)
        Unscaled values; of the source the training samples.
    fitted : StandardScaler
        Fitted to `source`; under "own scaling" another is fitted to `target` instead.
    scaling : one of `SCALINGS`
        See `predict_across`.
    """
    if scaling == "own scaling":
        return StandardScaler().fit_transform(target)
    if scaling == "one shift":
        target = target + (source.mean(dtype=float) - target.mean(dtype=float))
    if scaling == "own means":
        target = target + (source.mean(axis=0, dtype=float) - target.mean(axis=0, dtype=float))
    return fitted.transform(target)


def _by_share(
    here: Samples,
    there: Samples,
    *,
    positive: str,
    shares: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9),
    draws: int = 3,
    seed: int = 0,
    task: str = "",
) -> Iterator[Part]:
    """Yield all of the source, tested on all of the target as the source, or each draw, scales it."""
    _check_shares(there.y, positive, shares)
    here = here.take(~np.isin(here.groups, there.groups))
    theirs = StandardScaler().fit(here.X)
    trained = here._replace(X=theirs.transform(here.X))
    words = Protocol(task=task).words(seed=seed, n_train=len(here.y)) | {"split": "transfer"}
    as_source = {"setting": SCALINGS[0], "fold": 0, "share": np.nan}
    yield Part(words | as_source, trained, there._replace(X=theirs.transform(there.X)))
    for share, draw in product(shares, range(draws)):
        own = StandardScaler().fit(there.X[drawn_with_share(there.y == positive, share, [seed, draw])])
        where = {"setting": f"statistics at {share:.0%} {positive}", "fold": draw, "share": share}
        yield Part(words | where, trained, there._replace(X=own.transform(there.X)))


def drawn_with_share(positive: np.ndarray, share: float, seed: list[int]) -> np.ndarray:
    """Return indices of as many samples as the rarer class has, the given share of them positive."""
    generator = np.random.default_rng(seed)
    size = min(positive.sum(), (~positive).sum())
    n_positive = round(share * size)
    sides = [(np.flatnonzero(positive), n_positive), (np.flatnonzero(~positive), size - n_positive)]
    return np.concatenate([generator.choice(one, count, replace=False) for one, count in sides])


def _by_model(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first model before those of the next."""
    order = table["model"].map({name: at for at, name in enumerate(table["model"].unique())})
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def _check_shares(classes: np.ndarray, positive: str, shares: Sequence[float]) -> None:
    """Raise unless there are two classes, `positive` one of them, and the shares are such."""
    known = np.unique(classes).tolist()
    if len(known) != 2:
        raise DataError(f"the target has {len(known)} classes ({', '.join(known)}): a share needs two")
    check_known("class of the target", [positive], known)
    wrong = [share for share in shares if not 0 <= share <= 1]
    if wrong:
        raise ParameterError(f"share {wrong[0]} of {positive!r} is outside 0 to 1")


def _both(source: AnnData, target: AnnData, y: str, groups: str) -> tuple[Samples, Samples]:
    """Return both collections as arrays, after a look at genes and classes."""
    if not source.var_names.equals(target.var_names):
        common = len(source.var_names.intersection(target.var_names))
        raise DataError(
            f"source ({source.n_vars} genes) and target ({target.n_vars}) share {common} genes: "
            "give both the same genes in the same order"
        )
    here, there = (
        one._replace(y=one.y.astype(str), groups=one.groups.astype(str))
        for one in (samples_of(side, y, groups) for side in (source, target))
    )
    unknown = sorted(set(there.y) - set(here.y))
    if unknown:
        raise DataError(f"target class {unknown[0]!r} of {y!r} is not in the source: drop or rename it")
    return here, there
