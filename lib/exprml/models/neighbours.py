"""Neighbours among genes, whose mean infers a target, and among samples, whose votes tell a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted

from exprml.models.estimators import validated
from exprml.models.multitarget import TunedRegressor, blocks, sizes_to_try


@dataclass(frozen=True)
class _Order:
    """The landmarks next to each target, nearest first."""

    nearest: np.ndarray  # (ranks, targets), number of a landmark

    def means(self, X: np.ndarray, sizes: list[int]) -> Iterator[np.ndarray]:
        """Yield for each size the mean of that many landmarks, (samples, targets); the array is reused."""
        total = np.zeros((len(X), self.nearest.shape[1]), X.dtype)
        before = 0
        for size in sizes:
            for rank in range(before, size):
                total += X[:, self.nearest[rank]]
            before = size
            yield total / X.dtype.type(size)


@dataclass(kw_only=True, eq=False, repr=False)
class LandmarkNeighbours(TunedRegressor):
    """KNN-GE of chen2016 (Methods): nearest landmark genes, not nearest samples.

    The distance between a target and a landmark is Euclidean over the training samples; a target is
    predicted as the mean of its nearest landmarks' values in the same sample. Genes should be standardised.

    Parameters
    ----------
    n_neighbours : int, optional
        How many landmarks, without a search.
    candidates : sequence of int
        Numbers to try; those above the number of landmarks count as that.
    holdout : float
        Share of the samples, whole groups, that chooses where `fit` gets no validation samples.
    random_state : int
        Draws that share.

    Attributes
    ----------
    n_neighbours_ : int
    neighbours_ : array of int, (n_neighbours, targets)
        Landmarks of each target, nearest first.
    path_ : DataFrame
        n_neighbours, mean_absolute_error on the samples that chose.
    """

    candidate = "n_neighbours"

    n_neighbours: int | None = None
    candidates: Any = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)

    def _sizes(self, n_landmarks: int) -> list[int]:
        return sizes_to_try(n_landmarks, n_neighbours=self.n_neighbours, candidates=self.candidates)

    def _only(self) -> int | None:
        return None if self.n_neighbours is None else self._sizes(self.n_neighbours)[0]

    def _start(self, X: np.ndarray, Y: np.ndarray) -> _Order:
        """Order landmarks by |x|^2 - 2 x'y, which is the squared distance but for |y|^2."""
        own = np.square(X).sum(axis=0, dtype=np.float64)
        most = self._sizes(X.shape[1])[-1]
        nearest = np.empty((most, Y.shape[1]), np.intp)
        for some in blocks(Y.shape[1]):
            distance = own[:, None] - 2.0 * (X.T @ Y[:, some].astype(X.dtype))
            nearest[:, some] = np.argsort(distance, axis=0, kind="stable")[:most]
        return _Order(nearest)

    def _errors(self, start: _Order, X: np.ndarray, Y: np.ndarray) -> Iterator[tuple[int, float]]:
        sizes = self._sizes(X.shape[1])
        totals = np.zeros(len(sizes))
        for some in blocks(len(X)):
            for number, predicted in enumerate(start.means(X[some], sizes)):
                totals[number] += np.abs(predicted - Y[some]).sum(dtype=np.float64)
        return zip(sizes, totals / Y.size, strict=True)

    def _finish(self, start: _Order, chosen: int) -> None:
        self.neighbours_ = start.nearest[:chosen]
        self.n_neighbours_ = len(self.neighbours_)

    def _predict(self, X: Any) -> np.ndarray:
        X = self._features(X)
        found = np.empty((len(X), self.neighbours_.shape[1]), X.dtype)
        for some in blocks(len(X)):
            (found[some],) = _Order(self.neighbours_).means(X[some], [self.n_neighbours_])
        return found


class CanberraNeighbours(KNeighborsClassifier):
    """Classification by the nearest training samples, by Canberra distance (mcdermott2020's best metric).

    scikit-learn's voting, with parameters ``n_neighbors`` and ``weights``; of samples equally far the first
    is nearest. See `exprml.models.canberra`.
    """

    def fit(self, X: Any, y: Any) -> CanberraNeighbours:
        """Keep `X` (samples, features) and labels `y`."""
        super().fit(X, y)
        self._fit_method = "canberra"  # not "brute": there scikit-learn passes `kneighbors` by
        return self

    def kneighbors(self, X: Any, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Return distances to the nearest training samples, if asked for, and their numbers."""
        from exprml.models import canberra

        check_is_fitted(self)
        X = validated(self, X, dtype=[np.float32, np.float64], reset=False)
        found = canberra.nearest(X, self._fit_X, n_neighbors or self.n_neighbors)
        return found if return_distance else found[1]


class CorrelationAsDistance(ClassifierMixin, BaseEstimator):
    """A slip of mcdermott2020's search: Pearson's r itself is taken for a distance, so the most unlike vote.

    Of rows centred and scaled to length 1, 2 + 2r is the squared distance of one to the other's mirror image:
    the samples of smallest r are those nearest to it. Done right, the distance is 1 - r: scikit-learn has it.

    Parameters
    ----------
    n_neighbors : int
        How many vote, each with the same weight.
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: Any, y: Any) -> CorrelationAsDistance:
        """Keep `X` (samples, features) and labels `y`."""
        X, y = validated(self, X, y, dtype=[np.float32, np.float64], ensure_min_features=2)
        self.neighbours_ = KNeighborsClassifier(self.n_neighbors, algorithm="brute").fit(_unit_rows(X), y)
        self.classes_ = self.neighbours_.classes_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the commonest label of the training samples with the smallest r."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return each label's share among them, (samples, classes)."""
        check_is_fitted(self)
        X = validated(self, X, dtype=[np.float32, np.float64], reset=False)
        return self.neighbours_.predict_proba(-_unit_rows(X))


def _unit_rows(X: np.ndarray) -> np.ndarray:
    """Return rows less their mean, scaled to length 1; a row that does not vary stays at 0."""
    centred = X - X.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
