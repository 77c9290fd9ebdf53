"""What happens between epochs: the learning rate changes, training stops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from exprml.models.optimizers import Optimizer

STOPPING = ("none", "cumulative", "consecutive", "look-back")


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
    """Move an optimiser's rates along a schedule; each group keeps its own factor.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups carry ``rate_factor``.
    settings : TrainingSettings
        ``learning_rate`` and the ``schedule_*`` fields.
    """

    def __init__(self, optimizer: Optimizer, settings: Any) -> None:
        self.optimizer, self.settings = optimizer, settings
        self.value = settings.learning_rate
        self.steps = self.epochs = self.waited = 0
        self.last = self.best = math.inf

    def _set(self, value: float) -> None:
        self.value = max(value, min(self.settings.schedule_floor, self.settings.learning_rate))
        for group in self.optimizer.param_groups:
            group["lr"] = self.value * group["rate_factor"]

    def after_step(self) -> None:
        """Decay after every `schedule_every` steps ("step")."""
        if self.settings.schedule == "step":
            self.steps += 1
            if self.steps % self.settings.schedule_every == 0:
                self._set(self.value * self.settings.schedule_factor)

    def after_epoch(self, training_error: Callable[[], float], validation_loss: float) -> None:
        """Apply the schedules that look once per epoch."""
        self.epochs += 1
        settings = self.settings
        if settings.schedule == "cosine":
            turn = math.pi * self.epochs / settings.epochs
            self._set(settings.learning_rate * (1 + math.cos(turn)) / 2)
        elif settings.schedule == "reduce-when-worse":
            error = training_error()
            if error > self.last:
                self._set(self.value * settings.schedule_factor)
            self.last = error
        elif settings.schedule == "plateau":
            self._plateau(validation_loss)

    def _plateau(self, validation_loss: float) -> None:
        if validation_loss < self.best - self.settings.schedule_delta:
            self.best, self.waited = validation_loss, 0
            return
        self.waited += 1
        if self.waited >= self.settings.schedule_every:
            self._set(self.value * self.settings.schedule_factor)
            self.waited = 0
