"""Joint quantile normalisation of whole profiles, in the exact forms of D-GEX's code (chen2016)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.data.preprocess.scaling import finite_blocks

FORMS = ("microarray", "rna-seq")
LANDMARK_RANKS = ("all", "landmarks apart")


class QuantileNormaliser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Give every profile the same values, handed out by rank (chen2016, public code).

    The reference holds one value for each rank: the mean of the fitted profiles after sorting each of them.

    Parameters
    ----------
    form : {"microarray", "rna-seq"}
        How a value finds its rank among the n genes of its profile. "microarray": its place in the sorted
        profile; tied values share the mean of their places, cut to a whole number. "rna-seq": its place r
        (from 0) among the d *distinct* values, stretched over the reference: place int((r + 1) / d * n) - 1,
        so that the many zeros count once.
    ranks : {"all", "landmarks apart"}
        "all": every gene is ranked among all genes, as in the paper; a landmark's value then depends on the
        targets that are to be inferred from it. "landmarks apart": landmarks are ranked among landmarks and
        get the values of a reference of their own; targets are ranked among all genes as before.
    is_landmark : array of bool, shape (genes,), optional
        Needed for "landmarks apart".

    Attributes
    ----------
    reference_ : ndarray of float64, shape (genes,)
        Ascending.
    landmark_reference_ : ndarray of float64, shape (landmarks,), or None
        Of the landmarks alone, with "landmarks apart".

    Notes
    -----
    The paper fits the reference on all GEO profiles, test samples included, and takes it over for RNA-seq
    (`with_reference`). Memory beside the array: a few blocks of 4 million values.
    """

    def __init__(
        self, *, form: str = "microarray", ranks: str = "all", is_landmark: Sequence[bool] | None = None
    ) -> None:
        self.form = form
        self.ranks = ranks
        self.is_landmark = is_landmark

    @classmethod
    def with_reference(cls, fitted: QuantileNormaliser, *, form: str) -> QuantileNormaliser:
        """Return a fitted normaliser of another form that hands out the values of `fitted`."""
        check_is_fitted(fitted)
        return copy(fitted).set_params(form=form)

    @classmethod
    def handing_out(cls, reference: np.ndarray, *, form: str) -> QuantileNormaliser:
        """Return a fitted normaliser that hands out these values, (genes,) ascending, by rank."""
        other = cls(form=form)
        other.n_features_in_, other.reference_ = len(reference), np.asarray(reference, dtype=np.float64)
        other.landmark_reference_ = None
        return other

    def fit(self, X: Any, y: Any = None) -> QuantileNormaliser:
        """Learn the reference: sort each profile, average rank by rank in float64."""
        X = validate_data(self, X, dtype=(np.float64, np.float32), ensure_all_finite=False)
        landmark = self._landmark_columns(X.shape[1])
        self.reference_ = _mean_of_sorted(X)
        self.landmark_reference_ = None if landmark is None else _mean_of_sorted(X, landmark)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return `X` with each value replaced by the reference at its rank, in the type of `X`.

        Parameters
        ----------
        X : array, shape (samples, genes)
            Genes as in `fit`; each sample is transformed by itself.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), ensure_all_finite=False, reset=False)
        X, landmark = np.array(X), self._landmark_columns(X.shape[1])
        for block in finite_blocks(X):
            apart = block[:, [] if landmark is None else landmark]
            block[:] = self.reference_[_places(block, self.form)]
            if landmark is not None:
                block[:, landmark] = self.landmark_reference_[_places(apart, self.form)]
        return X

    def _landmark_columns(self, n_genes: int) -> np.ndarray | None:
        """Return which columns are ranked apart, None if none are."""
        check_known("form", [self.form], FORMS)
        check_known("ranks", [self.ranks], LANDMARK_RANKS)
        if self.ranks == "all":
            return None
        if self.is_landmark is None:
            raise ParameterError("ranks='landmarks apart' needs is_landmark: which genes are landmarks")
        mask = np.asarray(self.is_landmark, dtype=bool)
        if mask.shape != (n_genes,):
            raise DataError(f"is_landmark has {mask.size} entries for {n_genes} genes")
        if not mask.any():
            raise DataError("is_landmark names no gene: nothing could be ranked apart")
        return np.flatnonzero(mask)


def _mean_of_sorted(X: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
    """Return the mean over samples of the sorted profiles, of some columns or of all."""
    total = np.zeros(X.shape[1] if columns is None else len(columns))
    for block in finite_blocks(X):
        chosen = block if columns is None else block[:, columns]
        total += np.sort(chosen, axis=1).sum(axis=0, dtype=np.float64)
    return total / len(X)


def _places(block: np.ndarray, form: str) -> np.ndarray:
    """Return the place of each value in the reference, by its rank in its row; see `QuantileNormaliser`.

    The order of the arithmetic is that of D-GEX's code. For RNA-seq it falls one place short where
    (r + 1) / d * n is a whole number that floating point misses from below; below the first place the code
    would wrap around to the largest value, which does not happen at its 10,463 genes and is not copied.
    """
    if form == "microarray":
        return rankdata(block, axis=1).astype(np.int64) - 1
    distinct = rankdata(block, method="dense", axis=1)
    places = distinct / distinct.max(axis=1, keepdims=True) * block.shape[1]
    return np.maximum(places.astype(np.int64) - 1, 0)
