"""What regressors for thousands of targets share: checks of what they are given, and how one is tuned.

A tuned regressor tries a list of candidates (penalties, ranks, numbers of neighbours) and keeps the one with
the lowest mean absolute error over all targets (chen2016, Methods) on samples it was not fitted on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from exprml.base.errors import DataError, ParameterError
from exprml.models.estimators import ManyTargets, check_groups, check_targets, inner_split, validated

KINDS = [np.float32, np.float64]
ROWS = 2048  # samples predicted at a time while candidates are compared


class MultiTargetRegressor(ManyTargets, BaseEstimator):
    """A regressor whose features and targets are checked; it predicts by `coef_` and `intercept_`."""

    def _validated(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return features and targets, (samples, features) and (samples, targets)."""
        X, y = validated(self, X, y, dtype=KINDS, multi_output=True, y_numeric=True)
        self.one_target_ = y.ndim == 1
        return X, y.reshape(len(y), -1)

    def _features(self, X: Any) -> np.ndarray:
        return validated(self, X, dtype=KINDS, reset=False)

    def _predict(self, X: Any) -> np.ndarray:
        return self._features(X) @ np.atleast_2d(self.coef_).T + self.intercept_

    def _keep_linear(self, coefficients: np.ndarray, x_mean: np.ndarray, y_mean: np.ndarray) -> None:
        """Set `coef_` and `intercept_` from coefficients (targets, features) for centred values."""
        self.coef_ = coefficients[0] if self.one_target_ else coefficients
        intercept = y_mean - coefficients @ x_mean
        self.intercept_ = intercept[0] if self.one_target_ else intercept


@dataclass(kw_only=True, eq=False, repr=False)
class TunedRegressor(MultiTargetRegressor):
    """A regressor whose one parameter is chosen by its error on samples held out.

    A subclass names its parameter (`candidate`), and writes ``_start(X, Y)``, what all candidates share;
    ``_errors(start, X, Y)``, pairs of a candidate and its mean absolute error, simplest first; and
    ``_finish(start, chosen)``, which sets the fitted attributes. ``_only()`` returns the candidate where
    there is nothing to choose, in a list of one of `penalties` where a subclass has these: then no sample is
    held out.
    """

    candidate: ClassVar[str] = "penalty"
    holdout: float = 0.2
    random_state: int = 0

    def fit(self, X: Any, Y: Any, groups: Any = None, *, validation: Any = None) -> Any:
        """Fit on `X` (samples, features) and `Y`, (samples,) or (samples, targets).

        Parameters
        ----------
        groups : sequence, optional
            The group of each sample, kept whole where an inner part is held out to choose.
        validation : (X, Y), optional
            Samples that choose and are never fitted on. Without them a part of `X` is held out to
            choose, and the model then fitted on all of `X`; nothing is held out where only one candidate
            is given.

        Raises
        ------
        DataError
            For NaN in `X`, or a validation part that does not fit.
        ParameterError
            For a candidate that cannot be used.
        """
        X, Y = self._validated(X, Y)
        start, chosen = None, self._only() if validation is None else None
        if chosen is not None:
            self.path_ = self._path([(chosen, np.nan)])
        elif validation is not None:
            X_held = self._features(validation[0])
            Y_held = check_targets("validation", validation[1], len(X_held), Y.shape[1])
            start = self._start(X, Y)
            chosen = self._choose(start, X_held, Y_held)
        else:
            rows, held = inner_split(check_groups(groups, len(X)), self.holdout, self.random_state)
            if not len(held) or not len(rows):
                raise DataError(
                    f"holding {self.holdout!r} of {len(X)} samples out left none to choose the "
                    f"{self.candidate} by: give validation=(X, Y), or more groups"
                )
            chosen = self._choose(self._start(X[rows], Y[rows]), X[held], Y[held])
        self._finish(start or self._start(X, Y), chosen)
        return self

    def _only(self) -> Any:
        given = [] if self.penalties is None else usable(map(float, self.penalties), "penalties", least=0)
        return given[0] if len(given) == 1 else None

    def _path(self, tried: list[tuple[Any, float]]) -> pd.DataFrame:
        return pd.DataFrame(tried, columns=[self.candidate, "mean_absolute_error"])

    def _choose(self, start: Any, X: np.ndarray, Y: np.ndarray) -> Any:
        """Set `path_` and return the candidate of the lowest error; of equals the simplest."""
        path = list(self._errors(start, X, Y))
        self.path_ = self._path(path)
        return path[int(self.path_["mean_absolute_error"].argmin())][0]


