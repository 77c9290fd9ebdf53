"""Predict target genes from landmark genes: parts by group, scaling, fits and errors (chen2016, bhukya2021).

Samples are cut into training, validation and test by whole groups. Whatever is learnt from data, the scaling
too, is learnt from training samples, unless a function is told otherwise; validation samples choose an epoch
or a penalty; test samples are predicted, and nothing else.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import Pipeline

from exprml.base.errors import ParameterError, check_known
from exprml.evaluation import scoring
from exprml.evaluation.gene_errors import (
    SHUFFLED,
    GeneErrors,
    GeneWins,
    advantages,
    error_increases,
    error_reductions,
    errors_beside,
    gene_errors,
    gene_wins,
    in_unit,
    overall,
)
from exprml.evaluation.prepared import Data, Side, common_genes, cut, fitted_on, for_target, side_of
from exprml.evaluation.splits import assert_groups_apart, check_groups, fold_numbers

__all__ = [
    "SHUFFLED", "ZERO", "Data", "GeneErrors", "GeneWins", "Inference", "Parts", "advantages",
    "error_increases", "error_reductions", "errors_beside", "gene_errors", "gene_wins", "in_unit", "infer",
    "infer_across", "joined", "overall", "three_parts",
]  # fmt: skip

ZERO = "predict zero"
PREPARE_ON = ("training", "all")


class Parts(NamedTuple):
    """Indices of the samples that train, that choose (epoch, penalty), and that test."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Inference(NamedTuple):
    """The errors of an inference.

    Attributes
    ----------
    scores : DataFrame
        Rows for `exprml.book.results.write`: a row per model, fold, seed and metric of `overall`.
    genes : DataFrame
        gene, absolute_error, squared_error, correlation, r2 (see `gene_errors`), model, setting, control,
        fold, seed.
    samples : DataFrame
        sample, group, absolute_error (mean over targets), model, setting, control, fold, seed.
    fitted : dict of str to estimator
        With ``keep_fitted``: the models of the first fold and seed.
    data : Data
        Of the first fold and seed.
    """

    scores: pd.DataFrame
    genes: pd.DataFrame
    samples: pd.DataFrame
    fitted: dict[str, BaseEstimator]
    data: Data


def three_parts(groups: Sequence, *, n_folds: int = 10, fold: int = 0, seed: int = 0) -> Parts:
    """Cut samples by whole groups: fold `fold` tests, the next one validates, the others train.

    Ten folds give the 80/10/10 % of chen2016 (section 2.1), there by sample.

    Parameters
    ----------
    groups : array, shape (samples,)
        The group of each sample.
    n_folds : int
        At least 3.
    fold : int
        Which fold tests.
    seed : int
        Orders the groups.

    Raises
    ------
    ParameterError
        If there are fewer than three folds, or no fold of that number.
    DataError
        If there are fewer groups than folds, or a sample has no group.
    """
    if n_folds < 3:
        raise ParameterError(f"n_folds={n_folds}: three parts need at least 3")
    if not 0 <= fold < n_folds:
        raise ParameterError(f"fold={fold}: there are folds 0 to {n_folds - 1}")
    groups = check_groups(groups, n_splits=n_folds)
    turn = (fold_numbers(groups, n_folds, seed) - fold) % n_folds
    parts = Parts(*map(np.flatnonzero, (turn > 1, turn == 1, turn == 0)))
    assert_groups_apart(groups, *parts)
    return parts


