"""What the estimators share: checks of what they are given, the part held out to choose by, their outputs."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from exprml.base.errors import DataError, ParameterError


def inner_split(groups: np.ndarray, holdout: float | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split samples into a part to train on and a part that stops training, groups kept whole.

    Groups are shuffled and added to the first part until it holds more than ``1 - holdout`` of the
    samples (heil2022, Model training); what is left may be nothing, then the last epoch is used.

    Parameters
    ----------
    groups : array, (samples,)
        The group of each sample.
    holdout : float, optional
        Share of the second part; None or 0 leaves it empty.
    seed : int
        Shuffles the groups.

    Returns
    -------
    training_rows, holdout_rows : arrays of int, ascending
    """
    if not holdout:
        return np.arange(len(groups)), np.arange(0)
    if not 0 < holdout < 1:
        raise ParameterError(f"holdout must be a share between 0 and 1 or None, not {holdout!r}")
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = np.random.RandomState(seed).permutation(len(sizes))
    before = np.concatenate([[0], np.cumsum(sizes[shuffled])[:-1]])
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[shuffled[before <= (1 - holdout) * len(groups)]] = True
    return np.flatnonzero(chosen[codes]), np.flatnonzero(~chosen[codes])


def validated(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """Return `X`, or `X` and `y`, as scikit-learn's ``validate_data`` does; say where `X` has NaN.

    Raises
    ------
    DataError
        For NaN or infinity in `X`.
    """
    found = validate_data(estimator, X, y, ensure_all_finite=False, **options)
    check_finite(found[0] if isinstance(found, tuple) else found)
    return found


def check_labels(y: np.ndarray) -> np.ndarray:
    """Return the classes of `y`; refuse what is no label, without scikit-learn's doubts about few samples.

    A tenth of the samples with 26 tissues is what a learning curve asks for.

    Raises
    ------
    DataError
        For a single class.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        check_classification_targets(y)
    present = np.unique(y)
    if len(present) < 2:
        raise DataError(
            f"y has one class only, {present.tolist()[0]!r}: a classifier needs at least 2 classes"
        )
    return present


def check_finite(X: np.ndarray, name: str = "X") -> None:
    """Refuse NaN and infinity in `X`, known as `name`: say how many there are and where the first one is.

    Raises
    ------
    DataError
        Also the remedy.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(X.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(X)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{name} contains {int(bad.sum())} NaN or infinity values, the first in sample {row}, feature "
            f"{column}: drop or impute them first"
        )


def check_groups(groups: Any, n_samples: int) -> np.ndarray:
    """Return the group of each sample; without groups every sample is its own.

    Raises
    ------
    DataError
        If the length differs from the samples or there are fewer than two groups.
    """
    if groups is None:
        return np.arange(n_samples)
    groups = np.asarray(groups)
    if groups.shape != (n_samples,):
        raise DataError(
            f"groups has shape {groups.shape}, but X has {n_samples} samples: give one per sample"
        )
    if n_samples and (groups == groups[0]).all():
        raise DataError(
            f"all samples are in one group, {groups.tolist()[0]!r}: at least 2 are needed to hold some out"
        )
    return groups


def check_targets(name: str, y: Any, n_samples: int, n_targets: int) -> np.ndarray:
    """Return targets of data called `name` as (samples, targets).

    Raises
    ------
    DataError
        If they are not one row per sample and one column per target that is trained on, or not finite: no
        candidate and no epoch could be chosen by them.
    """
    y = np.asarray(y)
    y = y.reshape(len(y), -1)
    if y.shape != (n_samples, n_targets):
        raise DataError(
            f"{name} has {n_samples} samples and targets of shape {y.shape}; the targets given to fit have "
            f"{n_targets} columns: give the same targets, one row per sample"
        )
    check_finite(y, f"{name} (its targets)")
    return y


def any_improving(*fitted: Any) -> float:
    """Return the largest `still_improving_` of some fitted estimators, NaN if none has it."""
    return float(np.fmax.reduce([getattr(one, "still_improving_", np.nan) for one in fitted]))


def draw_seed(random_state: Any) -> int:
    """Return an int as it is; from None or a RandomState draw one."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


class LogitClassifier(ClassifierMixin):
    """A classifier that goes by logits; a subclass writes ``_logits(X)``, (samples, classes)."""

    def decision_function(self, X: Any) -> np.ndarray:
        """Return logits, (samples, classes); of two classes the second's lead over the first, (samples,)."""
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, (samples, classes)."""
        return softmax(self._logits(X), axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest label of each sample."""
        likeliest = self._logits(X).argmax(axis=1)  # first: it tells what is not fitted
        return self.classes_[likeliest]


class ManyTargets(RegressorMixin):
    """A regressor for one target or thousands; a subclass writes ``_predict(X)``, (samples, targets).

    It notes in `one_target_` whether `y` had one dimension.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions of the shape `y` had."""
        check_is_fitted(self)
        found = self._predict(X)
        return found[:, 0] if self.one_target_ else found
