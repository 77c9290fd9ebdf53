"""Fully connected networks as scikit-learn estimators; layers and first weights are in `layers`.

``fit(..., start_from=fitted)`` goes on from the weights of another network (heil2022, Methods: Pretraining).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.models.layers import build_network, initialise, layer_widths
from exprml.models.network_base import (
    Network,
    Start,
    check_finite,
    check_groups,
    check_labels,
    check_targets,
    draw_seed,
    inner_split,
)

__all__ = [
    "NetworkClassifier",
    "NetworkRegressor",
    "build_network",
    "check_finite",
    "check_groups",
    "check_targets",
    "draw_seed",
    "initialise",
    "inner_split",
    "layer_widths",
]


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, Network):
    """A fully connected classifier; with ``hidden=()`` it is logistic regression by gradient descent.

    All parameters of `exprml.models.training.TrainingSettings`, and those below.

    Parameters
    ----------
    hidden : tuple of int or str
        Widths of the hidden layers, or fractions of the input width ("1/2").
    activation, dropout, input_dropout, batch_norm, initialisation, initial_gain, output_bound
        See `build_network` and `initialise`.
    inputs : {"raw", "centred", "standardised"}
        What is done to each feature first, by mean and sd of the samples given to `fit`.
    holdout : float, optional
        Share of the samples (whole groups) that chooses the epoch; None trains to the last epoch.
    class_weight : {"inverse", "balanced"}, dict or None
        "inverse" weighs class c by 1 / (n_c + 1) (heil2022).
    inner_labels : {"fixed", "refit"}
        "refit" numbers the classes anew within each inner part, as heil2022's code does: where a class
        is missing from a part, the codes of all later classes shift (heil2022 code). "fixed" is right.
        That code scores with the codes of all labels there are: give them as `classes`, or a class that
        `y` lacks altogether shifts nothing here.
    classes : sequence, optional
        All labels there are, where `y` may lack some (small training subsets).
    random_state : int, RandomState or None
        First weights, inner split, batch order and dropout. An int gives the same bytes each time.

    Attributes
    ----------
    classes_, n_features_in_, n_epochs_, best_epoch_, history_, module_, seed_
    training_rows_, holdout_rows_ : arrays of int
        The inner split.
    """

    class_weight: Any = "inverse"
    inner_labels: str = "fixed"
    classes: Any = None

    def fit(
        self, X: Any, y: Any, groups: Any = None, *, start_from: Any = None, new_output: bool = False
    ) -> NetworkClassifier:
        """Train on `X` (samples, features) and labels `y`; `groups` are kept whole in the inner split.

        Parameters
        ----------
        start_from : NetworkClassifier, optional
            A fitted network of the same layers, whose weights (and scaling of the inputs) this one begins
            with; it stays as it is. Optimiser and learning rate begin afresh. `y` may lack some of its
            classes, but not have others.
        new_output : bool
            With `start_from`: draw a new output layer, for other classes.

        Raises
        ------
        DataError
            For NaN in `X`, a single class, groups that do not fit.
        ParameterError
            For a setting that cannot be used.
        """
        X, y = self._validated(X, y)
        check_known("inner_labels", [self.inner_labels], ("fixed", "refit"))
        start = Start(start_from, new_output)
        codes = self._encode(y, start.classes)
        self.seed_ = draw_seed(self.random_state)
        rows, held = inner_split(check_groups(groups, len(X)), self.holdout, self.seed_)
        self.training_rows_, self.holdout_rows_ = rows, held
        weights = self._weights(codes)
        if self.inner_labels == "refit":
            for part in (rows, held):
                codes[part] = np.unique(codes[part], return_inverse=True)[1]
        self._fit_module(X, codes, rows, held, len(self.classes_), start, class_weights=weights)
        return self

    def _encode(self, y: np.ndarray, started: np.ndarray | None) -> np.ndarray:
        """Set `classes_`: those of `classes`, else of the network begun with, else of `y`; return codes."""
        check_labels(y)
        present = np.unique(y)
        if len(present) < 2:
            raise DataError(
                f"y has one class only, {present.tolist()[0]!r}: a classifier needs at least 2 classes"
            )
        known = started if self.classes is None else np.unique(np.asarray(self.classes))
        self.classes_ = present if known is None else known
        if started is not None and not np.array_equal(known, started):
            raise ParameterError(
                f"classes {known.tolist()} are not those of start_from, {started.tolist()}: "
                "give the same, or new_output=True"
            )
        unknown = np.setdiff1d(present, self.classes_)
        if len(unknown):
            where = "classes" if started is None else "the classes of start_from"
            remedy = "" if started is None else ", or give new_output=True"
            raise DataError(
                f"label {unknown.tolist()[0]!r} in y is not among {where}: add it or drop its samples{remedy}"
            )
        return np.searchsorted(self.classes_, y)

    def _weights(self, codes: np.ndarray) -> np.ndarray | None:
        """Return the weight of each class in the loss."""
        counts = np.bincount(codes, minlength=len(self.classes_))
        if self.class_weight is None:
            return None
        if isinstance(self.class_weight, dict):
            return np.array([self.class_weight.get(label, 1.0) for label in self.classes_], dtype=np.float32)
        check_known("class_weight", [self.class_weight], ("inverse", "balanced"))
        if self.class_weight == "inverse":
            return (1.0 / (counts + 1)).astype(np.float32)
        return (len(codes) / (len(counts) * np.maximum(counts, 1))).astype(np.float32)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return logits, (samples, classes); of two classes the second's lead over the first, (samples,)."""
        logits = self._outputs(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, (samples, classes)."""
        logits = self._outputs(X)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest label of each sample."""
        likeliest = self._outputs(X).argmax(axis=1)
        return self.classes_[likeliest]


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkRegressor(RegressorMixin, Network):
    """A fully connected regressor for one target or thousands at once.

    Parameters as in `NetworkClassifier` but for `class_weight`, `inner_labels` and `classes`;
    `loss` is "squared" by default. With ``reduction="sum-over-outputs"`` it trains as chen2016's.
    """

    loss: str = "squared"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        groups: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
        watch: Mapping[str, tuple[Any, Any]] | None = None,
        decode: Callable[[np.ndarray], np.ndarray] | None = None,
        start_from: Any = None,
        new_output: bool = False,
    ) -> NetworkRegressor:
        """Train on `X` (samples, features) and `y`, (samples,) or (samples, targets).

        Parameters
        ----------
        validation : (X, y), optional
            Samples that choose the epoch, by `validation_loss`, in place of an inner part: then all of `X`
            is trained on.
        watch : dict of (X, y), optional
            Each adds a column of its name to `history_`: the mean absolute error after each epoch, over
            samples and targets. It decides nothing.
        decode : callable, optional
            From outputs to what `validation` and `watch` hold, both (samples, any width), if `y` is a code
            of it: then the epoch is chosen by the error of what is decoded.
        start_from, new_output
            As in `NetworkClassifier`: a fitted network to begin with, and whether its targets are others.

        Raises
        ------
        DataError
            For NaN in `X`, groups, a validation or a watched part that do not fit.
        ParameterError
            For a setting that cannot be used.
        """
        X, y = self._validated(X, y, multi_output=True, y_numeric=True)
        check_known("loss of a regressor", [self.loss], ("squared", "absolute"))
        self.seed_ = draw_seed(self.random_state)
        holdout = self.holdout if validation is None else None
        rows, held = inner_split(check_groups(groups, len(X)), holdout, self.seed_)
        self.training_rows_, self.holdout_rows_ = rows, held
        self.one_target_ = y.ndim == 1
        targets = np.asarray(y, dtype=np.float32).reshape(len(X), -1)
        wide = (targets if decode is None else decode(targets[:1])).shape[1]
        beside = {name: self._beside(name, *data, wide) for name, data in (watch or {}).items()}
        if validation is not None:
            held = self._beside("validation", *validation, wide)
        start = Start(start_from, new_output)
        options = {"watch": beside, "decode": decode, "keep_first": True}
        self._fit_module(X, targets, rows, held, targets.shape[1], start, **options)
        return self

    def _beside(self, name: str, X: Any, y: Any, n_targets: int) -> tuple[np.ndarray, np.ndarray]:
        """Return features and targets of data that are not trained on."""
        X = validate_data(self, X, dtype=np.float32, reset=False, ensure_all_finite=False)
        check_finite(X)
        return X, check_targets(name, y, len(X), n_targets).astype(np.float32, copy=False)

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions of the shape `y` had."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self.one_target_ else outputs
