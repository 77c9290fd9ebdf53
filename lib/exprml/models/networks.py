"""Fully connected networks as scikit-learn estimators; layers and first weights are in `layers`.

``fit(..., start_from=fitted)`` goes on from the weights of another network (heil2022, Methods: Pretraining).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.models.estimators import (
    LogitClassifier,
    ManyTargets,
    check_groups,
    check_labels,
    check_targets,
    draw_seed,
    inner_split,
    validated,
)
from exprml.models.layers import Standardised, build_network, copy_weights, initialise, layer_widths
from exprml.models.settings import TrainingSettings, resolve_device, seeded
from exprml.models.training import fit_network, predict_batches


@dataclass(kw_only=True, eq=False, repr=False)
class Network(TrainingSettings, BaseEstimator):
    """Parameters and steps that classifier and regressor share."""

    hidden: tuple = (64,)  # widths, or fractions of the input width such as "1/2"
    activation: str = "relu"
    dropout: float = 0.0  # after each hidden layer
    input_dropout: float = 0.0
    batch_norm: bool = False  # after the activation, before dropout
    initialisation: str = "pytorch"  # or "glorot-uniform", "glorot-normal", "lecun-normal"
    initial_gain: float = 1.0
    output_bound: float | None = None  # the output layer starts uniform within it
    holdout: float | None = 0.2  # share of the samples that stops training; None trains to the end
    random_state: Any = None

    def _validated(self, X: Any, y: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        return validated(self, X, y, dtype=np.float32, ensure_min_samples=2, **options)

    def _split(self, groups: Any, n_samples: int, holdout: float | None) -> None:
        """Set `seed_`, and the rows to train on and to choose the epoch by."""
        self.seed_ = draw_seed(self.random_state)
        groups = check_groups(groups, n_samples)
        self.training_rows_, self.holdout_rows_ = inner_split(groups, holdout, self.seed_)

    def _draw_module(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Return the network with its first weights; the same seed and shape, the same weights."""
        with seeded(self.seed_, resolve_device(self.device)):
            names = ("activation", "batch_norm", "dropout", "input_dropout")
            options = {name: getattr(self, name) for name in names}
            module = build_network(n_inputs, layer_widths(self.hidden, n_inputs), n_outputs, **options)
            initialise(module, self.initialisation, gain=self.initial_gain, output_bound=self.output_bound)
        return module

    def _fit_module(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_outputs: int,
        *,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        start_from: Any = None,
        **options: Any,
    ) -> None:
        """Build the network, take the weights of `start_from` and train, with `fit_network`'s options."""
        self.module_ = self._draw_module(X.shape[1], n_outputs)
        for scaling in filter(lambda one: isinstance(one, Standardised), self.module_.modules()):
            scaling.learn(X[self.training_rows_])
        if start_from is not None:
            self._take_weights(start_from)
        held = self.holdout_rows_ if validation is None else validation
        options |= {"rows": self.training_rows_, "validation": held, "seed": self.seed_}
        record = fit_network(self.module_, X, y, settings=self, **options)
        self.history_, self.n_epochs_, self.best_epoch_ = record.history, record.n_epochs, record.best_epoch
        self.still_improving_ = record.still_improving

    def _take_weights(self, network: Any) -> None:
        if not hasattr(network, "module_"):
            raise ParameterError(f"start_from must be a fitted network, not {network!r}")
        if network.activation != self.activation:
            raise ParameterError(
                f"activation is {self.activation!r}, but start_from was trained with {network.activation!r}"
            )
        copy_weights(self.module_, network.module_)

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the network's outputs, (samples, outputs) float64."""
        check_is_fitted(self)
        X = validated(self, X, dtype=np.float32, reset=False)
        return predict_batches(self.module_, X).numpy().astype(np.float64)


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(LogitClassifier, Network):
    """A fully connected classifier; with ``hidden=()`` it is logistic regression by gradient descent.

    All parameters of `exprml.models.settings.TrainingSettings`, and those below.

    Parameters
    ----------
    hidden : tuple of int or str
        Widths of the hidden layers, or fractions of the input width ("1/2").
    activation, dropout, input_dropout, batch_norm, initialisation, initial_gain, output_bound
        See `build_network` and `initialise`.
    holdout : float, optional
        Share of the samples (whole groups) that chooses the epoch; None trains to the last epoch.
    standardise : bool
        The network's first step: inputs less their mean, divided by their standard deviation, both of the
        samples trained on, not of those that choose the epoch. After `start_from` that network's stay.
    inner_removal : {"joint", "apart"}
        What becomes of samples whose classes were given the same means (removal of linear signal). "joint"
        leaves it at that, as heil2022's code does: any difference of means that is left among the samples
        trained on stands mirrored among those that choose the epoch, and early epochs win. "apart" makes the
        means equal in each of the two.
    class_weight : "inverse" or None
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
    still_improving_ : float
        1 where training ended before validation had stopped improving, 0 where not; NaN without validation.
    training_rows_, holdout_rows_ : arrays of int
        The inner split.
    """

    standardise: bool = False
    inner_removal: str = "joint"
    class_weight: Any = "inverse"
    inner_labels: str = "fixed"
    classes: Any = None

    def fit(
        self, X: Any, y: Any, groups: Any = None, *, removed_within: Any = None, start_from: Any = None
    ) -> NetworkClassifier:
        """Train on `X` (samples, features) and labels `y`; `groups` are kept whole in the inner split.

        Parameters
        ----------
        removed_within : array, shape (samples,), optional
            The classes of `X` were given the same means within each of these levels; see `inner_removal`.
        start_from : NetworkClassifier, optional
            A fitted network of the same layers, whose weights this one begins with; it stays as it is.
            Optimiser and learning rate begin afresh. `y` may lack some of its classes, but not have others.

        Raises
        ------
        DataError
            For NaN in `X`, a single class, groups that do not fit.
        ParameterError
            For a setting that cannot be used.
        """
        X, y = self._validated(X, y)
        check_known("inner_labels", [self.inner_labels], ("fixed", "refit"))
        check_known("class_weight", [self.class_weight], ("inverse", None))
        check_known("inner_removal", [self.inner_removal], ("joint", "apart"))
        codes = self._encode(y, getattr(start_from, "classes_", None))
        self._split(groups, len(X), self.holdout)
        weights = None
        if self.class_weight is not None:
            weights = (1.0 / (np.bincount(codes, minlength=len(self.classes_)) + 1)).astype(np.float32)
        if self.inner_labels == "refit":
            for part in (self.training_rows_, self.holdout_rows_):
                codes[part] = np.unique(codes[part], return_inverse=True)[1]
        if removed_within is not None and self.inner_removal == "apart":
            X, levels = X.copy(), np.asarray(removed_within)
            for level in np.unique(levels):
                for part in (self.training_rows_, self.holdout_rows_):
                    rows = part[levels[part] == level]
                    X[rows] = _with_equal_means(X[rows], codes[rows]) if len(rows) else X[rows]
        self._fit_module(X, codes, len(self.classes_), start_from=start_from, class_weights=weights)
        return self

    def _draw_module(self, n_inputs: int, n_outputs: int) -> nn.Module:
        module = super()._draw_module(n_inputs, n_outputs)
        return nn.Sequential(Standardised(n_inputs), *module) if self.standardise else module

    def _encode(self, y: np.ndarray, started: np.ndarray | None) -> np.ndarray:
        """Set `classes_`: those of `classes`, else of the network begun with, else of `y`; return codes."""
        present = check_labels(y)
        known = started if self.classes is None else np.unique(np.asarray(self.classes))
        self.classes_ = present if known is None else known
        if started is not None and not np.array_equal(known, started):
            raise ParameterError(
                f"classes {known.tolist()} are not those of start_from, {started.tolist()}: give the same"
            )
        unknown = np.setdiff1d(present, self.classes_)
        if len(unknown):
            where = "classes" if started is None else "the classes of start_from"
            raise DataError(
                f"label {unknown.tolist()[0]!r} in y is not among {where}: add it or drop its samples"
            )
        return np.searchsorted(self.classes_, y)

    _logits = Network._outputs


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkRegressor(ManyTargets, Network):
    """A fully connected regressor for one target or thousands at once.

    Parameters as in `NetworkClassifier` but for `standardise`, `class_weight`, `inner_labels` and `classes`;
    `loss` is "squared" by default. With ``reduction="sum-over-outputs"`` it trains as chen2016's.
    """

    loss: str = "squared"

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
        start_from : NetworkRegressor, optional
            As in `NetworkClassifier`: a fitted network to begin with.

        Raises
        ------
        DataError
            For NaN in `X`, groups, a validation or a watched part that do not fit.
        ParameterError
            For a setting that cannot be used.
        """
        X, y = self._validated(X, y, multi_output=True, y_numeric=True)
        check_known("loss of a regressor", [self.loss], ("squared", "absolute"))
        self._split(groups, len(X), self.holdout if validation is None else None)
        self.one_target_ = y.ndim == 1
        targets = np.asarray(y, dtype=np.float32).reshape(len(X), -1)
        wide = (targets if decode is None else decode(targets[:1])).shape[1]
        options = {"start_from": start_from, "decode": decode, "keep_first": True}
        options["watch"] = {name: self._beside(name, *data, wide) for name, data in (watch or {}).items()}
        if validation is not None:
            options["validation"] = self._beside("validation", *validation, wide)
        self._fit_module(X, targets, targets.shape[1], **options)
        return self

    def _beside(self, name: str, X: Any, y: Any, n_targets: int) -> tuple[np.ndarray, np.ndarray]:
        """Return features and targets of data that are not trained on."""
        X = validated(self, X, dtype=np.float32, reset=False)
        return X, check_targets(name, y, len(X), n_targets).astype(np.float32, copy=False)

    _predict = Network._outputs


def _with_equal_means(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return `X`, (samples, features), less each class's mean, plus the plain average of these means."""
    classes, code = np.unique(codes, return_inverse=True)
    one_hot = np.eye(len(classes))[code]  # samples x classes
    means = one_hot.T @ X / one_hot.sum(axis=0)[:, None]
    return X - one_hot @ (means - means.mean(axis=0))
