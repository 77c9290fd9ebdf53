"""Scaling of each gene by what its training values were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from exprml.base.errors import DataError, ParameterError

_BLOCK_VALUES = 4_000_000  # what is cast to float64 at once: 32 MB


class ZeroOneScaler(MinMaxScaler):
    """Scale each gene to [0, 1] by its training values; a constant gene becomes zero (heil2022, Data).

    scikit-learn's MinMaxScaler lets new samples differ from zero in such a gene; here it stays silent.
    """

    def partial_fit(self, X: Any, y: Any = None) -> ZeroOneScaler:
        """Learn smallest and largest values; `fit` starts anew and comes here."""
        super().partial_fit(X, y)
        constant = self.data_range_ == 0
        self.scale_[constant] = self.min_[constant] = 0
        return self


class GeneStandardiser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Subtract each gene's mean and divide by its standard deviation plus `epsilon` (chen2016, public code).

    Parameters
    ----------
    epsilon : float
        Added to every standard deviation (ddof 0): a constant gene becomes zero instead of undefined, and a
        gene of spread s ends with the spread s / (s + epsilon).

    Attributes
    ----------
    mean_, sd_ : ndarray of float64, shape (genes,)
        Of the samples it was fitted on. The paper fits it on all samples of a platform, test samples and
        targets included; to do as in use, fit it on the training samples.
    """

    def __init__(self, *, epsilon: float = 0.001) -> None:
        self.epsilon = epsilon

    def fit(self, X: Any, y: Any = None) -> GeneStandardiser:
        """Learn means and standard deviations, summed in float64 block by block."""
        if self.epsilon < 0:
            raise ParameterError(f"epsilon {self.epsilon:g} is negative")
        X = validate_data(self, X, dtype=(np.float64, np.float32), ensure_all_finite=False)
        self.mean_ = sum(block.sum(axis=0, dtype=np.float64) for block in finite_blocks(X)) / len(X)
        squares = sum(np.square(block - self.mean_).sum(axis=0) for block in finite_blocks(X))
        self.sd_ = np.sqrt(squares / len(X))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return (X - mean) / (sd + epsilon), in the floating-point type of `X`."""
        X = self._checked(X)
        X -= self.mean_
        X /= self.sd_ + self.epsilon
        return X

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return standardised values in the units of the training data."""
        X = self._checked(X)
        X *= self.sd_ + self.epsilon
        X += self.mean_
        return X

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), ensure_all_finite=True, reset=False)
        return np.array(X)


def finite_blocks(X: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of `X` in views of a few million values, which the caller may cast and sort cheaply.

    Raises
    ------
    DataError
        If a value is NaN or infinite (counted).
    """
    for rows in row_blocks(X):
        missing = int((~np.isfinite(X[rows])).sum())
        if missing:
            raise DataError(
                f"{missing} values of samples {rows.start} to {rows.stop - 1} are NaN or inf: drop these "
                "genes, or fill the gaps, before normalising"
            )
        yield X[rows]


def row_blocks(X: np.ndarray) -> list[slice]:
    """Return slices that cut the rows of `X` into blocks of a few million values."""
    step = max(1, _BLOCK_VALUES // max(1, X.shape[1]))
    return [slice(start, min(start + step, len(X))) for start in range(0, len(X), step)]
