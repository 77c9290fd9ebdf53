"""Least squares for thousands of targets at once: ordinary, ridge, reduced rank, on principal components.

Products in the precision of the data, factors in float64. All paths come from one eigendecomposition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exprml.base.errors import ParameterError
from exprml.models.multitarget import (
    MultiTargetRegressor,
    TunedRegressor,
    blocks,
    near_zero,
    penalties_to_try,
    sizes_to_try,
    usable,
)
from exprml.models.settings import resolve_device

COLUMNS = 2048  # targets centred at a time
SMALLEST = 1e-7  # eigenvalues below this share of the largest are taken for 0
PENALTIES = tuple(float(one) for one in np.logspace(-5, 2, 22))  # in units of a feature's mean square


@dataclass(frozen=True)
class _Centred:
    """Centred features on the device, their products with the targets, and the means taken off."""

    inputs: Tensor  # (samples, features)
    product: Tensor  # (features, targets): inputs' @ centred targets
    x_mean: np.ndarray
    y_mean: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, Y: np.ndarray) -> _Centred:
        where = resolve_device()
        x_mean, y_mean = X.mean(axis=0, dtype=np.float64), Y.mean(axis=0, dtype=np.float64)
        inputs = torch.as_tensor(X - x_mean.astype(X.dtype)).to(where)
        product = torch.empty(X.shape[1], Y.shape[1], dtype=inputs.dtype, device=where)
        for some in blocks(Y.shape[1], COLUMNS):  # a centred copy of all targets may not fit into memory
            targets = near_zero(Y[:, some], y_mean[some])[0].astype(X.dtype, copy=False)
            torch.matmul(inputs.T, torch.as_tensor(targets).to(where), out=product[:, some])
        return cls(inputs, product, x_mean, y_mean)

    def held(self, X: np.ndarray, Y: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield blocks of other samples, centred by the same means: features and targets."""
        like = {"dtype": self.inputs.dtype, "device": self.inputs.device}
        for some in blocks(len(X)):
            yield (
                torch.as_tensor(X[some] - self.x_mean).to(**like),
                torch.as_tensor(Y[some] - self.y_mean).to(**like),
            )


