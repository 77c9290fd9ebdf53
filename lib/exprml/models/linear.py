"""Linear models brought to their optimum: the controls that every network is compared with.

Logistic regression by L-BFGS in the eigenbasis of the features, where the problem is nearly round and
some tens of steps suffice. Least squares is in `least_squares`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from exprml.models.estimators import LogitClassifier, check_groups, check_labels, validated
from exprml.models.settings import resolve_device

INNER_FOLDS = 3
TOLERANCE = 1e-5  # largest component of the preconditioned gradient of the mean loss at the optimum


class _Softmax:
    """Weighted softmax regression with an L2 penalty on a fixed set of samples.

    Parameters
    ----------
    Z : Tensor, (samples, components)
        Centred features in their eigenbasis.
    spread : Tensor, (components,)
        Variance of each component.
    codes : Tensor, (samples,)
        Class of each sample.
    weights : Tensor, (samples,)
        Weight of each sample in the loss.
    """

    def __init__(self, Z: Tensor, spread: Tensor, codes: Tensor, weights: Tensor, n_classes: int) -> None:
        self.Z, self.spread, self.n_classes = Z, spread, n_classes
        self.codes, self.total = codes, float(weights.sum())
        self.weights = (weights / weights.sum()).to(Z.dtype)
        self.target = torch.zeros(len(Z), n_classes, dtype=Z.dtype, device=Z.device)
        self.target[torch.arange(len(Z)), codes] = self.weights

    def solve(
        self, C: float, start: Tensor, tolerance: float, max_iterations: int
    ) -> tuple[Tensor, bool, int]:
        """Minimise ``C * weighted cross-entropy + |W|^2 / 2`` (scikit-learn's objective) from `start`.

        Returns
        -------
        coefficients : Tensor, (components + 1, classes)
            The last row holds the intercepts, which carry no penalty.
        converged : bool
            Whether no component of the preconditioned gradient exceeds `tolerance`.
        n_iterations : int
        """
        penalty = 1.0 / (C * self.total)
        curvature = (1 - 1 / self.n_classes) / self.n_classes
        scale = (curvature * self.spread.double() + penalty).rsqrt().to(self.Z.dtype)[:, None]
        offset = torch.full((1, 1), curvature**-0.5, dtype=scale.dtype, device=scale.device)
        scale = torch.cat([scale, offset])
        result = minimize(
            self._value_and_gradient,
            (start / scale).double().cpu().numpy().ravel(),
            args=(scale, penalty),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iterations, "gtol": tolerance, "ftol": 1e-15, "maxcor": 20},
        )
        found = torch.as_tensor(result.x, device=scale.device, dtype=scale.dtype).reshape(-1, self.n_classes)
        return found * scale, bool(np.abs(result.jac).max() <= tolerance), int(result.nit)

    def _value_and_gradient(
        self, point: np.ndarray, scale: Tensor, penalty: float
    ) -> tuple[float, np.ndarray]:
        coefficients = torch.as_tensor(point, device=scale.device, dtype=scale.dtype)
        coefficients = coefficients.reshape(-1, self.n_classes) * scale
        slopes, intercepts = coefficients[:-1], coefficients[-1]
        logits = torch.addmm(intercepts, self.Z, slopes)
        level = torch.logsumexp(logits, dim=1)
        value = torch.dot(level.double(), self.weights.double()) - (self.target * logits).sum(
            dtype=torch.float64
        )
        residual = torch.exp(logits - level[:, None]).mul_(self.weights[:, None]).sub_(self.target)
        gradient = torch.cat([self.Z.T @ residual + penalty * slopes, residual.sum(0, keepdim=True)]) * scale
        value = value + penalty / 2 * slopes.square().sum(dtype=torch.float64)
        return float(value), gradient.double().cpu().numpy().ravel()


def _mean_recall(codes: np.ndarray, predicted: np.ndarray) -> float:
    """Return balanced accuracy over the classes present in `codes`."""
    _, code = np.unique(codes, return_inverse=True)
    return float((np.bincount(code, weights=codes == predicted) / np.bincount(code)).mean())


@dataclass(kw_only=True, eq=False, repr=False)
class ConvergedLogisticRegression(LogitClassifier, BaseEstimator):
    """Logistic regression at its optimum: features standardised, penalty chosen by inner folds.

    Every class has the same total weight.

    Parameters
    ----------
    C : tuple of float, or float
        Inverse penalties to try, as in scikit-learn; one number is used as it is. The choice goes by
        balanced accuracy in three inner folds (fewer where there are fewer groups), groups kept whole;
        of equals the strongest penalty wins.
    max_iterations : int
        Steps of L-BFGS per penalty.
    random_state : int
        Draws the inner folds.

    Attributes
    ----------
    classes_, n_features_in_, coef_ (classes, features), intercept_ (classes,)
    C_ : float
        The penalty used.
    scores_ : dict
        Mean inner balanced accuracy of each C.
    converged_ : bool
    n_iter_ : int
        Steps of the last fit.
    """

    C: Any = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    max_iterations: int = 1000
    random_state: int | None = 0

    def fit(self, X: Any, y: Any, groups: Any = None) -> ConvergedLogisticRegression:
        """Fit on `X` (samples, features) and labels `y`; `groups` are kept whole in the inner folds.

        Raises
        ------
        DataError
            For NaN in `X`, a single class, groups that do not fit.
        """
        X, y = validated(self, X, y, dtype=[np.float32, np.float64])
        self.classes_ = check_labels(y)
        codes = np.searchsorted(self.classes_, y)
        groups = check_groups(groups, len(X)) if groups is not None else None
        rotated, spread, rotation, mean, scale = self._eigenbasis(X)
        grid = [float(self.C)] if np.isscalar(self.C) else sorted(float(one) for one in self.C)
        self.scores_ = self._search(rotated, spread, codes, groups, grid) if len(grid) > 1 else {}
        self.C_ = max(grid, key=lambda one: (self.scores_[one], -one)) if self.scores_ else grid[0]
        found, self.converged_, self.n_iter_ = self._path(rotated, spread, codes, [self.C_], TOLERANCE)[0]
        if not self.converged_:
            warnings.warn(
                f"logistic regression with C={self.C_:g} did not converge in {self.max_iterations} "
                "steps: raise max_iterations or choose a smaller C",
                ConvergenceWarning,
                stacklevel=2,
            )
        found = found.double().cpu().numpy()
        self.coef_ = (rotation @ found[:-1]).T / scale
        self.intercept_ = found[-1] - self.coef_ @ mean
        return self

    def _eigenbasis(self, X: np.ndarray) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray, np.ndarray]:
        """Return features rotated to their eigenbasis, variances, the rotation, mean and scale."""
        device = resolve_device()
        mean = X.mean(axis=0, dtype=np.float64)
        deviation = X.std(axis=0, dtype=np.float64)
        scale = np.where(deviation > 0, deviation, 1.0)
        scaled = torch.as_tensor((X - mean) / scale).to(device, torch.float64)
        wide = scaled.shape[1] > scaled.shape[0]
        gram = scaled @ scaled.T if wide else scaled.T @ scaled
        values, vectors = torch.linalg.eigh(gram)
        keep = values > values[-1].clamp_min(1e-300) * 1e-12
        values, vectors = values[keep], vectors[:, keep]
        rotation = (scaled.T @ vectors) / values.sqrt() if wide else vectors
        rotated = vectors * values.sqrt() if wide else scaled @ rotation
        return rotated, values / len(X), rotation.cpu().numpy(), mean, scale

    def _path(
        self, Z: Tensor, spread: Tensor, codes: np.ndarray, grid: list[float], tolerance: float
    ) -> list[tuple[Tensor, bool, int]]:
        """Solve for each penalty of `grid`, strongest first, each from the one before."""
        weights = torch.as_tensor(compute_sample_weight("balanced", codes), device=Z.device)
        present, codes = np.unique(codes, return_inverse=True)
        problem = _Softmax(Z, spread, torch.as_tensor(codes, device=Z.device), weights, len(present))
        start, solved = torch.zeros(Z.shape[1] + 1, len(present), dtype=Z.dtype, device=Z.device), []
        for C in grid:
            solved.append(problem.solve(C, start, tolerance, self.max_iterations))
            start = solved[-1][0]
        return solved

    def _search(
        self, Z: Tensor, spread: Tensor, codes: np.ndarray, groups: np.ndarray | None, grid: list[float]
    ) -> dict[float, float]:
        """Return the mean inner balanced accuracy of each penalty; {} where no fold can be made.

        A choice among penalties needs no exact optimum: single precision, a hundredfold tolerance.
        """
        Z, scores, tolerance = Z.float(), [], 100 * TOLERANCE
        for train, test in self._inner_folds(codes, groups):
            present = np.unique(codes[train])
            if len(present) < 2:
                continue
            solved = self._path(
                Z[torch.as_tensor(train, device=Z.device)], spread, codes[train], grid, tolerance
            )
            held = Z[torch.as_tensor(test, device=Z.device)]
            likeliest = [(held @ found[:-1] + found[-1]).argmax(1).cpu().numpy() for found, _, _ in solved]
            scores.append([_mean_recall(codes[test], present[one]) for one in likeliest])
        return dict(zip(grid, np.mean(scores, axis=0).tolist(), strict=True)) if scores else {}

    def _inner_folds(
        self, codes: np.ndarray, groups: np.ndarray | None
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        n_groups = len(codes) if groups is None else len(np.unique(groups))
        n_folds = min(INNER_FOLDS, n_groups, np.bincount(codes).max())
        if n_folds < 2:
            return []
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        folds = kind(n_folds, shuffle=True, random_state=self.random_state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class with fewer groups than folds
            return [(train, test) for train, test in folds.split(codes, codes, groups) if len(test)]

    def _logits(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validated(self, X, dtype=[np.float32, np.float64], reset=False)
        return X @ self.coef_.T + self.intercept_
