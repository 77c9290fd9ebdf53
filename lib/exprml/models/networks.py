"""Fully connected networks as scikit-learn estimators; layers and first weights are in `layers`.

``fit(..., start_from=fitted)`` goes on from the weights of another network (heil2022, Methods: Pretraining).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from exprml.base.errors import DataError, ParameterError
from exprml.models.layers import build_network, copy_weights, initialise, layer_widths
from exprml.models.schedules import check_choice
from exprml.models.training import TrainingSettings, fit_network, predict_batches, resolve_device, seeded


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


def check_finite(X: np.ndarray) -> None:
    """Refuse NaN and infinity, saying how many there are and where the first one is.

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
            f"X contains {int(bad.sum())} NaN or infinity values, the first in sample {row}, feature "
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


def draw_seed(random_state: Any) -> int:
    """Return an int as it is; from None or a RandomState draw one."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


@dataclass(frozen=True)
class _Start:
    """Where training begins: a fitted network whose weights are taken, or none."""

    network: Any = None
    new_output: bool = False  # keep the output layer as drawn: other classes or targets

    def __post_init__(self) -> None:
        if self.network is not None and not hasattr(self.network, "module_"):
            raise ParameterError(f"start_from must be a fitted network, not {self.network!r}")
        if self.new_output and self.network is None:
            raise ParameterError("new_output=True keeps the rest of another network: give start_from too")

    def check(self, settings: _Network) -> None:
        """Refuse weights that would mean something else in a network with these settings."""
        for name in ("activation", "inputs") if self.network is not None else ():
            ours, theirs = getattr(settings, name), getattr(self.network, name)
            if ours != theirs:
                raise ParameterError(f"{name} is {ours!r}, but start_from was trained with {theirs!r}")

    @property
    def classes(self) -> np.ndarray | None:
        """The classes that the outputs taken over stand for."""
        return None if self.new_output else getattr(self.network, "classes_", None)


@dataclass(kw_only=True, eq=False, repr=False)
class _Network(TrainingSettings, BaseEstimator):
    """Parameters and steps that classifier and regressor share."""

    hidden: tuple = (64,)  # widths, or fractions of the input width such as "1/2"
    activation: str = "relu"
    dropout: float = 0.0  # after each hidden layer
    input_dropout: float = 0.0
    batch_norm: bool = False  # after the activation, before dropout
    initialisation: str = "pytorch"  # or "glorot-uniform", "glorot-normal"
    initial_gain: float = 1.0
    output_bound: float | None = None  # the output layer starts uniform within it
    inputs: str = "raw"  # or "centred", "standardised": by the training samples' mean and sd
    holdout: float | None = 0.2  # share of the samples that stops training; None trains to the end
    random_state: Any = None

    train_module = staticmethod(fit_network)  # `together` puts many fits' training off, to do it at once

    def _validated(self, X: Any, y: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        check_choice("inputs", self.inputs, ("raw", "centred", "standardised"))
        options |= {"dtype": np.float32, "ensure_all_finite": False}
        X, y = validate_data(self, X, y, ensure_min_samples=2, **options)
        check_finite(X)
        return X, y

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        if self.inputs == "raw":
            return X
        centred = X - self.mean_
        return centred if self.inputs == "centred" else np.divide(centred, self.scale_, out=centred)

    def _fit_scale(self, X: np.ndarray, start: _Start) -> None:
        if self.inputs != "raw" and start.network is not None:
            self.mean_, self.scale_ = start.network.mean_, start.network.scale_  # the weights belong to them
        elif self.inputs != "raw":
            self.mean_ = X.mean(axis=0, dtype=np.float64).astype(np.float32)
            deviation = X.std(axis=0, dtype=np.float64).astype(np.float32)
            self.scale_ = np.where(deviation > 0, deviation, np.float32(1))

    def _draw_module(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Return the network with its first weights; the same seed and shape, the same weights."""
        with seeded(self.seed_, resolve_device(self.device)):
            shape = {name: getattr(self, name) for name in ("activation", "batch_norm")}
            rates = {"dropout": self.dropout, "input_dropout": self.input_dropout}
            module = build_network(n_inputs, layer_widths(self.hidden, n_inputs), n_outputs, **shape, **rates)
            initialise(module, self.initialisation, gain=self.initial_gain, output_bound=self.output_bound)
        return module

    def _fit_module(
        self,
        X: np.ndarray,
        y: np.ndarray,
        rows: np.ndarray,
        held: np.ndarray,
        n_outputs: int,
        start: _Start,
        **options: Any,
    ) -> None:
        """Build the network, take the weights of `start` and train on `rows`, watching `held`."""
        start.check(self)
        self._fit_scale(X, start)
        self.module_ = self._draw_module(X.shape[1], n_outputs)
        if start.network is not None:
            copy_weights(self.module_, start.network.module_, new_output=start.new_output)
        record = self.train_module(
            self.module_,
            self._scaled(X),
            y,
            settings=self,
            rows=rows,
            validation=held,
            seed=self.seed_,
            **options,
        )
        self.history_, self.n_epochs_, self.best_epoch_ = record.history, record.n_epochs, record.best_epoch

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the network's outputs, (samples, outputs) float64."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False, ensure_all_finite=False)
        check_finite(X)
        device = next(self.module_.parameters()).device
        return predict_batches(self.module_, self._scaled(X), device).numpy().astype(np.float64)


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, _Network):
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
        check_choice("inner_labels", self.inner_labels, ("fixed", "refit"))
        start = _Start(start_from, new_output)
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
        check_classification_targets(y)
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
        check_choice("class_weight", self.class_weight, ("inverse", "balanced"))
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
class NetworkRegressor(RegressorMixin, _Network):
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
        self, X: Any, y: Any, groups: Any = None, *, start_from: Any = None, new_output: bool = False
    ) -> NetworkRegressor:
        """Train on `X` (samples, features) and `y`, (samples,) or (samples, targets).

        Parameters
        ----------
        start_from, new_output
            As in `NetworkClassifier`: a fitted network to begin with, and whether its targets are others.

        Raises
        ------
        DataError
            For NaN in `X`, or groups that do not fit.
        ParameterError
            For a setting that cannot be used.
        """
        X, y = self._validated(X, y, multi_output=True, y_numeric=True)
        check_choice("loss of a regressor", self.loss, ("squared", "absolute"))
        self.seed_ = draw_seed(self.random_state)
        rows, held = inner_split(check_groups(groups, len(X)), self.holdout, self.seed_)
        self.training_rows_, self.holdout_rows_ = rows, held
        self.one_target_ = y.ndim == 1
        targets = np.asarray(y, dtype=np.float32).reshape(len(X), -1)
        self._fit_module(X, targets, rows, held, targets.shape[1], _Start(start_from, new_output))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions of the shape `y` had."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self.one_target_ else outputs
