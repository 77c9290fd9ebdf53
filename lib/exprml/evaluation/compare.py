"""Honest comparisons: paired and corrected intervals, tests against chance, many tests at once.

Folds share training samples, so their scores are not independent; the variance is corrected as by Nadeau and
Bengio (Machine Learning 2003, 52: 239-281): ``(1/n + n_validation/n_training) * s^2`` for n scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.nonparametric.smoothers_lowess import lowess
from statsmodels.stats.multitest import multipletests

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.evaluation.scoring import at_full_size

CONFIDENCE = 0.95
FEWEST_REPLICATES = 5  # below, an interval is no evidence either way
ENDS = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]  # of an interval, as quantiles
FEWEST_POINTS_TO_SMOOTH = 30
PATIENTS = "patients:"  # begins the metric of an error on one tenth of the test patients
_POINTS, _SHARE, _SMOOTHED = 50, 2 / 3, 200  # of a curve; of all points, in each local fit; curves drawn
# Of a score, all but its metric.
KEYS = ["task", "setting", "control", "split", "seed", "fold", "n_train", "model"]


class Estimate(NamedTuple):
    """A mean with its interval and two-sided test; ``reference`` is what it is tested against.

    With fewer than five replicates there is an interval and no p-value: it is NaN.
    """

    mean: float
    low: float
    high: float
    p_value: float
    n: int
    reference: float = 0.0


def interval(values: Sequence[float], test_ratio: float = 0.0, *, reference: float = 0.0) -> Estimate:
    """Return mean, 95 % interval and t-test of scores or differences, corrected for folds that overlap.

    Parameters
    ----------
    values : sequence of float, shape (folds * seeds,)
        One for each fold and seed.
    test_ratio : float
        Validation samples over training samples: 1 / (k - 1) for k folds. 0 gives the ordinary t-test.
    reference : float
        Value under the null hypothesis.

    Raises
    ------
    DataError
        If fewer than two values are given, or one is NaN.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or np.isnan(values).any():
        missing = int(np.isnan(values).sum())
        raise DataError(
            f"{len(values)} values, {missing} of them NaN: an interval needs at least two, none NaN"
        )
    mean, n = float(values.mean()), len(values)
    error = float(values.std(ddof=1) * np.sqrt(1 / n + test_ratio))
    if error <= 1e-12 * max(1.0, abs(mean)):  # all alike but for rounding
        same = abs(mean - reference) <= 1e-12
        return Estimate(mean, mean, mean, tested(1.0 if same else 0.0, n), n, reference)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * error
    p_value = 2 * float(stats.t.sf(abs(mean - reference) / error, n - 1))
    return Estimate(mean, mean - half, mean + half, tested(p_value, n), n, reference)


def tested(p_value: float, n: int) -> float:
    """Return a p-value of n replicates; NaN of fewer than five."""
    return float(p_value) if n >= FEWEST_REPLICATES else float("nan")


def paired_difference(
    table: pd.DataFrame, a: str, b: str, *, metric: str = "balanced_accuracy", test_ratio: float | None = None
) -> Estimate:
    """Return the mean of `a` minus `b` over the same folds and seeds, with its corrected interval.

    Parameters
    ----------
    table : DataFrame
        Rows of `exprml.evaluation.scoring.cross_validate`, one task, setting and training size.
    a, b : str
        Two of its models.
    metric : str
        The score to compare.
    test_ratio : float, optional
        As in `interval`; default 1 / (number of folds - 1), right for whole training folds.

    Raises
    ------
    UnknownNameError
        If a model is not in the table.
    DataError
        If a fold occurs more than once (several tasks or training sizes), or no folds are shared.
    """
    differences = paired_values(table, a, b, metric=metric)
    folds = differences.index.to_frame()[["fold", "seed"]]
    if folds.duplicated().any():
        raise DataError(
            "a fold occurs more than once: choose one task, setting, control, split and training size first "
            "(exprml.evaluation.scoring.at_full_size)"
        )
    ratio = 1 / max(1, folds["fold"].nunique() - 1) if test_ratio is None else test_ratio
    return interval(differences, ratio)


def differences(
    table: pd.DataFrame,
    pairs: Mapping[str, tuple[str, str]],
    *,
    by: Sequence[str] = ("setting",),
    metric: str = "balanced_accuracy",
) -> pd.DataFrame:
    """Return `paired_difference` of several pairs of models at the largest training size, p adjusted.

    Parameters
    ----------
    table : DataFrame
        Rows of `exprml.evaluation.scoring.cross_validate`; control rows are left out.
    pairs : mapping of str to (str, str)
        Words -> models a and b, compared as a minus b.
    by : sequence of str
        Columns whose values are compared apart, in the table's order.
    metric : str
        The score to compare.

    Returns
    -------
    DataFrame
        A row per value and pair: the columns of `by`, ``comparison``, the fields of `Estimate`, and ``p``,
        adjusted over all rows by Benjamini and Hochberg.
    """
    rows = table[(table["metric"] == metric) & (table["control"] == "")]
    found = []
    for values, part in at_full_size(rows).groupby(list(by), sort=False, observed=True):
        where = dict(zip(by, values, strict=True))
        for words, (a, b) in pairs.items():
            estimate = paired_difference(part, a, b, metric=metric)
            comparison = ": ".join([*map(str, values), words])
            found.append({**where, "comparison": comparison, **estimate._asdict()})
    compared = pd.DataFrame(found)
    return compared.assign(p=benjamini_hochberg(compared["p_value"]))


