"""Errors of predicted genes: per gene, per sample, how often and by how much one model is ahead of another.

The metric of chen2016 (section 2.4) and bhukya2021: mean absolute error per gene over test samples, on
standardised values; the overall error is its mean over genes. Lower is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.evaluation.compare import ENDS, benjamini_hochberg, tested

SHUFFLED = "shuffled targets"
GENES_AT_ONCE = 512  # bounds the memory of float64 copies: 45 MB for 11,101 samples
Side = str | tuple[str, str]
Pairs = Mapping[str, tuple[Side, Side]]


class GeneErrors(NamedTuple):
    """Errors of one prediction: a row per gene, and the mean absolute error of each sample."""

    by_gene: pd.DataFrame
    by_sample: np.ndarray


class GeneWins(NamedTuple):
    """How often one model's error is below another's, and the relative gain, gene by gene.

    Attributes
    ----------
    share : float
        Share of genes with lower error, by any amount.
    median, low, high : float
        Of the relative gain ``1 - error / other error``: median, 5th and 95th percentile over genes.
    n_genes : int
    gains : Series
        The relative gain of each gene; negative where the other model is ahead.
    """

    share: float
    median: float
    low: float
    high: float
    n_genes: int
    gains: pd.Series


def gene_errors(truth: np.ndarray, predicted: np.ndarray, genes: Sequence[str]) -> GeneErrors:
    """Return the errors of a prediction, by gene and by sample.

    Parameters
    ----------
    truth, predicted : ndarray, shape (samples, genes)
        Standardised values; they are read in blocks of genes, and no copy of them is made.
    genes : sequence of str
        Names of the columns.

    Returns
    -------
    GeneErrors
        ``by_gene``: gene, absolute_error, squared_error (means over samples), correlation (Pearson; NaN where
        a side is constant), r2 (NaN where the truth is constant).

    Raises
    ------
    DataError
        If the shapes differ or a prediction is not finite.
    """
    if truth.shape != predicted.shape or truth.shape[1] != len(genes):
        raise DataError(
            f"predictions of shape {predicted.shape} for truth {truth.shape} and {len(genes)} gene names"
        )
    by_sample = np.zeros(len(truth))
    parts = []
    for start in range(0, truth.shape[1], GENES_AT_ONCE):
        block = slice(start, start + GENES_AT_ONCE)
        known, guess = truth[:, block].astype(np.float64), predicted[:, block].astype(np.float64)
        wrong = np.abs(guess - known)
        by_sample += wrong.sum(axis=1)
        parts.append(_block(known, guess, wrong))
    table = pd.concat(parts, ignore_index=True)
    if not np.isfinite(table["absolute_error"]).all():
        lost = np.asarray(genes)[~np.isfinite(table["absolute_error"])]
        raise DataError(f"predictions of {len(lost)} genes are not finite, as of {str(lost[0])!r}")
    table.insert(0, "gene", np.asarray(genes))
    return GeneErrors(table, by_sample / truth.shape[1])


def _block(known: np.ndarray, guess: np.ndarray, wrong: np.ndarray) -> pd.DataFrame:
    """Return the errors of a few genes."""
    squared = np.square(wrong).mean(axis=0)
    known, guess = known - known.mean(axis=0), guess - guess.mean(axis=0)
    spread, guessed = known.std(axis=0), guess.std(axis=0)
    flat = (spread < 1e-9) | (guessed < 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(flat, np.nan, (known * guess).mean(axis=0) / (spread * guessed))
        r2 = np.where(spread < 1e-9, np.nan, 1 - squared / np.square(spread))
    errors = {"absolute_error": wrong.mean(axis=0), "squared_error": squared}
    return pd.DataFrame({**errors, "correlation": correlation, "r2": r2})


def overall(by_gene: pd.DataFrame) -> dict[str, float]:
    """Return the scores over genes: metric -> value.

    Returns
    -------
    dict
        mean_absolute_error; sd_over_genes (of the genes' absolute errors, ddof 0: what chen2016 prints as ±);
        mean_squared_error; correlation and r2 (means over the genes that have one, NaN if none has).
    """
    error = by_gene["absolute_error"]
    return {
        "mean_absolute_error": float(error.mean()),
        "sd_over_genes": float(error.std(ddof=0)),
        "mean_squared_error": float(by_gene["squared_error"].mean()),
        "correlation": float(by_gene["correlation"].mean()),
        "r2": float(by_gene["r2"].mean()),
    }


def rows_of(table: pd.DataFrame, side: Side) -> pd.DataFrame:
    """Return the rows of a model, or of a (model, setting); those with shuffled targets are left out.

    Raises
    ------
    UnknownNameError
        If there is no such model or setting.
    ParameterError
        If a model alone is named and there are several settings of it.
    """
    model, setting = side if isinstance(side, tuple) else (side, None)
    kept = table[table["control"] != SHUFFLED] if "control" in table else table
    rows = kept[kept["model"] == model]
    if rows.empty:
        raise UnknownNameError("model", model, set(kept["model"]), "the table of errors")
    settings = list(dict.fromkeys(rows["setting"])) if "setting" in rows else [None]
    if setting is None and len(settings) > 1:
        raise ParameterError(f"model {model!r} has settings {settings}: name one, as (model, setting)")
    if setting is not None and setting not in settings:
        raise UnknownNameError("setting", setting, settings, f"the errors of {model!r}")
    return rows if setting is None else rows[rows["setting"] == setting]


def errors_beside(genes: pd.DataFrame, x: Side, y: Side) -> pd.DataFrame:
    """Return the mean absolute error of two models over the folds and seeds they share.

    Parameters
    ----------
    genes : DataFrame
        ``Inference.genes``.
    x, y : str or (str, str)
        Models, or (model, setting).

    Returns
    -------
    DataFrame
        Index the genes; columns x, y.

    Raises
    ------
    DataError
        If the two share no gene, fold and seed.
    """
    keys = ["gene", *(name for name in ("fold", "seed") if name in genes)]
    return _beside(genes, x, y, keys).groupby(level="gene", sort=False).mean()


def _beside(table: pd.DataFrame, x: Side, y: Side, keys: list[str]) -> pd.DataFrame:
    """Return the errors of two models, columns x and y, on the rows that both have by the `keys`."""
    sides = [rows_of(table, one).set_index(keys)["absolute_error"] for one in (x, y)]
    both = pd.concat(sides, axis=1, join="inner", keys=["x", "y"])
    if both.empty:
        raise DataError(f"{x!r} and {y!r} share no {keys[0]} on the same fold")
    return both


def gene_wins(genes: pd.DataFrame, better: Side, than: Side) -> GeneWins:
    """Return in how many genes `better` has the lower error, and the size of its gains.

    chen2016 (section 3.1, Fig 3) counts wins of any size; genes are correlated, so the count alone is no
    test, and the distribution of gains belongs beside it.

    Parameters
    ----------
    genes : DataFrame
        ``Inference.genes``: errors are averaged over folds and seeds first.
    better, than : str or (str, str)
        Models, or (model, setting).
    """
    both = errors_beside(genes, better, than)
    gains = 1 - both["x"] / both["y"].where(both["y"] > 0)
    low, median, high = gains.quantile([0.05, 0.5, 0.95])
    return GeneWins(float((both["x"] < both["y"]).mean()), median, low, high, len(both), gains)


def error_reductions(
    samples: pd.DataFrame, pairs: Pairs, *, increases: bool = False, n_draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Return by how much the overall error of one model is below another's, drawing whole groups.

    Parameters
    ----------
    samples : DataFrame or Inference
        ``Inference.samples``: sample, group, model, setting, control, fold, seed, absolute_error.
    pairs : mapping of str to (better, than)
        Words -> models, or (model, setting); the relative reduction is ``1 - error / other error``.
    increases : bool
        Turn the sign: by how much the error is above, ``error / other error - 1``.
    n_draws, seed : int
        Of the bootstrap: groups (patients) are drawn with replacement, each with all its samples. The
        intervals say how far the result depends on which patients are tested, not on which were trained on.

    Returns
    -------
    DataFrame
        comparison, mean, low, high, p_value, p (adjusted by Benjamini and Hochberg), n_groups; a row per
        pair, as `exprml.book.figures.paired_differences` draws them.
    """
    samples = getattr(samples, "samples", samples)
    found = []
    for words, (better, than) in pairs.items():
        both = _beside(samples, better, than, ["sample", "group", "fold", "seed"])
        sums = both.groupby(level="group").sum().to_numpy()
        draws = np.random.default_rng(seed).multinomial(len(sums), [1 / len(sums)] * len(sums), size=n_draws)
        drawn = draws @ sums
        reductions = 1 - drawn[:, 0] / drawn[:, 1]
        low, high = np.quantile(reductions, ENDS)
        tail = 2 * min(np.mean(reductions <= 0), np.mean(reductions >= 0))
        total = sums.sum(axis=0)
        row = {"comparison": words, "mean": 1 - total[0] / total[1], "low": low, "high": high}
        p_value = tested(np.clip(tail, 1 / n_draws, 1), len(sums))
        found.append({**row, "p_value": p_value, "n_groups": len(sums)})
    table = pd.DataFrame(found)
    if increases:
        table = table.assign(mean=-table["mean"], low=-table["high"], high=-table["low"])
    return table.assign(p=benjamini_hochberg(table["p_value"]))


def advantages(genes: pd.DataFrame, pairs: Pairs) -> pd.DataFrame:
    """Return what one model is ahead of another on each fold and seed, as rows of a results table.

    Parameters
    ----------
    genes : DataFrame or Inference
        ``Inference.genes``.
    pairs : mapping of str to (better, than)
        Words for the other side ("against linear regression") -> models, or (model, setting).

    Returns
    -------
    DataFrame
        Columns task, split, model (the first one's), setting (its setting and the words), control, fold,
        seed, metric, value. Metrics: error_reduction (of the mean over genes), share_of_genes and median_gain
        (see `gene_wins`).
    """
    genes = getattr(genes, "genes", genes)
    rows = []
    for words, (better, than) in pairs.items():
        ours, others = rows_of(genes, better), rows_of(genes, than)
        for (fold, seed), part in ours.groupby(["fold", "seed"]):
            other = others[(others["fold"] == fold) & (others["seed"] == seed)]
            if other.empty:
                continue
            wins = gene_wins(pd.concat([part, other]), better, than)
            reduction = 1 - part["absolute_error"].mean() / other["absolute_error"].mean()
            setting = ", ".join(filter(None, [part["setting"].iloc[0], words]))
            labels = {"model": part["model"].iloc[0], "setting": setting, "fold": fold, "seed": seed}
            values = {"error_reduction": reduction, "share_of_genes": wins.share, "median_gain": wins.median}
            rows += [{**labels, "metric": metric, "value": value} for metric, value in values.items()]
    if not rows:
        raise DataError(f"none of the pairs {list(pairs)} shares a fold and seed")
    return pd.DataFrame(rows).assign(control="", task="targets", split="group")


def r2_by_least_squares(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return R2 of ordinary least squares with intercept, on its own training samples.

    The fitted values are the projection of the centred targets on the span of the centred features. With as
    many features as samples, whatever they are, every R2 is 1.

    Parameters
    ----------
    features : array, (samples, features)
    targets : array, (samples, targets)

    Returns
    -------
    array, (targets,)
        NaN for a target that is the same in all samples.

    Raises
    ------
    DataError
        If the two have different numbers of samples.
    """
    if len(features) != len(targets):
        raise DataError(
            f"features of {len(features)} samples, targets of {len(targets)}: give the same samples"
        )
    centred, wanted = (np.asarray(one, dtype=float) for one in (features, targets))
    centred, wanted = centred - centred.mean(axis=0), wanted - wanted.mean(axis=0)
    directions, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    span = directions[:, sizes > sizes.max(initial=0.0) * max(centred.shape) * np.finfo(float).eps]
    explained, total = ((span.T @ wanted) ** 2).sum(axis=0), (wanted**2).sum(axis=0)
    return np.divide(explained, total, out=np.full(len(total), np.nan), where=total > 0)


def adjusted_r2(r2: np.ndarray, n_samples: int, n_features: int) -> np.ndarray:
    """Return 1 - (1 - R2)(n - 1)/(n - p - 1): zero on average for features drawn at random.

    It charges for the number of features and not for how they came about: features that were *fitted* to the
    same samples still gain (chen2016, Supp Fig S2, compares 9,000 such with 943 measured ones).

    Returns
    -------
    array
        NaN throughout where ``n_samples <= n_features + 1``: there it is not defined.
    """
    left = n_samples - n_features - 1
    return 1 - (1 - np.asarray(r2)) * (n_samples - 1) / left if left > 0 else np.full(np.shape(r2), np.nan)
