"""How a network is trained: settings and what they may be, rates and stopping, device and random stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from exprml.base.errors import ParameterError, check_known

CHOICES = {
    "loss": ("cross-entropy", "squared", "absolute"),
    "reduction": ("mean", "sum-over-outputs", "sum"),
    "optimizer": ("adam", "sgd"),
    "schedule": ("none", "reduce-when-worse", "reduce-on-plateau", "staircase"),
    "decayed": ("all", "linear"),
    "early_stopping": ("none", "cumulative", "consecutive", "look-back"),
    "validation_loss": ("same", "squared", "absolute"),
}


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingSettings:
    """How a network is trained; the estimators inherit these fields as parameters.

    Attributes
    ----------
    loss : {"cross-entropy", "squared", "absolute"}
        What is minimised.
    reduction : {"mean", "sum-over-outputs", "sum"}
        Squared and absolute error are averaged over the batch, and over the outputs ("mean") or
        summed over them (chen2016; with thousands of targets the rates differ by that factor).
        "sum" also sums over the batch: with chen2016's rates that diverges.
    optimizer : {"adam", "sgd"}
        `momentum` and `nesterov` belong to "sgd".
    learning_rate, weight_decay : float
        As the optimiser takes them.
    decayed : {"all", "linear"}
        What `weight_decay` is for: all parameters, or those of linear layers alone (mcdermott2020).
    layer_rates : tuple of float
        Factor of the rate for the weights of each linear layer, the last one repeated; biases keep 1.
        ``(1, 3)`` is chen2016.
    batch_size, epochs : int
        Rows per step, passes over the data. A batch of one row left over at the end is skipped.
    clip_norm : float, optional
        Largest norm of the gradient of all parameters together.
    schedule : {"none", "reduce-when-worse", "reduce-on-plateau", "staircase"}
        "reduce-when-worse" multiplies by `schedule_factor` after an epoch whose error on `schedule_rows`
        fixed training rows rose (chen2016). `schedule_floor` is the smallest rate. "staircase" multiplies
        by it after every `schedule_steps` steps (mcdermott2020). "reduce-on-plateau" (okeke2023; Keras's
        ReduceLROnPlateau) multiplies by it after `schedule_patience` epochs in a row of which none fell more
        than `schedule_min_delta` below the lowest error so far: that of the validation set or, without one,
        of the fixed training rows.
    early_stopping : {"none", "cumulative", "consecutive", "look-back"}
        "cumulative" is heil2022 as published: epochs without improvement are counted and the count
        is never reset, on the unweighted sum of the validation loss. "consecutive" is the correct
        form: the count starts again at each improvement, on the loss weighted as in training.
        "look-back" (bhukya2021) stops at a look worse than the one `patience` looks before it.
        The best state is restored whenever there is a validation set.
    patience, validate_every : int
        The count that stops training; epochs between two looks at the validation set.
    validation_loss : {"same", "squared", "absolute"}
        What selects the epoch; chen2016 trains on squared and selects on absolute error. "same" is
        summed as in training, the others are means over samples and outputs.
    device : str
        "auto" (CUDA if there is one, else CPU) or a name PyTorch knows.
    """

    loss: str = "cross-entropy"
    reduction: str = "mean"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    decayed: str = "all"
    layer_rates: tuple = ()
    batch_size: int = 64
    epochs: int = 30
    clip_norm: float | None = None
    schedule: str = "none"
    schedule_factor: float = 0.9
    schedule_floor: float = 0.0
    schedule_rows: int = 5000
    schedule_steps: int = 400
    schedule_patience: int = 5
    schedule_min_delta: float = 1e-4
    early_stopping: str = "consecutive"
    patience: int = 5
    validate_every: int = 1
    validation_loss: str = "same"
    device: str = "auto"


def check_settings(settings: TrainingSettings) -> torch.device:
    """Return the device that settings ask for; refuse those that cannot be used.

    Raises
    ------
    UnknownNameError
        For a word that is no choice; names the nearest.
    ParameterError
        For a number or a device that cannot be used.
    """
    for name, known in CHOICES.items():
        check_known(name, [getattr(settings, name)], known)
    for name in ("batch_size", "epochs", "patience", "validate_every"):
        value = getattr(settings, name)
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
            raise ParameterError(f"{name} must be a whole number from 1 on, not {value!r}")
    if not settings.learning_rate > 0:
        raise ParameterError(f"learning_rate must be positive, not {settings.learning_rate!r}")
    if settings.clip_norm is not None and not settings.clip_norm > 0:
        raise ParameterError(f"clip_norm must be positive or None, not {settings.clip_norm!r}")
    return resolve_device(settings.device)


def resolve_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" is CUDA where there is one, else the CPU.

    Raises
    ------
    ParameterError
        If PyTorch knows no such device or this machine has none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ParameterError(f"device {name!r} cannot be used here; use 'auto', 'cpu' or 'cuda'") from error
    return device


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw torch's random numbers from `seed` inside the block; the caller's state comes back after it."""
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            torch.cuda.manual_seed(seed)
        yield


