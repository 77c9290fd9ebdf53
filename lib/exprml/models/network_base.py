"""What the network estimators share: checks of the data, the inner split, and the steps of a fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.models.layers import build_network, copy_weights, initialise, layer_widths
from exprml.models.settings import TrainingSettings, resolve_device, seeded
from exprml.models.training import fit_network, predict_batches


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


def check_labels(y: np.ndarray) -> None:
    """Refuse targets that are no class labels, as scikit-learn does, without its doubts about few samples.

    A tenth of the samples with 26 tissues is what a learning curve asks for.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        check_classification_targets(y)


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


def draw_seed(random_state: Any) -> int:
    """Return an int as it is; from None or a RandomState draw one."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


@dataclass(frozen=True)
class Start:
    """Where training begins: a fitted network whose weights are taken, or none."""

    network: Any = None
    new_output: bool = False  # keep the output layer as drawn: other classes or targets

    def __post_init__(self) -> None:
        if self.network is not None and not hasattr(self.network, "module_"):
            raise ParameterError(f"start_from must be a fitted network, not {self.network!r}")
        if self.new_output and self.network is None:
            raise ParameterError("new_output=True keeps the rest of another network: give start_from too")

    def check(self, settings: Network) -> None:
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
class Network(TrainingSettings, BaseEstimator):
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
        check_known("inputs", [self.inputs], ("raw", "centred", "standardised"))
        options |= {"dtype": np.float32, "ensure_all_finite": False}
        X, y = validate_data(self, X, y, ensure_min_samples=2, **options)
        check_finite(X)
        return X, y

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        if self.inputs == "raw":
            return X
        centred = X - self.mean_
        return centred if self.inputs == "centred" else np.divide(centred, self.scale_, out=centred)

    def _fit_scale(self, X: np.ndarray, start: Start) -> None:
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
        held: np.ndarray | tuple[np.ndarray, np.ndarray],
        n_outputs: int,
        start: Start,
        watch: dict[str, tuple[np.ndarray, np.ndarray]] | None = None,
        **options: Any,
    ) -> None:
        """Build the network, take the weights of `start` and train on `rows`; `held` chooses the epoch."""
        start.check(self)
        self._fit_scale(X, start)
        self.module_ = self._draw_module(X.shape[1], n_outputs)
        if start.network is not None:
            copy_weights(self.module_, start.network.module_, new_output=start.new_output)
        if isinstance(held, tuple):
            held = self._scaled(held[0]), held[1]
        if watch:
            options["watch"] = {
                name: (self._scaled(values), wanted) for name, (values, wanted) in watch.items()
            }
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
