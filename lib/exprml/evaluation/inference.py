"""Predict target genes from landmark genes: every error, by gene and by sample (chen2016, bhukya2021)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator

from exprml.base.errors import DataError, ParameterError
from exprml.base.fitting import shared_out
from exprml.evaluation import compare, experiment, landmark_parts
from exprml.evaluation.gene_errors import SHUFFLED as SHUFFLED
from exprml.evaluation.gene_errors import advantages as advantages
from exprml.evaluation.gene_errors import error_reductions as error_reductions
from exprml.evaluation.gene_errors import gene_errors, overall
from exprml.evaluation.gene_errors import gene_wins as gene_wins
from exprml.evaluation.landmark_parts import LandmarkPart, LandmarkProtocol
from exprml.evaluation.landmark_parts import three_parts as three_parts

ZERO = "predict zero"


class Inference(NamedTuple):
    """The errors of an inference.

    Attributes
    ----------
    scores : DataFrame
        Rows for `exprml.book.results.write`: a row per model, fold, seed and metric of `overall`; of the
        first fold also the mean absolute error on each tenth of the test groups (`compare.PATIENTS`).
    genes : DataFrame
        gene, absolute_error, squared_error, correlation, r2 (see `gene_errors`), model, setting, control,
        fold, seed.
    samples : DataFrame
        sample, group, absolute_error (mean over targets), model, setting, control, fold, seed.
    fitted : dict of str to estimator
        With ``keep_fitted``: the models of the first fold and seed.
    data : LandmarkPart
        Of the first fold and seed.
    """

    scores: pd.DataFrame
    genes: pd.DataFrame
    samples: pd.DataFrame
    fitted: dict[str, BaseEstimator]
    data: LandmarkPart


def infer(models: Mapping[str, BaseEstimator], expression: AnnData, **options: Any) -> Inference:
    """Predict the target genes of held-out samples from their landmark genes; return every error.

    Parameters
    ----------
    models : mapping of str to estimator
        Regressors of many targets, cloned before every fit. Where ``fit`` takes ``groups`` or ``validation``
        (a pipeline: ``groups``), it is handed them.
    expression, prepare_on
        As in `exprml.evaluation.landmark_parts.within`.
    score_validation : bool
        Add the metric "validation_mean_absolute_error".
    watch_test : bool
        Hand the test samples to ``fit(watch=...)`` of the networks, whose history then follows their error
        as "test"; nothing is chosen by it.
    keep_fitted : bool
        Keep the models of the first fold and seed.
    **options
        Of `exprml.evaluation.landmark_parts.LandmarkProtocol`: groups, prepare, n_folds, targets, …
    """
    return _inferred(models, partial(landmark_parts.within, expression), options)


def infer_across(
    models: Mapping[str, BaseEstimator], source: AnnData, target: AnnData, **options: Any
) -> Inference:
    """Train on one collection of samples, test on another, as chen2016 does across platforms (section 3.2).

    Parameters
    ----------
    models, score_validation, watch_test, keep_fitted, **options
        As in `infer`; the split is "across".
    source, target, validation, target_statistics, adapt
        As in `exprml.evaluation.landmark_parts.between`.
    """
    return _inferred(models, partial(landmark_parts.between, source, target), {"split": "across"} | options)


def _inferred(models: Mapping[str, BaseEstimator], cut: Callable, options: Mapping[str, Any]) -> Inference:
    """Return the errors on the parts that `cut` makes; each option goes to what has a parameter for it."""
    for_cut, for_models, for_errors, rest = shared_out(options, cut, experiment.predict, _errors)
    made = experiment.predict(models, cut(LandmarkProtocol(**rest), **for_cut), **for_models)
    return _errors(made, **for_errors)


def joined(*inferences: Inference) -> Inference:
    """Return several inferences as one: tables one below the other, fitted models and data of the first."""
    return inferences[0]._replace(**_below(one[:3] for one in inferences))


def _below(tables: Iterable[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return scores, genes and samples of several, one below the other."""
    columns = zip(Inference._fields, zip(*tables, strict=True), strict=False)
    return {name: pd.concat(some, ignore_index=True) for name, some in columns}


def _errors(
    predictions: Iterable[experiment.Prediction], *, score_validation: bool = False, keep_fitted: bool = False
) -> Inference:
    """Return the errors of predictions, which are not kept themselves."""
    tables, kept, first = [], {}, None
    for words, part, fitted, predicted in predictions:
        first = first or part
        if words["control"] == "mean":
            words = {**words, "control": ZERO}  # the mean of standardised training targets
        errors = gene_errors(part.test.y, predicted.reshape(part.test.y.shape), part.targets)
        values = overall(errors.by_gene)
        if words["fold"] == 0:
            values |= _by_tenth(errors.by_sample, part.test.groups)
        if score_validation:
            X, Y = part.validation[:2]
            wrong = gene_errors(Y, np.reshape(fitted.predict(X), Y.shape), part.targets)
            values["validation_mean_absolute_error"] = float(wrong.by_sample.mean())
        scores = pd.DataFrame({"metric": list(values), "value": list(values.values())}).assign(**words)
        narrow = {key: words[key] for key in ("model", "setting", "control", "fold", "seed")}
        samples = pd.DataFrame({"sample": part.test.names, "group": part.test.groups})
        samples = samples.assign(absolute_error=errors.by_sample, **narrow)
        tables.append((scores[experiment.COLUMNS], errors.by_gene.assign(**narrow), samples))
        if keep_fitted and part is first:
            kept[words["model"]] = fitted
    return Inference(**_below(tables), fitted=kept, data=first)


def _by_tenth(errors: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """Return the mean error on each tenth of the groups; a group is in the same tenth whatever the seed."""
    tenths = [crc32(str(one).encode()) % 10 for one in groups]
    return pd.Series(errors).groupby(tenths).mean().add_prefix(compare.PATIENTS).to_dict()


def in_unit(found: Inference, factors: pd.Series, *, setting: str) -> Inference:
    """Return the errors of kept models in another unit: the values of each gene times a factor.

    Two runs that standardised by different samples count errors in different standard deviations; in one
    unit they can be compared.

    Parameters
    ----------
    found : Inference
        Of one fold and seed, with ``keep_fitted=True``.
    factors : Series
        Gene -> one of its units in `found`, counted in the new unit.
    setting : str
        Of the new rows.

    Raises
    ------
    ParameterError
        If no models were kept, or there are several folds or seeds.
    DataError
        If a target has no factor.
    """
    if not found.fitted or len(found.scores[["fold", "seed"]].drop_duplicates()) > 1:
        raise ParameterError("in_unit needs one fold and seed, inferred with keep_fitted=True")
    factor = factors.reindex(found.data.targets)
    if factor.isna().any():
        raise DataError(
            f"{factor.isna().sum()} targets have no factor, as {factor.index[factor.isna()][0]!r}"
        )
    part, factor = found.data, factor.to_numpy()
    rescaled = replace(part, test=part.test._replace(y=part.test.y * factor))
    seconds = found.scores.groupby("model")["seconds"].first()
    turned = []
    for name, model in found.fitted.items():
        control = experiment.control_of(model, part.words["control"])
        words = dict(part.words, model=name, control=control, setting=setting, seconds=seconds[name])
        words["still_improving"] = getattr(model, "still_improving_", np.nan)
        predicted = np.reshape(model.predict(part.test.X), part.test.y.shape) * factor
        turned.append(experiment.Prediction(words, rescaled, model, predicted))
    return _errors(turned, keep_fitted=True)._replace(data=part)