def infer(
    models: Mapping[str, BaseEstimator],
    expression: AnnData,
    *,
    groups: Any = "patient",
    prepare: BaseEstimator | None = None,
    prepare_on: str = "training",
    n_folds: int = 10,
    folds_run: int = 1,
    seeds: Sequence[int] = (0,),
    targets: Sequence[str] | None = None,
    shuffle_targets: bool = False,
    score_validation: bool = False,
    watch_test: bool = False,
    keep_fitted: bool = False,
    task: str = "targets",
    setting: str = "",
    split: str = "",
) -> Inference:
    """Predict the target genes of held-out samples from their landmark genes; return every error.

    Parameters
    ----------
    models : mapping of str to estimator
        Regressors of many targets, cloned before every fit. Where ``fit`` takes ``groups`` or ``validation``
        (a pipeline: ``groups``), it is handed them.
    expression : AnnData, samples x genes
        ``var`` has the bool columns is_landmark and is_target; other genes are left out.
    groups : str, array or None
        The obs column, or group of each sample, that no two parts share. None: every sample by itself.
    prepare : transformer, optional
        Fitted on and applied to landmark and target genes together, in the order of `expression`; default
        standardises each gene.
    prepare_on : {"training", "all"}
        Which samples `prepare` is fitted on. "all" lets validation and test samples in, as chen2016 does.
    n_folds, folds_run, seeds
        See `three_parts`; folds 0 to `folds_run` - 1 test in turn, and each seed orders the groups anew.
    targets : sequence of str, optional
        Predict these target genes alone; what is prepared stays the same.
    shuffle_targets : bool
        Control: permute the rows of the training targets, so that no landmark belongs to its targets.
    score_validation : bool
        Add the metric "validation_mean_absolute_error".
    watch_test : bool
        Hand the test samples to ``fit(watch=...)`` of the networks, whose history then follows their error
        as "test"; nothing is chosen by it.
    keep_fitted : bool
        Keep the models of the first fold and seed.
    task, setting, split : str
        Copied into the tables; `split` is "group", or "sample" without groups, if left empty.

    Raises
    ------
    DataError
        If landmark or target genes are missing, values are not finite, or groups cannot be cut.
    UnknownNameError
        If a target, or the obs column, is unknown.
    """
    check_known("prepare_on", [prepare_on], PREPARE_ON)
    if not 1 <= folds_run <= n_folds:
        raise ParameterError(f"folds_run={folds_run}: between 1 and n_folds={n_folds}")
    side = side_of(expression, groups)

    def folds() -> Iterator[tuple[dict[str, int], Data]]:
        for seed in seeds:
            for fold in range(folds_run):
                parts = three_parts(side.groups, n_folds=n_folds, fold=fold, seed=seed)
                seen = side if prepare_on == "all" else side.part(parts.train)
                fitted = fitted_on(prepare, seen.values)
                scaled = [side.part(rows).scaled(fitted) for rows in parts]
                yield {"fold": fold, "seed": seed}, cut(scaled, fitted, targets)

    labels = {"task": task, "setting": setting, "split": split or ("sample" if groups is None else "group")}
    options = _Options(shuffle_targets, score_validation, watch_test, keep_fitted)
    return _run(models, folds(), labels, options)


def infer_across(
    models: Mapping[str, BaseEstimator],
    source: AnnData,
    target: AnnData,
    *,
    groups: Any = "patient",
    validation: str | AnnData = "source",
    target_statistics: str = "source",
    prepare: BaseEstimator | None = None,
    adapt: Callable[[Any], Any] | None = None,
    n_folds: int = 10,
    folds_run: int = 1,
    seeds: Sequence[int] = (0,),
    targets: Sequence[str] | None = None,
    shuffle_targets: bool = False,
    score_validation: bool = False,
    watch_test: bool = False,
    keep_fitted: bool = False,
    task: str = "targets",
    setting: str = "",
    split: str = "across",
) -> Inference:
    """Train on one collection of samples, test on another, as chen2016 does across platforms (section 3.2).

    Genes that both have are used. Groups of the source that the target has too are left out of training and
    validation, and counted in ``data.left_out``.

    Parameters
    ----------
    models, targets, shuffle_targets, score_validation, watch_test, keep_fitted, task, setting, split
        As in `infer`.
    source, target : AnnData
        As `expression` in `infer`; var names are matched, is_landmark and is_target must agree.
    groups : str
        An obs column of both.
    validation : {"source", "target"} or AnnData
        Where the samples that choose come from: a fold of the source, which is then not trained on; a fold of
        the target, which is then not tested on; or a third collection, all of it, prepared as the target is
        (chen2016 chooses on 1000G and tests on GTEx). Then there are no folds.
    target_statistics : {"source", "own"}
        How target samples are prepared: as fitted on the source, or by the target's own statistics: the last
        step of `prepare` is fitted again on all of the target, test samples included (chen2016's way).
    prepare : transformer, optional
        Fitted on the source's training samples; default standardises each gene.
    adapt : function, optional
        Takes the fitted `prepare` and returns the one for target samples (another form of quantile
        normalisation with the same reference).
    n_folds, folds_run, seeds
        Fold ``fold`` of the source (or target) validates; folds 0 to `folds_run` - 1 do in turn.
    """
    third = side_of(validation, groups) if isinstance(validation, AnnData) else None
    check_known("validation", [] if third else [validation], ("source", "target"))
    check_known("target_statistics", [target_statistics], ("source", "own"))
    if not isinstance(groups, str):  # numbers of samples would be taken for the same patients
        raise ParameterError(f"groups={groups!r}: an obs column of both is needed, such as 'patient'")
    if not 1 <= folds_run <= n_folds:
        raise ParameterError(f"folds_run={folds_run}: between 1 and n_folds={n_folds}")
    here, there = common_genes(side_of(source, groups), side_of(target, groups))
    if third:
        here, third = common_genes(here, third)
        there = common_genes(here, there)[1]
        third = third.part(np.flatnonzero(~np.isin(third.groups, there.groups)))
    shared = np.isin(here.groups, [*there.groups, *(third.groups if third else ())])
    left_out = len(np.unique(here.groups[shared]))
    here = here.part(np.flatnonzero(~shared))

    def folds() -> Iterator[tuple[dict[str, int], Data]]:
        for seed, fold in product(seeds, range(1 if third else folds_run)):
            parts = here, third, there
            if not third:
                parts = _turn(here, there, validation == "source", n_folds=n_folds, fold=fold, seed=seed)
            train, held, test = parts
            fitted = fitted_on(prepare, train.values)
            across, of_third = (
                for_target(fitted, one.values, target_statistics, adapt) if one else None
                for one in (there, third)
            )
            chooses = of_third or (fitted if validation == "source" else across)
            scaled = [train.scaled(fitted), held.scaled(chooses), test.scaled(across)]
            yield {"fold": fold, "seed": seed}, cut(scaled, fitted, targets, left_out)

    labels = {"task": task, "setting": setting, "split": split}
    options = _Options(shuffle_targets, score_validation, watch_test, keep_fitted)
    return _run(models, folds(), labels, options)


