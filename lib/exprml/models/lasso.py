"""The lasso for thousands of targets at once: coordinate descent on one Gram matrix, parallel over targets.

The objective is scikit-learn's, ``|y - X w - b|^2 / (2 n) + penalty * |w|_1`` for each target.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from exprml.models.multitarget import TunedRegressor, blocks, near_zero, penalties_to_try

DEPTH = tuple(float(one) for one in np.logspace(0, -4, 13))  # penalties in units of the largest useful one
PATIENCE = 2  # penalties in a row no better than the best, after which a default path ends


@dataclass
class _Problem:
    """All that coordinate descent needs of the samples, and the coefficients found last."""

    gram: np.ndarray  # (features, features)
    products: np.ndarray  # (targets, features)
    squares: np.ndarray  # (targets,)
    n_samples: int
    x_mean: np.ndarray
    y_mean: np.ndarray
    weights: np.ndarray  # (targets, features)

    @classmethod
    def of(cls, X: np.ndarray, Y: np.ndarray) -> _Problem:
        x_mean, y_mean = X.mean(axis=0, dtype=np.float64), Y.mean(axis=0, dtype=np.float64)
        centred = X - x_mean.astype(X.dtype)
        products, squares = np.empty((Y.shape[1], X.shape[1]), X.dtype), np.empty(Y.shape[1])
        for some in blocks(Y.shape[1]):
            targets, means = near_zero(Y[:, some], y_mean[some])
            products[some] = targets.astype(X.dtype, copy=False).T @ centred
            squares[some] = np.einsum("ij,ij->j", targets, targets, dtype=np.float64) - len(Y) * means**2
        weights = np.zeros_like(products)
        return cls(centred.T @ centred, products, squares, len(X), x_mean, y_mean, weights)

    @property
    def largest(self) -> float:
        """The smallest penalty that leaves every coefficient at 0."""
        return float(np.abs(self.products).max()) / self.n_samples

    def solve(self, penalty: float, tolerance: float, max_passes: int) -> int:
        """Move `weights` to the solution for `penalty`; return how many targets stay above the tolerance."""
        import numba

        from exprml.models import lasso_kernel

        threads = torch.get_num_threads()  # asked first: numba and torch share OpenMP, and numba,
        before = numba.get_num_threads()  # once its threads have started, leaves it with all cores
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        try:
            gaps, _ = lasso_kernel.solve(
                *(self.gram, self.products, self.squares, self.weights),
                *(float(penalty) * self.n_samples, float(tolerance), int(max_passes)),
            )
        finally:
            numba.set_num_threads(before)
            torch.set_num_threads(threads)
        return int((gaps > tolerance * self.squares).sum())


@dataclass(kw_only=True, eq=False, repr=False)
class TunedLasso(TunedRegressor):
    """The lasso with one penalty for all targets, chosen along a path (chen2016, LR-L1).

    Each penalty begins from the solution of the one before, strongest first.

    Parameters
    ----------
    penalties : sequence of float, optional
        Weights of the absolute coefficients to try (scikit-learn's ``alpha``). None tries 13 from the
        smallest that leaves every coefficient at 0 down to 1e-4 of it, and ends after two in a row that are
        no better than the best: with few samples, weak penalties take long and choose nothing.
    tolerance : float
        Stop when the duality gap is at most this share of a target's sum of squares (as scikit-learn).
    max_passes : int
        Passes over the coefficients, per target and penalty.
    holdout : float
        Share of the samples, whole groups, that chooses where `fit` gets no validation samples.
    random_state : int
        Draws that share.

    Attributes
    ----------
    penalty_ : float
    path_ : DataFrame
        penalty (strongest first), mean_absolute_error on the samples that chose.
    coef_ (targets, features) or (features,), intercept_, n_features_in_
    """

    penalties: Any = None
    tolerance: float = 1e-4
    max_passes: int = 1000
    _start = staticmethod(_Problem.of)

    def _errors(self, start: _Problem, X: np.ndarray, Y: np.ndarray) -> Iterator[tuple[float, float]]:
        best, worse = np.inf, 0
        for penalty in penalties_to_try(self.penalties, DEPTH, start.largest):
            start.solve(penalty, self.tolerance, self.max_passes)
            error = self._error(start, X, Y)
            worse = 0 if error < best else worse + 1
            if not worse:
                best, kept = error, start.weights.copy()
            yield penalty, error
            if self.penalties is None and worse == PATIENCE:
                break
        start.weights = kept

    def _error(self, start: _Problem, X: np.ndarray, Y: np.ndarray) -> float:
        total = 0.0
        for some in blocks(len(X)):
            inputs = (X[some] - start.x_mean).astype(start.weights.dtype)
            residual = Y[some] - start.y_mean - inputs @ start.weights.T
            total += float(np.abs(residual).sum())
        return total / Y.size

    def _finish(self, start: _Problem, chosen: float) -> None:
        self.penalty_ = float(chosen)
        # At once where the path kept its solution.
        late = start.solve(chosen, self.tolerance, self.max_passes)
        if late:
            warnings.warn(
                f"the lasso with penalty={chosen:.3g} left {late} of {len(start.squares)} targets above the "
                f"tolerance of {self.tolerance:g} after {self.max_passes} passes: raise max_passes or the "
                "penalty",
                ConvergenceWarning,
                stacklevel=2,
            )
        self._keep_linear(start.weights, start.x_mean, start.y_mean)
