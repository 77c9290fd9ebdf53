"""TPM, logarithm, variable genes, classes with enough groups."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from exprml.base.errors import DataError, ParameterError, UnknownNameError

UNKNOWN_LABELS = ("", "nan", "not provided", "<not provided>", "unknown")
RANKS = ("after-scaling", "before-scaling")


def transcripts_per_million(counts: Any, lengths: Sequence[float]) -> Any:
    """Return counts per base of gene length, scaled so that each sample sums to a million (heil2022, Data).

    Parameters
    ----------
    counts : ndarray, DataFrame or AnnData, shape (samples, genes)
        Read counts.
    lengths : sequence of float, shape (genes,)
        Gene lengths in bases.

    Raises
    ------
    DataError
        If lengths do not match the genes or are not positive, counts are negative or NaN, or a sample is
        all zero (counted).
    """
    lengths = np.asarray(lengths, dtype=float)

    def scaled(values: np.ndarray) -> np.ndarray:
        _check_counts(values, lengths)
        rates = values / lengths
        return rates * (1e6 / rates.sum(axis=1, keepdims=True))

    return _apply(counts, scaled, "transcripts per million")


def _check_counts(values: np.ndarray, lengths: np.ndarray) -> None:
    """Raise if counts and lengths cannot give TPM."""
    if lengths.shape != (values.shape[1],):
        raise DataError(f"{lengths.size} gene lengths for {values.shape[1]} genes")
    if not (lengths > 0).all():
        raise DataError(f"{int((~(lengths > 0)).sum())} gene lengths are missing or not positive: drop them")
    if not (values >= 0).all():
        raise DataError(f"{int((~(values >= 0)).sum())} counts are negative or NaN")
    empty = int((values.sum(axis=1) == 0).sum())
    if empty:
        raise DataError(f"{empty} samples have no counts at all: drop them")


def log_transform(X: Any, *, offset: float = 0.001, base: float = 2.0) -> Any:
    """Return ``log(X + offset)``; the defaults are those of the Toil files, log2(TPM + 0.001).

    Raises
    ------
    DataError
        If a value plus the offset is not positive (counted).
    """

    def logarithm(values: np.ndarray) -> np.ndarray:
        wrong = int((~(values + offset > 0)).sum())
        if wrong:
            raise DataError(
                f"{wrong} values have no logarithm (NaN or <= {-offset:g}): already on a log scale?"
            )
        return np.log(values + offset) / np.log(base)

    return _apply(X, logarithm, f"log base {base:g} of values + {offset:g}")


def is_logarithm(adata: AnnData) -> bool:
    """Tell from the units of a data set whether its values are log2(TPM + 0.001) or TPM themselves.

    Raises
    ------
    DataError
        If its provenance names neither unit.
    """
    units = str(adata.uns.get("provenance", {}).get("units", ""))
    if "log2(TPM + 0.001)" not in units and units != "TPM":
        raise DataError(f"units {units!r}, expected TPM or log2(TPM + 0.001), as in data/catalogue.yml")
    return units != "TPM"


class VariableGenes(SelectorMixin, BaseEstimator):
    """Keep the `n_genes` genes of largest variance, in their order.

    Parameters
    ----------
    n_genes : int
        How many to keep; all of them if there are fewer.
    rank : {"after-scaling", "before-scaling"}
        Variance of the values scaled to [0, 1] (GTEx in heil2022) or as they are (its Recount3 code).
    """

    def __init__(self, n_genes: int = 5000, rank: str = "after-scaling") -> None:
        self.n_genes = n_genes
        self.rank = rank

    def fit(self, X: Any, y: Any = None) -> VariableGenes:
        """Rank the genes by variance; ties go to the earlier gene."""
        if self.rank not in RANKS:
            raise UnknownNameError("rank", self.rank, RANKS)
        if self.n_genes < 1:
            raise ParameterError(f"n_genes {self.n_genes}: keep at least one")
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        self.variances_ = X.var(axis=0, dtype=np.float64)
        if self.rank == "after-scaling":
            spread = np.ptp(X, axis=0).astype(np.float64)
            self.variances_ = np.where(spread > 0, self.variances_ / np.where(spread > 0, spread, 1) ** 2, 0)
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(len(self.variances_), dtype=bool)
        mask[np.argsort(-self.variances_, kind="stable")[: self.n_genes]] = True
        return mask


def keep_classes(
    adata: AnnData,
    label: str,
    group: str,
    min_groups: int = 25,
    unknown: Sequence[str] = UNKNOWN_LABELS,
) -> tuple[AnnData, pd.DataFrame]:
    """Keep the samples whose class has at least `min_groups` groups; list what is left out and why.

    Parameters
    ----------
    adata : AnnData
        Samples x genes.
    label, group : str
        Columns of obs: the class, and what must not be split (donor, patient, study).
    min_groups : int
        A class counts by its groups, not its samples.
    unknown : sequence of str
        Labels, in lower case, that say nothing is known.

    Returns
    -------
    kept : AnnData
        A copy with the classes that count.
    excluded : DataFrame
        Index: class; columns samples, groups, reason; most samples first.

    Raises
    ------
    DataError
        If a column is missing or no class is left.
    """
    for name in (label, group):
        if name not in adata.obs:
            raise DataError(f"obs has no column {name!r}; it has {', '.join(adata.obs.columns)}")
    classes = adata.obs[label].astype(object).fillna("").astype(str)
    table = pd.DataFrame({"class": classes, "group": adata.obs[group].astype(str)}).groupby("class")["group"]
    counts = table.agg(samples="size", groups="nunique")
    reason = np.where(counts["groups"] < min_groups, f"fewer than {min_groups} groups", "")
    counts["reason"] = np.where(counts.index.str.lower().isin(unknown), "label not known", reason)
    good = counts.index[counts["reason"] == ""]
    if good.empty:
        most = f"{counts['groups'].idxmax()!r} with {counts['groups'].max()}"
        raise DataError(f"no class of {label!r} has {min_groups} groups of {group!r}; the most has {most}")
    kept = adata[classes.isin(good).to_numpy()].copy()
    note_step(kept, f"classes of {label} with at least {min_groups} groups of {group}")
    excluded = counts[counts["reason"] != ""].sort_values("samples", ascending=False, kind="stable")
    return kept, excluded


def _apply(X: Any, function: Callable[[np.ndarray], np.ndarray], step: str) -> Any:
    """Apply `function` to the values of `X` and return the same kind; AnnData notes the step."""
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(function(X.to_numpy()), index=X.index, columns=X.columns)
    if not isinstance(X, AnnData):
        return function(np.asarray(X))
    result = X.copy()
    values = X.X.toarray() if sparse.issparse(X.X) else np.asarray(X.X)
    result.X = function(values).astype(values.dtype if values.dtype.kind == "f" else np.float32)
    note_step(result, step)
    return result


def note_step(adata: AnnData, step: str) -> None:
    """Append `step` to the provenance of `adata`."""
    provenance = dict(copy.deepcopy(adata.uns.get("provenance", {})))
    adata.uns["provenance"] = {**provenance, "steps": [*map(str, provenance.get("steps", [])), step]}