@dataclass(frozen=True)
class _Basis:
    """Training samples in the eigenbasis of the features, the smaller of the two Gram matrices factored.

    With rotation V and variances w, ridge coefficients are ``V @ (product / (w + penalty))``.
    """

    centred: _Centred
    rotation: Tensor  # (features, components), largest variance first
    variances: Tensor  # (components,), sums of squares
    product: Tensor  # (components, targets): (inputs @ rotation)' @ centred targets

    @classmethod
    def of(cls, X: np.ndarray, Y: np.ndarray) -> _Basis:
        centred = _Centred.of(X, Y)
        inputs = centred.inputs
        wide = inputs.shape[1] > inputs.shape[0]
        gram = inputs @ inputs.T if wide else inputs.T @ inputs
        values, vectors = torch.linalg.eigh(gram.double())
        values, vectors = values.flip(0), vectors.flip(1)
        keep = values > values[0].clamp_min(1e-300) * SMALLEST
        values, vectors = values[keep], vectors[:, keep]
        rotation = (inputs.T.double() @ vectors) / values.sqrt() if wide else vectors
        rotation = rotation.to(inputs.dtype)
        return cls(centred, rotation, values.to(inputs.dtype), rotation.T @ centred.product)

    @property
    def size(self) -> float:
        """The mean sum of squares of a feature."""
        return float(self.variances.sum(dtype=torch.float64)) / len(self.rotation)

    def ridge(self, penalty: float) -> Tensor:
        """Return the coefficients, (features, targets), of a ridge regression with this penalty."""
        return self.rotation @ (self.product / (self.variances + penalty)[:, None])

    def ridge_errors(self, penalties: list[float], X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return the mean absolute error of each penalty on other samples; no coefficients are formed."""
        totals = np.zeros(len(penalties))
        for inputs, targets in self.centred.held(X, Y):
            components = inputs @ self.rotation
            for number, penalty in enumerate(penalties):
                shrunk = components / (self.variances + penalty)
                residual = torch.addmm(targets, shrunk, self.product, alpha=-1)
                totals[number] += float(residual.abs_().sum(dtype=torch.float64))
        return totals / Y.size


@dataclass(kw_only=True, eq=False, repr=False)
class LeastSquares(MultiTargetRegressor):
    """Least squares or ridge for thousands of targets: one Gram matrix, one Cholesky factor.

    Parameters
    ----------
    penalty : float
        Weight of the squared coefficients, intercept left out (scikit-learn's ``alpha``); 0 is
        ordinary least squares, with the shortest solution where there are too few samples.

    Attributes
    ----------
    coef_ (targets, features) or (features,), intercept_, n_features_in_
    """

    penalty: float = 0.0

    def fit(self, X: Any, y: Any, groups: Any = None, *, validation: Any = None) -> LeastSquares:
        """Fit on `X` (samples, features) and `y`, (samples,) or (samples, targets).

        Nothing is chosen here, so neither `groups` nor `validation` is used.

        Raises
        ------
        DataError
            For NaN in `X`.
        ParameterError
            For a negative penalty.
        """
        usable([self.penalty], "penalty", least=0)
        X, Y = self._validated(X, y)
        centred = _Centred.of(X, Y)
        found = self._solve((centred.inputs.T @ centred.inputs).double(), centred.product)
        self._keep_linear(found.cpu().numpy().T, centred.x_mean, centred.y_mean)
        return self

    def _solve(self, gram: Tensor, product: Tensor) -> Tensor:
        """Return the coefficients, (features, targets): Cholesky, or eigenvalues where it fails."""
        size = gram.diagonal().mean().clamp_min(1e-300)
        gram.diagonal().add_(self.penalty)
        factor, failed = torch.linalg.cholesky_ex(gram)
        smallest = factor.diagonal().min()
        if not failed and smallest.square() > SMALLEST * size:
            return torch.cholesky_solve(product.double(), factor)
        values, vectors = torch.linalg.eigh(gram)
        inverse = torch.where(values > values[-1].clamp_min(1e-300) * SMALLEST, 1 / values, 0.0)
        return vectors @ (inverse[:, None] * (vectors.T @ product.double()))


@dataclass(kw_only=True, eq=False, repr=False)
class TunedRidge(TunedRegressor):
    """Ridge regression with one penalty for all targets, chosen among many (chen2016, LR-L2).

    Parameters
    ----------
    penalties : sequence of float, optional
        Weights of the squared coefficients to try (scikit-learn's ``alpha``), intercept left out. None
        tries 22 from 1e-5 to 1e2, in units of the mean sum of squares of a centred feature.
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
    _start = staticmethod(_Basis.of)

    def _errors(self, start: _Basis, X: np.ndarray, Y: np.ndarray) -> Iterator[tuple[float, float]]:
        penalties = penalties_to_try(self.penalties, PENALTIES, start.size)
        return zip(penalties, start.ridge_errors(penalties, X, Y), strict=True)

    def _finish(self, start: _Basis, chosen: float) -> None:
        self.penalty_ = float(chosen)
        found = start.ridge(chosen).cpu().numpy().T
        self._keep_linear(found, start.centred.x_mean, start.centred.y_mean)


@dataclass(kw_only=True, eq=False, repr=False)
class _GrowingRank(TunedRegressor):
    """A linear model built of parts in a fixed order, of which the first few are used.

    A subclass writes ``_parts(basis)``: left (features, parts) and right (parts, targets), whose product
    over the first k parts is the coefficients of size k.
    """

    candidate = "rank"
    _start = staticmethod(_Basis.of)
    rank: int | None = None
    ranks: Any = (1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400)

    def _only(self) -> int | None:
        return None if self.rank is None else sizes_to_try(self.rank, rank=self.rank, ranks=())[0]

    def _errors(self, start: _Basis, X: np.ndarray, Y: np.ndarray) -> Iterator[tuple[int, float]]:
        left, right = self._parts(start, (X, Y))
        ranks = sizes_to_try(len(right), rank=self.rank, ranks=self.ranks)
        totals = np.zeros(len(ranks))
        for inputs, residual in start.centred.held(X, Y):
            scores, before = inputs @ left, 0
            for number, rank in enumerate(ranks):
                residual.addmm_(scores[:, before:rank], right[before:rank], alpha=-1)
                totals[number] += float(residual.abs().sum(dtype=torch.float64))
                before = rank
        return zip(ranks, totals / Y.size, strict=True)

    def _finish(self, start: _Basis, chosen: int) -> None:
        left, right = self._parts(start, None)
        self.rank_ = min(int(chosen), len(right))
        found = (left[:, : self.rank_] @ right[: self.rank_]).cpu().numpy().T
        self._keep_linear(found, start.centred.x_mean, start.centred.y_mean)


@dataclass(kw_only=True, eq=False, repr=False)
class ReducedRankRegression(_GrowingRank):
    """Least squares or ridge whose coefficients have low rank: the best linear bottleneck.

    The closed form: fitted values of the full regression, projected on their leading principal directions;
    with a penalty those of the augmented problem (Mukherjee and Zhu, 2011).

    Parameters
    ----------
    rank : int, optional
        The rank to use, without a search.
    ranks : sequence of int
        Ranks to try; those above what the samples allow count as that.
    penalty : float or "tuned"
        Weight of the squared coefficients (scikit-learn's ``alpha``). "tuned" takes the one that serves
        ridge regression of full rank best on the samples that choose.
    holdout, random_state
        As in `TunedRidge`.

    Attributes
    ----------
    rank_ : int
    penalty_ : float
    path_ : DataFrame
        rank, mean_absolute_error on the samples that chose.
    coef_ (targets, features) or (features,), intercept_, n_features_in_
    """

    penalty: float | str = "tuned"

    def _only(self) -> int | None:
        return None if self.penalty == "tuned" else super()._only()

    def _parts(self, basis: _Basis, held: tuple[np.ndarray, np.ndarray] | None) -> tuple[Tensor, Tensor]:
        if held is not None or self.penalty != "tuned":
            self.penalty_ = self._penalty(basis, held)
        shrink = (basis.variances + self.penalty_).rsqrt()
        fitted = basis.product * shrink[:, None]  # its right singular vectors are those of the fitted values
        order = torch.linalg.eigh((fitted @ fitted.T).double()).eigenvectors.flip(1).to(fitted.dtype)
        order = order[:, : min(fitted.shape)]
        return (basis.rotation * shrink) @ order, order.T @ fitted

    def _penalty(self, basis: _Basis, held: tuple[np.ndarray, np.ndarray] | None) -> float:
        if self.penalty != "tuned":
            if isinstance(self.penalty, str):
                raise ParameterError(f"penalty must be a number or 'tuned', not {self.penalty!r}")
            return float(usable([self.penalty], "penalty", least=0)[0])
        penalties = penalties_to_try(None, PENALTIES, basis.size)
        return penalties[int(basis.ridge_errors(penalties, *held).argmin())]


class ComponentRegression(_GrowingRank):
    """Least squares on the leading principal components of the features.

    Parameters
    ----------
    rank : int, optional
        The number of components to use, without a search.
    ranks : sequence of int
        Numbers of components to try; those above what the samples allow count as that.
    holdout, random_state
        As in `TunedRidge`.

    Attributes
    ----------
    rank_, path_, coef_, intercept_, n_features_in_
        As in `ReducedRankRegression`.
    """

    def _parts(self, basis: _Basis, held: tuple[np.ndarray, np.ndarray] | None) -> tuple[Tensor, Tensor]:
        return basis.rotation / basis.variances, basis.product
