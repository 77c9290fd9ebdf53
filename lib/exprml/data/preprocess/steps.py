"""Logarithm, variable genes, classes with enough groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from exprml.base.errors import DataError, ParameterError, check_known, require_columns
from exprml.base.provenance import note_step

UNKNOWN_LABELS = ("", "nan", "not provided", "<not provided>", "unknown")
RANKS = ("after-scaling", "before-scaling")


def log_transform(adata: AnnData, offset: float = 0.001) -> AnnData:
    """Return a copy with ``log2(X + offset)``; the default is that of the Toil files, log2(TPM + 0.001).

    Raises
    ------
    DataError
        If a value plus the offset is not positive (counted).
    """
    values = np.asarray(adata.X)
    wrong = int((~(values + offset > 0)).sum())
    if wrong:
        raise DataError(f"{wrong} values have no logarithm (NaN or <= {-offset:g}): already on a log scale?")
    result = adata.copy()
    result.X = (np.log(values + offset) / np.log(2.0)).astype(
        values.dtype if values.dtype.kind == "f" else np.float32
    )
    return note_step(result, f"log base 2 of values + {offset:g}")


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
        check_known("rank", [self.rank], RANKS)
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
    adata: AnnData, label: str, group: str, min_groups: int = 25, unknown: Sequence[str] = UNKNOWN_LABELS
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
    require_columns(adata.obs, (label, group), "obs")
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