def _turn(
    here: Side, there: Side, of_source: bool, *, n_folds: int, fold: int, seed: int
) -> tuple[Side, Side, Side]:
    """Return the samples that train, choose and test where a fold of the source or of the target chooses."""
    chosen = here if of_source else there
    mask = fold_numbers(check_groups(chosen.groups, n_splits=n_folds), n_folds, seed) == fold
    rest, held = (chosen.part(np.flatnonzero(one)) for one in (~mask, mask))
    return (rest, held, there) if of_source else (here, held, rest)


def joined(*inferences: Inference) -> Inference:
    """Return several inferences as one: tables one below the other, fitted models and data of the first."""
    tables = [
        pd.concat(parts, ignore_index=True) for parts in zip(*(one[:3] for one in inferences), strict=True)
    ]
    return Inference(*tables, inferences[0].fitted, inferences[0].data)


class _Options(NamedTuple):
    """What a run does besides fitting and testing."""

    shuffle_targets: bool
    score_validation: bool
    watch_test: bool
    keep_fitted: bool


def _run(
    models: Mapping[str, BaseEstimator],
    folds: Iterator[tuple[dict[str, int], Data]],
    labels: Mapping[str, str],
    options: _Options,
) -> Inference:
    """Fit every model on every fold; return its errors."""
    if not models:
        raise ParameterError("no models to fit: give at least one")
    scores, genes, samples, kept, first = [], [], [], {}, None
    for where, data in folds:
        for name, model in models.items():
            labelled = {**labels, **where, "model": name, "control": _control(model, options.shuffle_targets)}
            start = time.perf_counter()
            fitted = _fit(model, data, where["seed"], options)
            errors = gene_errors(data.test[1], _predicted(fitted, *data.test), data.targets)
            seconds = time.perf_counter() - start
            values = overall(errors.by_gene)
            if options.score_validation:
                wrong = gene_errors(data.validation[1], _predicted(fitted, *data.validation), data.targets)
                values["validation_mean_absolute_error"] = float(wrong.by_sample.mean())
            table = pd.DataFrame({"metric": list(values), "value": list(values.values())})
            scores.append(table.assign(**labelled, n_train=len(data.train[0]), seconds=seconds))
            narrow = {key: value for key, value in labelled.items() if key not in ("task", "split")}
            genes.append(errors.by_gene.assign(**narrow))
            named = {"sample": data.test_samples, "group": data.test_groups}
            samples.append(pd.DataFrame({**named, "absolute_error": errors.by_sample}).assign(**narrow))
            if options.keep_fitted and first is None:
                kept[name] = fitted
        first = data if first is None else first
    tables = [pd.concat(parts, ignore_index=True) for parts in (scores, genes, samples)]
    return Inference(tables[0][scoring.COLUMNS], tables[1], tables[2], kept, first)


def _fit(model: BaseEstimator, data: Data, seed: int, options: _Options) -> BaseEstimator:
    """Return a fitted clone, handing on what its ``fit`` takes of groups, validation and watched samples."""
    X, Y = data.train
    if options.shuffle_targets:
        Y = Y[np.random.default_rng([seed, 1]).permutation(len(Y))]
    known = inspect.signature(model.fit).parameters
    if isinstance(model, Pipeline) or "validation" not in known:
        return scoring.fit(model, X, Y, data.train_groups)
    more: dict[str, Any] = {"validation": data.validation}
    if "groups" in known:
        more["groups"] = data.train_groups
    if options.watch_test and "watch" in known:
        more["watch"] = {"test": data.test}
    return clone(model).fit(X, Y, **more)


def _predicted(fitted: BaseEstimator, X: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return predictions as samples x targets, also for a single target."""
    return np.asarray(fitted.predict(X)).reshape(truth.shape)


def _control(model: BaseEstimator, shuffled: bool) -> str:
    """Return what the rows of a model control for, or nothing."""
    if isinstance(model, DummyRegressor):
        return ZERO  # the mean of standardised training targets
    known = scoring.control_of(model, shuffled=False)
    return SHUFFLED if shuffled and not known else known
