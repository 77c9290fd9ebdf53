"""Nested search: for every outer fold its own hyper-parameters, found without a look at its validation part.

heil2022 (Model training) searches each outer fold on the other four, leaving out one of them in turn, and
always on intact data: rates tuned there are reused after linear signal has been removed (public code). Both
that way and the search on removed data are here; so is the unseeded sampler of its code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from exprml.base.errors import DataError, check_known
from exprml.base.fitting import shared_out
from exprml.evaluation.parts import Pairs, Protocol, samples_of
from exprml.evaluation.scoring import before_and_after
from exprml.evaluation.search import HEIL_SPACE, guess_loss, inner_parts, search_parts, with_every_class
from exprml.evaluation.splits import GroupFolds, learning_curve_subsets

KEYS = ("model", "seed", "fold", "on")
_NO_PARAMETERS = {*KEYS, "trial", "guess", "objective", "seconds"}
ON = ("intact", "removed")


class Nested(NamedTuple):
    """What a nested search found.

    Attributes
    ----------
    best : DataFrame
        A row per model, seed and outer fold: `KEYS`, ``guess`` (what equal probabilities for all classes of
        the training part would score), ``objective``, ``seconds`` of all its trials, and a column per
        parameter.
    trials : DataFrame
        A row per trial, best first in each fold, with the same columns and ``trial``.
    settings : dict
        (model, seed, fold) -> its best parameters, as `cross_validate` takes them.
    """

    best: pd.DataFrame
    trials: pd.DataFrame
    settings: dict[tuple[str, int, int], dict[str, Any]]


class Searched(NamedTuple):
    """Scores with searched parameters, and the search.

    Attributes
    ----------
    scores : DataFrame
        As `before_and_after` returns it.
    search : Nested
        The search, one per model, seed and outer fold.
    """

    scores: pd.DataFrame
    search: Nested


def searched_before_and_after(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    space: Mapping[str, tuple] = HEIL_SPACE,
    fractions: Sequence[float] = (1.0,),
    **options: Any,
) -> Searched:
    """Search all models in every outer fold, then score them with what was found (heil2022, Model training).

    Intact data are searched; as in the paper the same parameters serve before and after removal. A model of
    which no trial ended with a finite loss keeps its own parameters.

    Parameters
    ----------
    models, X, y, groups, **options
        As in `before_and_after`; ``folds``, ``folds_run`` and ``seeds`` are those of the search, too.
    n_trials, space, sampler
        As in `search`; the defaults are the paper's, but for a seed of the sampler.
    fractions : sequence of float
        Shares of the training samples that are scored; the largest of them is searched.
    """
    limits, options = shared_out(options, search_parts)
    limits |= {name: options[name] for name in ("folds", "folds_run", "seeds") if name in options}
    spaces = dict.fromkeys(models, space)
    found = nested_search(models, X, y, groups, spaces=spaces, fraction=max(fractions), **limits)
    finite = found.best.loc[np.isfinite(found.best["objective"]), [*KEYS[:3]]].itertuples(index=False)
    settings = {tuple(key): found.settings[tuple(key)] for key in finite}
    scores = before_and_after(models, X, y, groups, settings=settings, fractions=fractions, **options)
    return Searched(scores, found)


def outcomes(found: Nested) -> pd.DataFrame:
    """Return how many trials of each model came to something, and what was chosen: a row per model.

    Returns
    -------
    DataFrame
        Columns model, ``searches`` (seeds times outer folds), ``trials``, ``beat a guess`` (by 2 % at least:
        what is nearer has hardly moved), ``diverged`` (no finite loss), ``guess`` and ``best loss`` (means
        over the searches), and a column per parameter: what was chosen, lowest to highest, as text.
    """
    trials, best = found.trials, found.best.groupby("model", sort=False)
    loss = trials["objective"]
    marks = {
        "trials": loss.notna(),
        "beat a guess": loss < 0.98 * trials["guess"],
        "diverged": loss == np.inf,
    }
    table = pd.DataFrame({"searches": best.size()})
    table = table.join(trials.assign(**marks).groupby("model")[[*marks]].sum())
    table["guess"], table["best loss"] = best["guess"].mean(), best["objective"].mean()
    for name in (one for one in found.best.columns if one not in _NO_PARAMETERS):
        table[name] = best[name].agg(_range)
    return table.reset_index()


def _range(values: pd.Series) -> str:
    """Return lowest and highest of some numbers, in words."""
    ends = dict.fromkeys(f"{float(one):.1g}" for one in (values.min(), values.max()))
    return " to ".join(ends)


def nested_search(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    spaces: Mapping[str, Mapping[str, tuple]],
    on: str = "intact",
    fraction: float = 1.0,
    **options: Any,
) -> Nested:
    """Search the parameters of every model in every outer fold of `cross_validate`.

    Parameters
    ----------
    models, X, y, groups, **options
        As in `cross_validate`: the same ``folds``, ``folds_run`` and ``seeds`` give the same outer folds.
    spaces : mapping of model name to space
        As in `search`; models without a space are left alone.
    on : {"intact", "removed"}
        "removed" takes the linear signal from the inner training part and from what is left out, each with
        its own labels. The paper searches "intact", also for what it scores after removal.
    fraction : float
        Search only this share of each outer training part, the same samples that `cross_validate` draws for
        it; the paper searches all of them.
    n_trials, sampler
        As in `search`; "tpe-unseeded" is the paper's sampler. The sampler is seeded by the outer seed
        and fold.

    Returns
    -------
    Nested

    Raises
    ------
    UnknownNameError
        If `on`, the sampler, or a model of `spaces` is unknown.
    DataError
        If with "removed" no inner part has two classes on both sides.
    """
    check_known("on", [on], ON)
    check_known("model with a space", spaces, models, "models")
    limits, rest = shared_out(options, search_parts)
    samples, outer = samples_of(X, y, groups), Protocol(**rest)
    trials, settings = [], {}
    for seed in outer.seeds:
        pairs = outer.pairs(seed, samples.y, samples.groups)
        for fold in range(len(pairs))[: outer.folds_run]:
            number = seed * 1009 + fold
            inside = _inner_pairs(pairs, fold, number, samples.groups)
            inside = with_every_class(_thinned(inside, pairs[fold][0], fraction, number), samples.y)
            inside = _usable(inside, samples.y, fold) if on == "removed" else inside
            parts = partial(inner_parts, samples, inside, removed=on == "removed")
            guess = guess_loss(parts())
            for name, space in spaces.items():
                found = search_parts(models[name], parts, space=space, seed=number, **limits)
                words = dict(zip(KEYS, (name, seed, fold, on), strict=True))
                rows = found.trials.reset_index().to_dict("records")
                trials += [words | {"trial": row["trial"], "guess": guess} | row for row in rows]
                settings[name, seed, fold] = found.best
    table = pd.DataFrame(trials, dtype=object).astype(dict.fromkeys(["guess", "objective", "seconds"], float))
    return Nested(_best(table), table, settings)


def _inner_pairs(pairs: Pairs, fold: int, number: int, groups: np.ndarray) -> Pairs:
    """Return (training, left out) indices inside the training part of an outer fold: the others in turn."""
    train = pairs[fold][0]
    if len(pairs) == 2:  # only one is left: it is cut once more, by groups
        return [(train[a], train[b]) for a, b in GroupFolds(2, number).split(train, None, groups[train])]
    others = [validation for place, (_, validation) in enumerate(pairs) if place != fold]
    return [(np.setdiff1d(train, left_out), left_out) for left_out in others]


def _thinned(inside: Pairs, train: np.ndarray, fraction: float, seed: int) -> Pairs:
    """Return the inner parts with only those samples that are drawn from an outer training part."""
    drawn = train[learning_curve_subsets(len(train), [fraction], seed=seed)[float(fraction)]]
    return [(np.intersect1d(a, drawn), np.intersect1d(b, drawn)) for a, b in inside]


def _usable(pairs: Pairs, y: np.ndarray, fold: int) -> Pairs:
    """Return the inner parts from which signal can be removed: two classes on both sides."""
    kept = [pair for pair in pairs if all(len(np.unique(y[rows])) > 1 for rows in pair)]
    if not kept:
        raise DataError(f"outer fold {fold}: no inner part has two classes on both sides; use fewer folds")
    return kept


def _best(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the first (best) trial of every search, with the seconds of all its trials."""
    searches = trials.groupby([*KEYS], sort=False)
    seconds = searches["seconds"].transform("sum")
    best = trials.assign(seconds=seconds)[searches.cumcount() == 0]
    return best.drop(columns="trial").reset_index(drop=True)
