"""The one engine: fit models on parts of the data, predict what they have not seen, score it.

A *part* is one training set, one test set and the words that name it; `exprml.evaluation.parts` makes them.
Classification, regression to thousands of targets and reconstruction differ by metric, not by loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.base.fitting import taken
from exprml.evaluation.metrics import METRICS, Metric

KEYS = ["task", "model", "setting", "control", "split", "fold", "seed", "n_train"]
COLUMNS = [*KEYS, "metric", "value", "seconds", "still_improving"]
MAJORITY = "majority class"
Metrics = Sequence[str] | Mapping[str, Metric]
Settings = Mapping[tuple[str, int, int], Mapping[str, Any]]


class Samples(NamedTuple):
    """Samples to train on or to score.

    Attributes
    ----------
    X : ndarray, shape (samples, features)
    y : ndarray, shape (samples,) or (samples, targets), or None
        Labels or targets; None where `X` itself is to be reconstructed.
    groups, names : array, shape (samples,)
        What must stay on one side, and what tells samples apart.
    removed_within : array, shape (samples,), optional
        Where the linear signal of the labels was removed: the levels (a cohort) it was removed within, all
        the same without. Handed to models whose ``fit`` takes it: those that hold out samples of their own.
    """

    X: np.ndarray
    y: np.ndarray | None
    groups: np.ndarray
    names: np.ndarray
    removed_within: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Samples:
        """Return the samples at the indices, or where the mask holds."""
        return Samples(*(None if one is None else one[rows] for one in self))


@dataclass(frozen=True)
class Part:
    """One training set, one test set and the words that name them.

    Attributes
    ----------
    words : mapping
        task, setting, split, fold, seed, n_train: columns of the table. With ``control``, what the training
        set controls for ("shuffled labels").
    train, test : Samples
        Parts in a row that share the training set (the same object, after the same `before`) share the fits.
    validation : Samples, optional
        Handed to models whose ``fit`` takes it, to choose an epoch or a penalty.
    before : Samples, optional
        Models whose ``fit`` takes ``start_from`` are trained on these first; with no training samples at
        all, what comes of it is scored as it is.
    usable : bool
        False where there is nothing to learn or to score, as one class alone: the scores are NaN.
    """

    words: Mapping[str, Any]
    train: Samples
    test: Samples
    validation: Samples | None = None
    before: Samples | None = None
    usable: bool = True


class Prediction(NamedTuple):
    """What one model answers on the test set of one part; `words` are those of the part and of the model."""

    words: dict[str, Any]
    part: Part
    fitted: BaseEstimator | None
    predicted: np.ndarray | None


class _Last:
    """Fitted models by name, for as long as the samples they were fitted on stay the same objects."""

    def __init__(self) -> None:
        self.on: tuple = ()
        self.fitted: dict[str, Any] = {}

    def get(self, name: str, on: tuple, make: Callable, *given: Any) -> Any:
        """Return what was made for `name` on these samples; if nothing was, make it of what is given."""
        if len(self.on) != len(on) or any(a is not b for a, b in zip(self.on, on, strict=True)):
            self.on, self.fitted = on, {}
        if name not in self.fitted:
            self.fitted[name] = make(*given)
        return self.fitted[name]


def predict(
    models: Mapping[str, BaseEstimator],
    parts: Iterable[Part],
    *,
    settings: Settings | None = None,
    majority: bool = False,
    watch_test: bool = False,
) -> Iterator[Prediction]:
    """Yield what every model predicts for every part, one after the other; see `run`."""
    models = {**models, MAJORITY: DummyClassifier(strategy="most_frequent")} if majority else dict(models)
    if not models:
        raise ParameterError("no models to score: give at least one")
    fits, starts = _Last(), _Last()
    for part in parts:
        for name, model in models.items():
            words = {**part.words, "model": name, "control": control_of(model, part.words.get("control", ""))}
            if not part.usable:
                yield Prediction({**words, "seconds": np.nan, "still_improving": np.nan}, part, None, None)
                continue
            found = (settings or {}).get((name, words["seed"], words["fold"]))
            model = clone(model).set_params(**found) if found else model
            start = part.before and starts.get(name, (part.before,), fit, model, *part.before[:3])
            begun = time.perf_counter()
            fitted = fits.get(name, (part.train, part.before), _fitted, model, part, start, watch_test)
            predicted = answer(fitted, part.test.X)
            words["seconds"] = time.perf_counter() - begun
            words["still_improving"] = getattr(last_step(fitted), "still_improving_", np.nan)
            yield Prediction(words, part, fitted, predicted)


def run(
    models: Mapping[str, BaseEstimator],
    parts: Iterable[Part],
    metrics: Metrics = ("balanced_accuracy",),
    *,
    settings: Settings | None = None,
    majority: bool = False,
    recalls: bool = False,
    predictions: bool = False,
) -> pd.DataFrame:
    """Fit every model on every part and score what it predicts.

    Parameters
    ----------
    models : mapping of str to estimator
        Scikit-learn estimators, cloned before every fit. ``fit`` is handed what it takes of the training
        groups and the validation samples. Those without ``predict`` are scored by what ``transform`` and
        ``inverse_transform`` make of `X`.
    parts : iterable of Part
        From `exprml.evaluation.parts`; they are taken one at a time.
    metrics : names of `METRICS`, or mapping of str to function
        ``metric(truth, predicted)`` returns a number, or a mapping that becomes rows ``metric:key``.
    settings : mapping of (model name, seed, fold) to dict
        Parameters set before each fit, as a nested search finds them for every outer fold.
    majority : bool
        Add the majority-class control to the models.
    recalls : bool
        Add a row ``recall:<class>`` per class.
    predictions : bool
        Return `table_of` the predictions instead of scores.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row per model, part and metric; ``seconds`` is for fit and predict,
        ``still_improving`` 1 where a network's validation had not stopped improving. Of a part that cannot be
        used the values are NaN.

    Raises
    ------
    ParameterError
        If there is no model.
    UnknownNameError
        If a metric is unknown.
    """
    chosen = _metrics(metrics, recalls)
    made = predict(models, parts, settings=settings, majority=majority)
    if predictions:
        return table_of(made)
    rows = [row for one in made for row in _rows(one.words, truth_of(one.part.test), one.predicted, chosen)]
    return pd.DataFrame(rows)[COLUMNS]


def table_of(predicted: Iterable[Prediction]) -> pd.DataFrame:
    """Return a row for every sample predicted, and for every target where there are several.

    Returns
    -------
    DataFrame
        The words of part and model, seconds, still_improving, sample, group, truth, predicted (and target, by
        position).

    Raises
    ------
    DataError
        If a part cannot be used: its predictions would be missing without a word.
    """
    tables = []
    for one in predicted:
        if one.predicted is None:
            raise DataError(f"a part holds a single class on one side: {one.words}")
        truth, samples = truth_of(one.part.test), one.part.test
        columns = {"sample": samples.names, "group": samples.groups}
        if truth.ndim == 2:
            columns = {key: np.repeat(values, truth.shape[1]) for key, values in columns.items()}
            columns["target"] = np.tile(np.arange(truth.shape[1]), len(truth))
        table = pd.DataFrame({**columns, "truth": truth.ravel(), "predicted": one.predicted.ravel()})
        tables.append(table.assign(**one.words))
    return pd.concat(tables, ignore_index=True)


def scores_of(predictions: pd.DataFrame, metrics: Metrics = ("balanced_accuracy",)) -> pd.DataFrame:
    """Return the scores of `table_of` some predictions, columns `COLUMNS`, as `run` returns them."""
    rows = []
    for key, part in predictions.groupby(KEYS, sort=False):
        words = dict(zip(KEYS, key, strict=True)) | {name: part[name].iloc[0] for name in COLUMNS[-2:]}
        rows += _rows(words, part["truth"].to_numpy(), part["predicted"].to_numpy(), _metrics(metrics))
    return pd.DataFrame(rows)[COLUMNS]


def fit(
    model: BaseEstimator, X: Any, y: Any, groups: Any, removed_within: Any = None, **more: Any
) -> BaseEstimator:
    """Return a fitted clone of `model`, handing to ``fit`` what it takes of the other arguments.

    In a pipeline the last step is asked, and it gets `groups` and `removed_within` alone: samples of another
    kind would have to go through the first steps. A search gets `groups` where it hands them to its folds.
    """
    model = clone(model)
    last, step = last_step(model), f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    if isinstance(last, GridSearchCV | RandomizedSearchCV):  # a mere number of folds would ignore groups
        given = {"groups": groups} if hasattr(last.cv, "split") else {}
    else:
        aligned = {"groups": groups, "removed_within": removed_within}
        given = taken(last.fit, aligned | ({} if step else more))
    return model.fit(X, y, **{f"{step}{name}": one for name, one in given.items()})


def last_step(model: BaseEstimator) -> BaseEstimator:
    """Return the model itself, or the last step of a pipeline."""
    return model.steps[-1][1] if isinstance(model, Pipeline) else model


def answer(fitted: BaseEstimator, X: np.ndarray) -> np.ndarray:
    """Return what a fitted model predicts, or how it reconstructs `X`."""
    if hasattr(fitted, "predict"):
        return np.asarray(fitted.predict(X))
    return fitted.inverse_transform(fitted.transform(X))


def truth_of(samples: Samples) -> np.ndarray:
    """Return what is to be predicted: labels, targets, or the samples themselves."""
    return samples.X if samples.y is None else samples.y


def control_of(model: BaseEstimator, control: str) -> str:
    """Return what the row controls for: majority class, predicting the mean, or what its part says."""
    if isinstance(model, DummyClassifier | DummyRegressor):
        return "majority" if isinstance(model, DummyClassifier) else "mean"
    return control


def _fitted(model: BaseEstimator, part: Part, start: Any, watch_test: bool) -> BaseEstimator:
    """Return a clone fitted on a part, from the start that samples before it gave, if it takes one."""
    X, y, groups, _, removed_within = part.train
    if start is not None and not len(X):
        return start
    if not taken(last_step(model).fit, {"start_from": start}):
        more = {"watch": {"test": _pair(part.test)}} if watch_test else {}
        more |= {"validation": _pair(part.validation)} if part.validation else {}
        return fit(model, X, y, groups, removed_within, **more)
    if not isinstance(model, Pipeline):
        return fit(model, X, y, groups, start_from=start)
    # The first steps stay as they were fitted before: the weights belong to inputs scaled that way.
    front = Pipeline(start.steps[:-1]) if len(start.steps) > 1 else None
    inside = X if front is None else front.transform(X)
    last = fit(last_step(model), inside, y, groups, start_from=last_step(start))
    return Pipeline([*start.steps[:-1], (model.steps[-1][0], last)])


def _pair(samples: Samples) -> Any:
    """Return samples as ``fit`` takes them for validation: X and y, or X alone."""
    return samples.X if samples.y is None else samples[:2]


def _metrics(metrics: Metrics, recalls: bool = False) -> dict[str, Metric]:
    """Return the wanted metrics by name."""
    if not isinstance(metrics, Mapping):
        check_known("metric", metrics, METRICS)
        metrics = {name: METRICS[name] for name in metrics}
    return {**metrics, "recall": METRICS["recall"]} if recalls else dict(metrics)


def _rows(
    words: Mapping[str, Any], truth: np.ndarray, predicted: np.ndarray | None, metrics: Mapping[str, Metric]
) -> list[dict[str, Any]]:
    """Return a row per metric, NaN without a prediction; a mapping gives rows ``metric:key``."""
    rows = []
    for metric, function in metrics.items():
        value = np.nan if predicted is None else function(truth, predicted)
        named = {metric: value}
        if isinstance(value, Mapping):
            named = {f"{metric}:{key}": one for key, one in value.items()}
        rows += [{**words, "metric": name, "value": float(one)} for name, one in named.items()]
    return rows