def paired_values(
    table: pd.DataFrame, a: str, b: str, *, of: str = "model", metric: str = "balanced_accuracy"
) -> pd.Series:
    """Return `a` minus `b`, two models or two of another column, for every row that both have.

    Returns
    -------
    Series
        Indexed by those of `KEYS` that are in the table and not `of`; NaN are left out.

    Raises
    ------
    UnknownNameError
        If `a` or `b` is not in the table.
    DataError
        If they share no row.
    """
    rows = table[table["metric"] == metric]
    check_known(of, (a, b), set(rows[of]), f"the rows of metric {metric!r}")
    keys = [key for key in KEYS if key in rows and key != of]
    wide = rows.set_index([*keys, of])["value"].unstack(of)
    differences = (wide[a] - wide[b]).dropna()
    if differences.empty:
        raise DataError(f"{a!r} and {b!r} share no fold of metric {metric!r}")
    return differences


def group_bootstrap(
    truth: Sequence,
    predicted: Sequence,
    groups: Sequence,
    metric: Callable[[np.ndarray, np.ndarray], float],
    *,
    reference: float = 0.0,
    n_draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return a score with the interval and two-sided p-value of drawing whole groups with replacement.

    Parameters
    ----------
    truth, predicted, groups : array, shape (samples,)
        Labels, predictions and groups of held-out samples.
    metric : function
        ``metric(truth, predicted)`` gives the score.
    reference : float
        Chance; the p-value is twice the smaller share of draws on its other side, at least 1 / n_draws.
    n_draws, seed : int
        Of the bootstrap.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    code = pd.factorize(np.asarray(groups))[0]
    members = [np.flatnonzero(code == one) for one in range(code.max() + 1)]
    generator = np.random.default_rng(seed)
    scores = np.empty(n_draws)
    for i in range(n_draws):
        drawn = np.concatenate([members[one] for one in generator.integers(0, len(members), len(members))])
        scores[i] = metric(truth[drawn], predicted[drawn])
    low, high = np.quantile(scores, ENDS)
    p_value = 2 * min(np.mean(scores <= reference), np.mean(scores >= reference))
    p_value = tested(np.clip(p_value, 1 / n_draws, 1), len(members))
    return Estimate(metric(truth, predicted), float(low), float(high), p_value, len(members), reference)


def benjamini_hochberg(p_values: Sequence[float]) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate; NaN stay NaN and count as no test."""
    p_values = np.asarray(p_values, dtype=float)
    if ((p_values < 0) | (p_values > 1)).any():
        raise ParameterError("p-values must lie between 0 and 1")
    adjusted = np.full(p_values.shape, np.nan)
    tested = ~np.isnan(p_values)
    if tested.any():
        adjusted[tested] = multipletests(p_values[tested], method="fdr_bh")[1]
    return adjusted


def smooth_curve(x: Sequence[float], y: Sequence[float], *, seed: int = 0) -> pd.DataFrame:
    """Return a local regression (LOWESS) with a bootstrap band, as in the figures of heil2022.

    Parameters
    ----------
    x, y : sequence of float, shape (points,)
        Training sizes and scores, every fold and seed.
    n_draws, seed : int
        Of the bootstrap behind the band.

    Returns
    -------
    DataFrame
        Columns x, y, low, high.

    Raises
    ------
    DataError
        With fewer than 30 points: show them instead.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if len(x) < FEWEST_POINTS_TO_SMOOTH:
        raise DataError(
            f"{len(x)} points are too few to smooth ({FEWEST_POINTS_TO_SMOOTH} are needed): draw the points"
        )
    grid = np.linspace(x.min(), x.max(), _POINTS)
    generator = np.random.default_rng(seed)
    curves = np.full((_SMOOTHED, _POINTS), np.nan)
    for i in range(_SMOOTHED):
        drawn = generator.integers(0, len(x), len(x))
        curves[i] = _local_regression(x[drawn], y[drawn], grid)
    low, high = np.nanquantile(curves, ENDS, axis=0)
    return pd.DataFrame({"x": grid, "y": _local_regression(x, y, grid), "low": low, "high": high})


def _local_regression(x: np.ndarray, y: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return LOWESS at the training sizes that occur, joined by straight lines over `grid`."""
    fitted = pd.DataFrame(lowess(y, x, frac=_SHARE, it=0)).groupby(0)[1].mean().dropna()
    return np.interp(grid, fitted.index, fitted) if len(fitted) else np.full(len(grid), np.nan)