def at_edge(model: TunedRegressor) -> str:
    """Return a sentence if the fitted model chose the first or last of the candidates it tried, else "".

    Beyond the edge of a grid may lie a better candidate. Nothing lies below a penalty of 0, nor below one
    neighbour or above all of them, and a regressor given a single candidate has chosen nothing: no sentence.
    """
    check_is_fitted(model)
    tried = model.path_[model.candidate].to_numpy()
    if len(tried) < 2:
        return ""
    chosen = tried[int(model.path_["mean_absolute_error"].argmin())]
    ends = (1, model.n_features_in_) if np.issubdtype(tried.dtype, np.integer) else (0, np.inf)
    if chosen in ends or tried.min() < chosen < tried.max():
        return ""
    words = "small" if chosen == tried.min() else "larg"
    name = model.candidate.replace("n_neighbours", "number of neighbours")
    tried_words = f"is the {words}est of {len(tried)} tried"
    return f"The {name} {chosen:.3g} {tried_words}; what a {words}er one would do is not known."


def near_zero(Y: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets centred, or as they are where that only costs time, and the means they have now.

    A product with centred features takes no notice of what is added to a target. Only rounding does, where
    means are large beside the spread; standardised targets are spared a pass through memory that is as dear
    as half the product.
    """
    spread = Y[:: max(len(Y) // 256, 1)].std()
    if np.abs(mean).max() <= spread / 4 and Y.flags.writeable:  # torch warns of what it could not change
        return Y, mean
    return Y - mean.astype(Y.dtype), np.zeros_like(mean)


def usable(candidates: Iterable[Any], name: str, *, least: float) -> list:
    """Return the distinct candidates in ascending order.

    Raises
    ------
    ParameterError
        If there are none, or one is below `least` or NaN.
    """
    found = sorted(set(candidates))
    if not found:
        raise ParameterError(f"{name} is empty: give at least one value to try")
    for one in found:
        if not one >= least:
            raise ParameterError(f"{name} has {one!r}, but must be {least:g} or more")
    return found


def penalties_to_try(penalties: Any, usual: Iterable[float], size: float) -> list[float]:
    """Return the penalties, strongest first; without any the usual ones, in units of `size`."""
    given = [one * size for one in usual] if penalties is None else penalties
    return usable(map(float, given), "penalties", least=0)[::-1]


def sizes_to_try(most: int, **given: Any) -> list[int]:
    """Return the sizes to try in ascending order, none above `most`.

    Parameters
    ----------
    most : int
        Larger sizes count as this one.
    given
        Two parameters of an estimator by name: one size to use alone, or None, and then those to try.

    Raises
    ------
    ParameterError
        If there are none, or one is no whole number from 1 on.
    """
    (alone, one), (several, many) = given.items()
    name, tried = (several, many) if one is None else (alone, [one])
    for size in tried:
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
            raise ParameterError(f"{name} has {size!r}, but must be whole numbers")
    return sorted({min(int(size), most) for size in usable(tried, name, least=1)})


def blocks(n: int, size: int = ROWS) -> Iterator[slice]:
    """Yield slices that cover `n` rows, `size` at a time."""
    return (slice(first, first + size) for first in range(0, n, size))
