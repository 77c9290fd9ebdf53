"""Cross-validation and learning curves as long tables: one row per model, fold, training size and metric."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.evaluation.arrays import as_arrays, obs_column
from exprml.evaluation.linear_signal import remove_linear_signal, remove_within
from exprml.evaluation.metrics import METRICS, Metric, recall_per_class
from exprml.evaluation.splits import (
    GroupFolds,
    SampleFolds,
    assert_groups_apart,
    is_classification,
    learning_curve_subsets,
)

_KEYS = ["task", "model", "setting", "control", "split", "fold", "seed", "n_train"]
COLUMNS = [*_KEYS, "metric", "value", "seconds"]
# What tells two learning curves apart, in any table of the book.
CURVE = ["source", "line", "dataset", "task", "model", "setting", "control", "split", "fold", "seed"]
Settings = Mapping[tuple[str, int, int], Mapping[str, Any]]
SPLITS = {
    "group": GroupFolds,
    "stratified-group": lambda n_splits, seed: GroupFolds(n_splits, seed, stratify=True),
    "sample": SampleFolds,
}
REMOVALS = ("none", "split", "joint", "training")
MODES = {
    "intact": "none",
    "removed": "split",
    "removed jointly": "joint",
    "removed within": "split",
    "removed in training only": "training",
}
SHUFFLED = "shuffled labels"
MAJORITY = "majority class"


def majority_control() -> DummyClassifier:
    """Return the control that always answers the commonest class."""
    return DummyClassifier(strategy="most_frequent")


@dataclass
class _Part:
    """One training set and the validation set it is scored on."""

    labels: dict[str, Any]
    X_train: np.ndarray
    y_train: np.ndarray
    groups_train: np.ndarray
    X_validation: np.ndarray
    y_validation: np.ndarray
    usable: bool


def cross_validate(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    folds: int | Sequence[tuple[np.ndarray, np.ndarray]] = 5,
    folds_run: int | None = None,
    seeds: Sequence[int] = (0,),
    fractions: Sequence[float] = (1.0,),
    split: str = "group",
    removal: str = "none",
    removal_scope: str = "fold",
    within: Any = None,
    settings: Settings | None = None,
    shuffle_labels: bool = False,
    majority: bool = False,
    metrics: Sequence[str] | Mapping[str, Metric] = ("balanced_accuracy",),
    recalls: bool = False,
    task: str = "",
    setting: str = "",
) -> pd.DataFrame:
    """Fit every model on every fold, seed and training size; return a long table of scores.

    Parameters
    ----------
    models : mapping of str to estimator
        Scikit-learn estimators; each is cloned before every fit. Where the ``fit`` of a model, of the last
        step of its pipeline, or of a search takes ``groups``, it gets the groups of the training samples.
    X : ndarray, DataFrame or AnnData, shape (samples, features)
        Expression values.
    y, groups : array, shape (samples,), or the name of an obs column of an AnnData
        Labels (or numbers, also samples x targets) and the groups that must stay on one side.
        Without groups each sample is its own group.
    folds : int or list of (training, validation) indices
        Number of folds for each seed, or the folds themselves.
    folds_run : int, optional
        Run only the first so many of them; the folds stay the same.
    seeds : sequence of int
        Each draws its own folds and subsets (heil2022, Model evaluation).
    fractions : sequence of float
        Shares of the training samples, see `learning_curve_subsets`.
    split : {"group", "stratified-group", "sample"}
        How folds are made; "sample" ignores the groups, which leaks.
    removal : {"none", "split", "joint", "training"}
        Remove the linear signal of `y`: "split" once from the training folds and once from the validation
        fold, each with its own labels; "joint" from all data before splitting (heil2022, Signal removal);
        "training" from the training folds alone, since nobody has the labels of new samples.
    removal_scope : {"fold", "subset"}
        With "split": remove before the training subset is drawn (the paper's way), or after.
    within : array, shape (samples,), or the name of an obs column of an AnnData
        With "split": remove separately within each of its levels (a cohort), so that differences between
        the classes that are linear in one level and other in the next go too.
    settings : mapping of (model name, seed, fold) to dict
        Parameters set before each fit, as a nested search finds them for every outer fold.
    shuffle_labels : bool
        Control: permute the labels over all samples first, once per seed.
    majority : bool
        Add the majority-class control to the models.
    metrics : names of `METRICS`, or mapping of str to function
        ``metric(truth, predicted)`` returns a number, or a mapping that becomes rows ``metric:key``.
    recalls : bool
        Add a row ``recall:<class>`` per class.
    task, setting : str
        Copied into the table.

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
    within = obs_column(X, within, "within")
    X, y, groups = as_arrays(X, y, groups)
    chosen = _chosen_metrics(metrics, recalls)
    models = {**models, MAJORITY: majority_control()} if majority else dict(models)
    _check_options(models, y, split, removal, removal_scope, shuffle_labels)
    _check_within(within, len(y), removal)
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        target = np.random.default_rng([seed, 1]).permutation(y) if shuffle_labels else y
        values = remove_linear_signal(X, target) if removal == "joint" else X
        pairs = fold_pairs(folds, split, seed, target, groups)[:folds_run]
        scope = removal_scope if removal in ("split", "training") else None
        parts = _parts(values, target, groups, pairs, seed, fractions, scope, within, removal == "split")
        for part in parts:
            for name, model in models.items():
                found = (settings or {}).get((name, seed, part.labels["fold"]))
                model = clone(model).set_params(**found) if found else model
                rows += _scores(name, model, part, chosen)
    table = pd.DataFrame(rows).assign(task=task, setting=setting)
    table["split"] = split if isinstance(folds, int) else "given"
    table["control"] = [control_of(models[name], shuffle_labels) for name in table["model"]]
    return table[COLUMNS]


def before_and_after(
    models: Mapping[str, BaseEstimator],
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    modes: Sequence[str] = ("intact", "removed"),
    within: Any = None,
    **options: Any,
) -> pd.DataFrame:
    """Return `cross_validate` on the same folds for each of the `modes`, which become the column ``setting``.

    Parameters
    ----------
    models, X, y, groups, **options
        As in `cross_validate`.
    modes : sequence of names of `MODES`
        "intact"; "removed" from training and validation apart; "removed jointly" from all data before
        splitting; "removed within", as "removed", but apart in each level of `within`; "removed in
        training only".
    within : array or the name of an obs column of an AnnData
        Only for "removed within"; a name is added to that setting.

    Raises
    ------
    UnknownNameError
        If a mode is unknown.
    ParameterError
        If "removed within" has nothing to be within.
    """
    check_known("mode", modes, MODES)
    parts = []
    for mode in modes:
        inside = within if mode == "removed within" else None
        if mode == "removed within" and within is None:
            raise ParameterError("mode 'removed within' needs `within`: the levels to remain inside of")
        setting = f"{mode} {inside}" if isinstance(inside, str) else mode
        options |= {"removal": MODES[mode], "within": inside, "setting": setting}
        parts.append(cross_validate(models, X, y, groups, **options))
    return pd.concat(parts, ignore_index=True)


def at_full_size(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the largest training size of each curve: one model, task, setting, seed and fold.

    Rows without a training size form a curve of their own. A table without the column is returned as it is.
    """
    if "n_train" not in table or table["n_train"].isna().all():
        return table
    curve = [column for column in CURVE if column in table]
    size = table["n_train"].fillna(-1)
    largest = table.assign(n_train=size).groupby(curve, dropna=False)["n_train"].transform("max")
    return table[size == largest]


def _chosen_metrics(metrics: Sequence[str] | Mapping[str, Metric], recalls: bool) -> dict[str, Metric]:
    """Return the wanted metrics by name."""
    if not isinstance(metrics, Mapping):
        check_known("metric", metrics, METRICS)
        metrics = {name: METRICS[name] for name in metrics}
    return {**metrics, "recall": recall_per_class} if recalls else dict(metrics)


def _check_options(
    models: Mapping, y: np.ndarray, split: str, removal: str, scope: str, shuffle_labels: bool
) -> None:
    """Raise if an option is unknown or does not fit the target."""
    check_known("split", [split], SPLITS)
    check_known("removal", [removal], REMOVALS)
    check_known("removal_scope", [scope], ("fold", "subset"))
    if not models:
        raise ParameterError("no models to score: give at least one")
    if not is_classification(y) and (removal != "none" or shuffle_labels):
        raise ParameterError("removal and shuffle_labels need class labels, not numbers")


def fold_pairs(
    folds: int | Sequence, split: str, seed: int, y: np.ndarray, groups: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the (training, validation) indices that `cross_validate` runs for one of its seeds.

    Parameters
    ----------
    folds, split, seed, y, groups
        As there, `y` and `groups` as arrays, shape (samples,); folds that are given are not checked.

    Raises
    ------
    DataError
        If the samples cannot be cut so, or a group stands on both sides.
    """
    if not isinstance(folds, int | np.integer):
        return [(np.asarray(train), np.asarray(validation)) for train, validation in folds]
    labels = y if is_classification(y) else None
    pairs = list(SPLITS[split](int(folds), seed).split(y, labels, groups))
    if split != "sample":
        for pair in pairs:
            assert_groups_apart(groups, *pair)
    return pairs


def _parts(
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    pairs: Sequence,
    seed: int,
    fractions: Sequence[float],
    scope: str | None,
    within: np.ndarray | None,
    validation_too: bool,
) -> Iterator[_Part]:
    """Yield each fold's training subsets; with a removal scope, signal is removed once per fold or subset."""

    def removed(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return remove_within(values, y[rows], None if within is None else within[rows])

    several = _several_classes if is_classification(y) else lambda labels: True
    for fold, (train, validation) in enumerate(pairs):
        usable = scope is None or (several(y[train]) and several(y[validation]))
        X_train, X_validation = X[train], X[validation]
        if scope and usable:
            X_validation = removed(X_validation, validation) if validation_too else X_validation
            X_train = removed(X_train, train) if scope == "fold" else X_train
        for subset in learning_curve_subsets(len(train), fractions, seed=seed * 1009 + fold).values():
            chosen = train[subset]
            X_subset = X_train if len(subset) == len(train) else X_train[subset]
            fits = usable and several(y[chosen])
            if scope == "subset" and fits:
                X_subset = removed(X_subset, chosen)
            labels = {"fold": fold, "seed": seed, "n_train": len(chosen)}
            yield _Part(labels, X_subset, y[chosen], groups[chosen], X_validation, y[validation], fits)


def _check_within(within: np.ndarray | None, n_samples: int, removal: str) -> None:
    """Raise if `within` has another length, or no removal to act on."""
    if within is None:
        return
    if removal != "split":
        raise ParameterError(f"within needs removal='split', not {removal!r}")
    if len(within) != n_samples:
        raise DataError(f"within has {len(within)} entries for {n_samples} samples")
    if pd.isna(within).any():
        raise DataError(f"within: {int(pd.isna(within).sum())} samples have no level; drop them first")


def _several_classes(labels: np.ndarray) -> bool:
    """Tell whether there are at least two classes."""
    return len(np.unique(labels)) > 1


def _scores(name: str, model: BaseEstimator, part: _Part, metrics: Mapping[str, Metric]) -> list[dict]:
    """Fit one model on one part; return a row per metric."""
    row = {"model": name, **part.labels}
    if not part.usable:
        return [{**row, "metric": metric, "value": np.nan, "seconds": np.nan} for metric in metrics]
    start = time.perf_counter()
    fitted = fit(model, part.X_train, part.y_train, part.groups_train)
    predicted = fitted.predict(part.X_validation)
    row["seconds"] = time.perf_counter() - start
    return [
        {**row, "metric": label, "value": value}
        for metric, function in metrics.items()
        for label, value in _named_values(metric, function(part.y_validation, predicted))
    ]


def _named_values(metric: str, value: float | Mapping[str, float]) -> list[tuple[str, float]]:
    """Return (name, value) pairs; a mapping gives ``metric:key`` for each of its keys."""
    if isinstance(value, Mapping):
        return [(f"{metric}:{key}", float(one)) for key, one in value.items()]
    return [(metric, float(value))]


def fit(model: BaseEstimator, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> BaseEstimator:
    """Return a fitted clone of `model`, handing `groups` to those that take them."""
    model = clone(model)
    if isinstance(model, Pipeline):
        last, estimator = model.steps[-1]
        return model.fit(X, y, **({f"{last}__groups": groups} if _takes_groups(estimator) else {}))
    return model.fit(X, y, **({"groups": groups} if _takes_groups(model) else {}))


def _takes_groups(model: BaseEstimator) -> bool:
    """Tell whether the model's ``fit`` has a `groups` argument, or is a search that hands it to its folds."""
    if isinstance(model, GridSearchCV | RandomizedSearchCV):
        return hasattr(model.cv, "split")  # a mere number of folds would ignore them
    return "groups" in inspect.signature(model.fit).parameters


def control_of(model: BaseEstimator, shuffled: bool) -> str:
    """Return what the row controls for: majority class, predicting the mean, shuffled labels, or nothing."""
    if isinstance(model, DummyClassifier | DummyRegressor):
        return "majority" if isinstance(model, DummyClassifier) else "mean"
    return SHUFFLED if shuffled else ""
