"""From counts to changes: which samples are compared, and the two-group comparison of every gene by limma.

The comparison is limma's (Smyth 2004; Ritchie et al. 2015): ordinary least squares, then variances of genes
drawn towards a common one. Series and genes are worked on together, as whole arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse, stats
from scipy.special import digamma, polygamma, stdtr

from exprml.base.errors import DataError
from exprml.base.provenance import with_steps

_UNWANTED = ("library", "read")
_VALUES_AT_ONCE = 20_000_000  # of a block of series, about 0.6 GB of work space


def two_groups(annotation: Sequence[str]) -> np.ndarray | None:
    """Guess two groups of a series from the words of GEO, by the report's rule (okeke2023, public code).

    Of the lines that all samples have, those that mention library or read are left out and those with one
    value; of the rest the line with the fewest values is taken, the first of several.

    Parameters
    ----------
    annotation : sequence of str
        A text a sample: its lines, source name first.

    Returns
    -------
    ndarray of bool, shape (n_samples,), or None
        Samples with the value of the first one; None where no line is left.
    """
    lines = pd.DataFrame([text.split("\n") for text in annotation]).fillna("").T
    unwanted = lines.apply(lambda line: line.str.lower().str.contains("|".join(_UNWANTED)).any(), axis=1)
    lines = lines[~unwanted & (lines.nunique(axis=1) > 1)]
    if lines.empty:
        return None
    line = lines.loc[lines.nunique(axis=1).idxmin()]
    return (line == line.iloc[0]).to_numpy()


def log_cpm(counts: np.ndarray) -> np.ndarray:
    """Return log2 counts per million of each sample, half a count added (Law et al. 2014, without weights).

    Parameters
    ----------
    counts : ndarray, shape (n_samples, n_genes)
        Reads by gene, not logarithms.

    Raises
    ------
    DataError
        If a value is below zero or no whole number, or a sample has no read.
    """
    counts = np.asarray(counts, dtype=np.float64)
    odd = ~((counts >= 0) & (counts == np.floor(counts)))
    if odd.any():
        raise DataError(f"{counts[odd][0]:g} is no count: give reads by gene, not logarithms or rates")
    depth = counts.sum(axis=1, keepdims=True)
    if not depth.all():
        raise DataError(f"sample {np.flatnonzero(depth == 0)[0]} has no read: leave it out")
    return np.log2((counts + 0.5) / (depth + 1) * 1e6)


def compare_groups(adata: AnnData, first: Sequence[bool], *, group: str = "series") -> AnnData:
    """Compare two groups of samples in every series: limma's lmFit, contrast and eBayes, for all genes.

    Parameters
    ----------
    adata : AnnData, samples x genes
        What is compared: log values for fold changes. (The report gave raw counts.)
    first : sequence of bool, shape (n_samples,)
        Samples of the first group; the others of the same series are the second.
    group : str
        Column of `obs` with the series.

    Returns
    -------
    AnnData, series x genes
        float32 differences of means, first minus second; layers: t (moderated), p, q (Benjamini-Hochberg over
        the genes of a series); obs: series, n_first, n_second.

    Raises
    ------
    DataError
        If a series has an empty group or no two samples in either, or a value is missing or infinite.
    """
    first = np.asarray(first, dtype=bool)
    series, names = pd.factorize(adata.obs[group].astype(str))
    sizes = np.stack([np.bincount(series[first], minlength=len(names)),
                      np.bincount(series[~first], minlength=len(names))])  # fmt: skip
    for one in np.flatnonzero((sizes.min(axis=0) < 1) | (sizes.sum(axis=0) < 3)):
        raise DataError(
            f"{names[one]}: groups of {sizes[0, one]} and {sizes[1, one]} samples; give three, one in each"
        )
    step = max(1, int(_VALUES_AT_ONCE / (adata.n_vars * max(1, len(adata) / len(names)))))
    blocks = [slice(start, start + step) for start in range(0, len(names), step)]
    found = [_block(adata, series, first, np.arange(len(names))[block], sizes[:, block]) for block in blocks]
    difference, t, p, q = (np.concatenate(parts).astype(np.float32) for parts in zip(*found, strict=True))
    obs = pd.DataFrame({"series": names, "n_first": sizes[0], "n_second": sizes[1]}, index=names.astype(str))
    layers, before = {"t": t, "p": p, "q": q}, adata.uns.get("provenance", {}).get("steps", [])
    changes = AnnData(difference, obs=obs.rename_axis("contrast"), var=adata.var, layers=layers)
    return with_steps(changes, [*before, "two groups of every series compared (limma)"])


def _block(
    adata: AnnData, series: np.ndarray, first: np.ndarray, wanted: np.ndarray, sizes: np.ndarray
) -> list[np.ndarray]:
    """Return difference, t, p and q (series x genes each) of some series."""
    rows = np.flatnonzero(np.isin(series, wanted))
    X = np.asarray(adata.X[rows], dtype=np.float64)
    if not np.isfinite(X).all():
        raise DataError(f"{(~np.isfinite(X)).sum()} values are missing or infinite: leave their genes out")
    at = np.searchsorted(wanted, series[rows])
    n = len(wanted)
    place = at + n * ~first[rows]
    sums = sparse.csr_matrix((np.ones(len(rows)), (place, np.arange(len(rows)))), shape=(2 * n, len(rows)))
    means = (sums @ X) / sizes.reshape(-1, 1)
    squares = sums @ (X - means[place]) ** 2
    freedom = sizes.sum(axis=0)[:, None] - 2.0
    variance = (squares[:n] + squares[n:]) / freedom
    difference = means[:n] - means[n:]
    squeezed, prior = moderated_variance(variance, freedom)
    t = difference / np.sqrt(squeezed * (1 / sizes).sum(axis=0)[:, None])
    p = 2 * stdtr(np.minimum(freedom + prior, freedom * X.shape[1]), -np.abs(t))
    return [difference, t, p, stats.false_discovery_control(p, axis=1)]


def moderated_variance(variance: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the variances of genes towards a common one, as far as they are alike (Smyth 2004).

    Parameters
    ----------
    variance : ndarray, shape (n_series, n_genes)
        Residual variances.
    freedom : ndarray, shape (n_series, 1)
        Their degrees of freedom.

    Returns
    -------
    ndarray of that shape and ndarray, shape (n_series, 1)
        Posterior variances, and how many degrees of freedom the common variance counts for (may be infinite).
    """
    middle = np.median(variance, axis=1, keepdims=True)
    floored = np.maximum(variance, 1e-5 * np.where(middle > 0, middle, 1.0))
    log = np.log(floored) - digamma(freedom / 2) + np.log(freedom / 2)
    spread = log.var(axis=1, ddof=1, keepdims=True) - polygamma(1, freedom / 2)
    prior = np.full_like(spread, np.inf)
    alike = spread[:, 0] <= 0
    prior[~alike] = 2 * _inverse_trigamma(spread[~alike])
    common = floored.mean(axis=1, keepdims=True)
    half = prior[~alike] / 2
    common[~alike] = np.exp(log[~alike].mean(axis=1, keepdims=True) + digamma(half) - np.log(half))
    weight = np.where(alike[:, None], 0.0, freedom / (freedom + prior))
    return weight * variance + (1 - weight) * common, prior


def _inverse_trigamma(x: np.ndarray) -> np.ndarray:
    """Return y with trigamma(y) = x, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    y = 0.5 + 1 / x
    for _ in range(50):
        value = polygamma(1, y)
        step = value * (1 - value / x) / polygamma(2, y)
        y += step
        if (-step / y).max(initial=0) < 1e-8:
            break
    return y
