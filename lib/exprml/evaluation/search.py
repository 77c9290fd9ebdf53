"""Search hyper-parameters from published distributions, on folds of whole groups, with a seeded sampler."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from exprml.base.errors import check_known
from exprml.evaluation.experiment import Part, Samples, fit
from exprml.evaluation.parts import Pairs, without_signal
from exprml.evaluation.splits import is_classification

# heil2022 (Model training): both log-uniform; the paper searches them with 25 trials of unseeded TPE.
HEIL_SPACE = {"learning_rate": ("log", 1e-6, 10.0), "weight_decay": ("log", 1e-6, 10.0)}
SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "tpe-unseeded": lambda seed: optuna.samplers.TPESampler(),  # heil2022 as its code runs: never twice alike
}


class SearchResult(NamedTuple):
    """The trials (a column per parameter, ``objective``, ``seconds``, best first) and the best parameters."""

    trials: pd.DataFrame
    best: dict[str, Any]


def weighted_cross_entropy(model: BaseEstimator, part: Part) -> float:
    """Return the mean cross-entropy of what is left out, the paper's objective.

    A class weighs 1 / (n + 1), n its samples in the *training* part (heil2022, public code).
    """
    classes, code = np.unique(part.test.y, return_inverse=True)
    columns = pd.Index(model.classes_).get_indexer(classes)
    probability = np.asarray(model.predict_proba(part.test.X), dtype=float)
    own = np.where(columns[code] >= 0, probability[np.arange(len(code)), columns[code]], 0.0)
    losses = -np.log(np.clip(own, 1e-15, 1.0))  # a class never seen in training counts as probability 0
    weights = np.array([1 / ((part.train.y == one).sum() + 1) for one in classes])
    return float(np.average(np.nan_to_num(losses, nan=np.inf), weights=weights[code]))


def guess_loss(parts: Iterable[Part]) -> float:
    """Return the mean loss of equal probabilities; a class missing from a training part has none."""
    dummy = DummyClassifier(strategy="uniform")
    return float(np.mean([weighted_cross_entropy(dummy.fit(*one.train[:2]), one) for one in parts]))


def with_every_class(pairs: Pairs, y: np.ndarray) -> Pairs:
    """Return the inner parts that train on every class, as the paper's code skips all others.

    All of them where none is left: then the paper's code has nothing to judge a trial by.
    """
    if not is_classification(y):
        return pairs
    n_classes = len(np.unique(y[np.concatenate(pairs[0])]))
    return [pair for pair in pairs if len(np.unique(y[pair[0]])) == n_classes] or pairs


def inner_parts(samples: Samples, pairs: Pairs, *, removed: bool = False) -> Iterator[Part]:
    """Yield a part for each pair of (training, left out) indices, made anew: copies need not be held at once.

    With `removed` the linear signal is taken from both sides, each with its own labels.
    """
    for pair in pairs:
        train, left_out = (without_signal(side) if removed else side for side in map(samples.take, pair))
        yield Part({}, train, left_out)


def search_parts(
    model: BaseEstimator,
    parts: Callable[[], Iterable[Part]],
    *,
    space: Mapping[str, tuple] = HEIL_SPACE,
    n_trials: int = 25,
    sampler: str = "tpe",
    seed: int = 0,
) -> SearchResult:
    """Search `space` on inner parts made elsewhere; `parts` is called once a trial, so they may be lazy.

    The objective is the mean of `weighted_cross_entropy` over the parts. A part that diverges ends its trial,
    which changes no result: the mean is infinite already. No other trial is stopped early.

    Parameters
    ----------
    model : estimator
        Cloned for each fit; its parameters are set by the names in `space`.
    parts : function
        Returns the inner parts.
    space : mapping of str to tuple
        ``("log", low, high)`` for each parameter of the model, or of the last step of its pipeline.
    n_trials : int
        Parameter sets tried.
    sampler : {"tpe", "random", "tpe-unseeded"}
        The last is the paper's: it claims a seed, and its code never hands it over.
    seed : int
        Of the sampler.

    Returns
    -------
    SearchResult
        A trial that fails or diverges has an infinite objective and ranks last. Parameters of a pipeline
        carry the name of its step (``networkclassifier__learning_rate``), ready for ``set_params``.
    """
    check_known("sampler", [sampler], SAMPLERS)
    check_known("distribution", (kind for kind, *_ in space.values()), ("log",))
    space = prefixed(space, model)

    def trial_loss(trial: optuna.Trial) -> float:
        chosen = clone(model).set_params(
            **{name: trial.suggest_float(name, *ends, log=True) for name, (_, *ends) in space.items()}
        )
        losses = []
        for part in parts():
            losses.append(_part_loss(chosen, part))
            if not np.isfinite(losses[-1]):
                return np.inf
        return float(np.mean(losses))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=SAMPLERS[sampler](seed))
    study.optimize(trial_loss, n_trials=n_trials)
    return SearchResult(_trials(study), dict(study.best_params))


def prefixed(space: Mapping[str, tuple], model: BaseEstimator) -> dict[str, tuple]:
    """Name the parameters as ``set_params`` of `model` knows them: in a pipeline by its last step."""
    step = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    return {name if "__" in name else f"{step}{name}": values for name, values in space.items()}


def _part_loss(model: BaseEstimator, part: Part) -> float:
    """Return the loss on what is left out; infinite where the fit breaks down, without a word about it."""
    with warnings.catch_warnings():
        for kind in (ConvergenceWarning, RuntimeWarning):
            warnings.simplefilter("ignore", kind)
        try:
            return weighted_cross_entropy(fit(model, *part.train[:3], part.train.removed_within), part)
        except FloatingPointError:
            return np.inf


def _trials(study: optuna.Study) -> pd.DataFrame:
    """Return a row per trial, best first."""
    rows = [
        {**trial.params, "objective": trial.value} | {"seconds": trial.duration.total_seconds()}
        for trial in study.trials
    ]
    return pd.DataFrame(rows).rename_axis("trial").sort_values("objective", kind="stable")