class EarlyStopping:
    """Decide from one validation loss after the other when to stop.

    Parameters
    ----------
    mode : {"none", "cumulative", "consecutive", "look-back"}
        "cumulative" counts looks without improvement and never resets (heil2022 as published);
        "consecutive" resets the count at each improvement; "look-back" stops at a loss above the one
        seen `patience` looks earlier (bhukya2021: looks every 5 epochs, 25 epochs back); "none"
        remembers the best epoch and never stops.
    patience : int
        The count at which `stop` becomes true, or how many looks back to compare with.
    """

    def __init__(self, mode: str, patience: int) -> None:
        self.mode, self.patience = mode, patience
        self.best, self.best_epoch, self.count = math.inf, None, 0
        self.looks: list[float] = []

    def improved(self, epoch: int, loss: float) -> bool:
        """Take the loss of an epoch; return whether it is the lowest so far."""
        self.looks.append(loss)
        if loss < self.best:
            self.best, self.best_epoch = loss, epoch
            self.count = 0 if self.mode == "consecutive" else self.count
            return True
        self.count += 1
        return False

    @property
    def stop(self) -> bool:
        """Whether training ends now."""
        if self.mode == "look-back":
            return len(self.looks) > self.patience and not self.looks[-1] <= self.looks[-1 - self.patience]
        return self.mode != "none" and self.count >= self.patience


class LearningRate:
    """Move an optimiser's rates along a schedule, epoch by epoch; each group keeps its own factor.

    Parameters
    ----------
    groups : list of dict
        The optimiser's, with ``lr`` and ``rate_factor``.
    settings : TrainingSettings
        ``learning_rate`` and the ``schedule_*`` fields.
    """

    def __init__(self, groups: list[dict[str, Any]], settings: TrainingSettings) -> None:
        self.groups, self.settings = groups, settings
        self.value, self.steps, self.last = settings.learning_rate, 0, math.inf
        self.waited = 0

    def _set(self, value: float) -> None:
        self.value = max(value, min(self.settings.schedule_floor, self.settings.learning_rate))
        for group in self.groups:
            group["lr"] = self.value * group["rate_factor"]

    def after_step(self) -> None:
        """Take the next rate, if it goes by steps."""
        self.steps += 1
        if self.settings.schedule == "staircase" and self.steps % self.settings.schedule_steps == 0:
            self._set(self.value * self.settings.schedule_factor)

    def after_epoch(self, training_error: Callable[[], float], validation_loss: float = math.nan) -> None:
        """Take the next rate; `training_error` is asked only if the schedule goes by it."""
        settings = self.settings
        if settings.schedule == "reduce-when-worse":
            error = training_error()
            if error > self.last:
                self._set(self.value * settings.schedule_factor)
            self.last = error
        elif settings.schedule == "reduce-on-plateau":
            error = training_error() if math.isnan(validation_loss) else validation_loss
            fell = error < self.last - settings.schedule_min_delta
            self.last, self.waited = (error, 0) if fell else (self.last, self.waited + 1)
            if self.waited == settings.schedule_patience:
                self._set(self.value * settings.schedule_factor)
                self.waited = 0
