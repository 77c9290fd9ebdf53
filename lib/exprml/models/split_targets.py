"""One model per part of the targets, as chen2016 trained two networks for what one GPU could not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from exprml.base.errors import DataError, ParameterError
from exprml.base.fitting import taken
from exprml.models.estimators import ManyTargets, any_improving, check_targets


class SplitTargets(ManyTargets, BaseEstimator):
    """Fit a clone of a regressor to each of some consecutive parts of the targets.

    Each clone chooses its own epoch or parameter on its own part (chen2016, public code: two halves of
    4,760 targets; bhukya2021, Table 4: five parts of 4,258).

    Parameters
    ----------
    estimator : regressor
        For many targets at once.
    n_parts : int
        Parts as equal as can be; the first ones are longer by one where the number does not divide.

    Attributes
    ----------
    estimators_ : list
        The fitted clones, in the order of the targets.
    history_ : DataFrame
        The clones' histories with a column `part` (from 1), where they keep one.
    still_improving_ : float
        As of a network: 1 where it is 1 for one of the clones.
    """

    def __init__(self, estimator: Any, n_parts: int = 2) -> None:
        self.estimator = estimator
        self.n_parts = n_parts

    def fit(
        self, X: Any, y: Any, groups: Any = None, *, validation: Any = None, watch: Any = None
    ) -> SplitTargets:
        """Fit on `X` (samples, features) and `y` (samples, targets); the rest goes to the clones, cut alike.

        Raises
        ------
        DataError
            If there are fewer targets than parts, or given data have other targets.
        ParameterError
            If `n_parts` is no whole number from 1 on.
        """
        y = np.asarray(y)
        if y.ndim != 2:
            raise DataError(f"y has shape {y.shape}: SplitTargets needs (samples, targets)")
        parts = _parts(y.shape[1], self.n_parts)
        beside = dict(watch or {})
        if validation is not None:
            beside["validation"] = validation
        beside = {name: (V, check_targets(name, Y, len(V), y.shape[1])) for name, (V, Y) in beside.items()}
        self.estimators_ = []
        for part in parts:
            cut = {name: (V, Y[:, part]) for name, (V, Y) in beside.items()}
            options = {"groups": groups, "validation": cut.pop("validation", None), "watch": cut or None}
            model = clone(self.estimator)
            self.estimators_.append(model.fit(X, y[:, part], **taken(model.fit, options)))
        self.n_features_in_ = np.shape(X)[1]
        self.still_improving_ = any_improving(*self.estimators_)
        histories = [getattr(one, "history_", None) for one in self.estimators_]
        if all(isinstance(one, pd.DataFrame) for one in histories):
            numbered = [one.assign(part=number) for number, one in enumerate(histories, start=1)]
            self.history_ = pd.concat(numbered, ignore_index=True)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions, (samples, targets)."""
        check_is_fitted(self, "estimators_")
        found = [np.asarray(one.predict(X)).reshape(len(X), -1) for one in self.estimators_]
        return np.concatenate(found, axis=1)


def _parts(n_targets: int, n_parts: Any) -> list[slice]:
    if not isinstance(n_parts, (int, np.integer)) or isinstance(n_parts, bool) or n_parts < 1:
        raise ParameterError(f"n_parts must be a whole number from 1 on, not {n_parts!r}")
    if n_parts > n_targets:
        raise DataError(f"{n_targets} targets cannot be cut into {n_parts} parts: use fewer parts")
    chunks = np.array_split(np.arange(n_targets), n_parts)
    return [slice(int(chunk[0]), int(chunk[-1]) + 1) for chunk in chunks]
