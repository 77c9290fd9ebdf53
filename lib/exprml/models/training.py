"""The one training loop: every network of every paper goes through `fit_network`.

The whole data set lies on the device; batches are rows picked by an index permutation. What the
papers do differently (loss, optimiser, schedule, early stopping) is a field of `TrainingSettings`.

References: heil2022 (Methods: Model training), chen2016, bhukya2021 and mcdermott2020 (Methods).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from exprml.models.optimizers import Optimizer, wide_layers
from exprml.models.settings import EarlyStopping, LearningRate, TrainingSettings, check_settings, seeded

EVALUATION_ROWS = 4096  # rows per batch where nothing is learned


@dataclass
class TrainingRecord:
    """What happened in a training run.

    Attributes
    ----------
    history : DataFrame
        One row per epoch: epoch (from 1), loss, validation_loss (NaN where not looked at), learning_rate,
        and the mean absolute error on each data set of `watch`.
    n_epochs : int
        Epochs run.
    best_epoch : int
        The epoch whose state was kept; the last one without a validation set; 0 where a fit that diverged
        went back to its first weights (`keep_first`).
    """

    history: pd.DataFrame
    n_epochs: int
    best_epoch: int

    @property
    def still_improving(self) -> float:
        """1 where the last look at the validation set was the best, 0 where not, NaN where none was taken."""
        looks = self.history.dropna(subset="validation_loss")["epoch"]
        return float(looks.iloc[-1] == self.best_epoch) if len(looks) else np.nan


def error_sums(
    loss: str, reduction: str, outputs: Tensor, targets: Tensor, class_weights: Tensor | None = None
) -> tuple[Tensor, Tensor | int]:
    """Return the summed error of a batch and what to divide it by.

    Parameters
    ----------
    loss, reduction : str
        As in `TrainingSettings`.
    outputs : Tensor, (rows, outputs)
    targets : Tensor, (rows,) of class codes or (rows, outputs)
    class_weights : Tensor, (classes,), optional
        Weighted cross-entropy is divided by the sum of its weights.
    """
    if loss == "cross-entropy":
        total = functional.cross_entropy(outputs, targets, weight=class_weights, reduction="sum")
        return total, len(targets) if class_weights is None else class_weights[targets].sum()
    difference = outputs - targets
    total = (difference.square() if loss == "squared" else difference.abs()).sum()
    return total, targets.numel() if reduction == "mean" else len(targets)


def predict_batches(module: nn.Module, X: np.ndarray | Tensor) -> Tensor:
    """Return the outputs of `module` in evaluation mode for all rows of `X`, on the CPU."""
    module.eval()
    rows, device = torch.as_tensor(X), next(module.parameters()).device
    with torch.inference_mode():
        parts = [module(part.to(device)).float().cpu() for part in rows.split(EVALUATION_ROWS)]
    return torch.cat(parts)


@dataclass
class _Run:
    """One training run: data on the device, and what each epoch does with it."""

    module: nn.Module
    X: Tensor
    y: Tensor
    rows: Tensor
    settings: TrainingSettings
    class_weights: Tensor | None
    order: torch.Generator
    decode: Callable[[np.ndarray], np.ndarray] | None = None

    def __post_init__(self) -> None:
        self.optimizer = Optimizer(self.module, self.settings)
        self.rate = LearningRate(self.optimizer.param_groups, self.settings)
        on_cpu = self.X.device.type == "cpu"
        self.wide = wide_layers(self.module, self.settings.batch_size) if on_cpu else []
        self.costly = [layer for layer in self.module.modules() if hasattr(layer, "cost")]

    def training_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch."""
        settings = self.settings
        if settings.loss == "cross-entropy":
            return functional.cross_entropy(outputs, targets, weight=self.class_weights)
        error, count = error_sums(settings.loss, settings.reduction, outputs, targets)
        loss = error if settings.reduction == "sum" else error / count
        for layer in self.costly:  # a code that is kept short of something, as of large values
            loss, layer.cost = loss + layer.cost, None
        return loss

    def train_epoch(self) -> float:
        """Take one step per batch and return the mean loss over the rows seen."""
        settings, size = self.settings, self.settings.batch_size
        self.module.train()
        total, seen = torch.zeros((), device=self.X.device), 0
        shuffled = torch.randperm(len(self.rows), generator=self.order).to(self.rows.device)
        with self.optimizer.keep_factors(self.wide):
            for batch in self.rows[shuffled].split(size):
                if len(batch) == 1 and size > 1:
                    continue  # batch normalisation has no variance there; the paper skips it too
                loss = training_step(self, batch)
                self.rate.after_step()
                total += loss * (1 if settings.reduction == "sum" else len(batch))
                seen += len(batch)
        return total.item() / max(seen, 1)

    def evaluate(self, X: Tensor, y: Tensor, rows: Tensor) -> float:
        """Return the validation loss on `rows`: a sum for "cumulative" stopping, else a mean."""
        settings = self.settings
        if settings.validation_loss != "same":
            return self.error(X, y, rows, settings.validation_loss)
        summed = settings.early_stopping == "cumulative" and settings.loss == "cross-entropy"
        weights = None if summed else self.class_weights
        return self.error(X, y, rows, settings.loss, settings.reduction, weights, summed=summed)

    def error(
        self,
        X: Tensor,
        y: Tensor,
        rows: Tensor,
        loss: str,
        reduction: str = "mean",
        weights: Tensor | None = None,
        *,
        summed: bool = False,
    ) -> float:
        """Return the error on `rows`, a mean unless `summed`; see `error_sums`."""
        self.module.eval()
        total, count, beside = 0.0, 0.0, X is not self.X
        with torch.no_grad():
            for batch in rows.split(EVALUATION_ROWS):
                outputs = self.module(X.index_select(0, batch))
                if beside and self.decode is not None:
                    outputs = self._decoded(outputs, y)
                error, n = error_sums(loss, reduction, outputs, y.index_select(0, batch), weights)
                total, count = total + float(error), count + float(n)
        return total if summed else total / max(count, 1e-30)

    def _decoded(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return what outputs stand for; NaN where training has diverged, which a decoder would refuse."""
        if not torch.isfinite(outputs).all():
            return torch.full((len(outputs), y.shape[1]), torch.nan, device=y.device)
        return torch.as_tensor(self.decode(outputs.cpu().numpy()), dtype=y.dtype).to(y.device)

    def snapshot(self) -> dict[str, Tensor]:
        """Return a copy of the module's state."""
        return {name: value.detach().clone() for name, value in self.module.state_dict().items()}


def training_step(run: _Run, batch: Tensor) -> Tensor:
    """Take one step down the loss of a batch and return the loss before it, a scalar on the device.

    Parameters
    ----------
    run : _Run
        Network, data and optimiser.
    batch : Tensor, (rows,)
        Which rows of the data.
    """
    outputs = run.module(run.X.index_select(0, batch))  # rows x targets, some units dropped
    loss = run.training_loss(outputs, run.y.index_select(0, batch))
    loss.backward()  # the gradient of the loss by every weight
    run.optimizer.step()  # against it, as far as learning rate and momentum say
    return loss.detach()  # stays on the device: no waiting inside the epoch


def _on_device(X: Any, y: Any, settings: TrainingSettings, device: torch.device) -> tuple[Tensor, Tensor]:
    y_dtype = torch.int64 if settings.loss == "cross-entropy" else torch.float32
    return torch.as_tensor(X, dtype=torch.float32).to(device), torch.as_tensor(y).to(device, y_dtype)


def _validation_set(validation: Any, run: _Run) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return inputs, targets and rows of the validation set; None where it is empty."""
    if validation is None:
        return None
    device = run.X.device
    if isinstance(validation, tuple):
        X, y = _on_device(*validation, run.settings, device)
        rows = torch.arange(len(X), device=device)
    else:
        X, y, rows = run.X, run.y, torch.as_tensor(np.asarray(validation, dtype=np.int64)).to(device)
    return (X, y, rows) if len(rows) else None


def fit_network(
    module: nn.Module,
    X: np.ndarray | Tensor,
    y: np.ndarray | Tensor,
    *,
    settings: TrainingSettings,
    rows: np.ndarray | None = None,
    validation: np.ndarray | tuple[Any, Any] | None = None,
    class_weights: np.ndarray | None = None,
    seed: int = 0,
    watch: Mapping[str, tuple[Any, Any]] | None = None,
    decode: Callable[[np.ndarray], np.ndarray] | None = None,
    keep_first: bool = False,
    on_epoch: Callable[[int, nn.Module], None] | None = None,
) -> TrainingRecord:
    """Train `module` in place and leave it in its best state, in evaluation mode.

    Parameters
    ----------
    module : Module
        Any network from (rows, inputs) to (rows, outputs).
    X, y : array, (samples, inputs); (samples,) of class codes or (samples, outputs)
        Moved to the device once.
    settings : TrainingSettings
        How to train; `check_settings` refuses what cannot be used.
    rows : array of int, optional
        The rows of `X` to train on; all of them by default.
    validation : array of int, or (X, y), optional
        Rows of `X`, or other data, that choose the epoch. None or empty: the last epoch is kept.
    class_weights : array, (classes,), optional
        Weights of the cross-entropy.
    seed : int
        Draws the order of batches and dropout. The same seed, machine and thread count give the
        same bytes; the caller's random state is left alone.
    watch : dict of (X, y), optional
        Data whose mean absolute error is noted after each epoch and decides nothing.
    decode : callable, optional
        Turns outputs into what `watch` and a `validation` of other data hold, where `y` is a code of it.
    keep_first : bool
        Where training diverged before any look at `validation` was finite: go back to the first weights,
        which still predict something, instead of leaving those that do not.
    on_epoch : callable, optional
        Called with the epoch's number and the module after each epoch.
    """
    device = check_settings(settings)
    module.to(device)
    X, y = _on_device(X, y, settings, device)
    rows = torch.arange(len(X), device=device) if rows is None else torch.as_tensor(rows).to(device)
    weights = None if class_weights is None else torch.as_tensor(class_weights).to(device, torch.float32)
    order = torch.Generator().manual_seed(seed)
    run = _Run(module, X, y, rows, settings, weights, order, decode)
    with seeded(seed + 1, device):  # not the stream that drew the first weights
        watched = {name: _validation_set(data, run) for name, data in (watch or {}).items()}
        first = run.snapshot() if keep_first else None
        return _run_epochs(run, _validation_set(validation, run), watched, first, on_epoch)


def _run_epochs(
    run: _Run,
    validation: Any,
    watch: dict[str, Any],
    first: dict[str, Tensor] | None,
    on_epoch: Callable | None,
) -> TrainingRecord:
    settings, history, best, diverged = run.settings, [], None, False
    stopping = EarlyStopping(settings.early_stopping, settings.patience)
    drawn = torch.randperm(len(run.rows), generator=torch.Generator().manual_seed(0))
    fixed = run.rows[drawn[: settings.schedule_rows].to(run.rows.device)]
    for epoch in tqdm(range(1, settings.epochs + 1), unit="epoch", disable=None, leave=False):
        used_rate, loss, validation_loss = run.rate.value, run.train_epoch(), float("nan")
        if validation is not None and epoch % settings.validate_every == 0:
            validation_loss = run.evaluate(*validation)
            if stopping.improved(epoch, validation_loss):
                best = run.snapshot()
        errors = [run.error(*data, "absolute") for data in watch.values()]
        history.append((epoch, loss, validation_loss, used_rate, *errors))
        if on_epoch is not None:
            on_epoch(epoch, run.module)
        diverged = not np.isfinite(loss)
        if diverged or stopping.stop:
            break
        run.rate.after_epoch(lambda: run.evaluate(run.X, run.y, fixed), validation_loss)
    if diverged:
        warnings.warn(
            f"the loss became {loss} in epoch {epoch}: use a smaller learning_rate than "
            f"{settings.learning_rate:g}",
            ConvergenceWarning,
            stacklevel=3,
        )
    kept = stopping.best_epoch or len(history)
    if diverged and best is None and first is not None:
        best, kept = first, 0
    if best is not None:
        run.module.load_state_dict(best)
    run.module.eval()
    table = pd.DataFrame(history, columns=["epoch", "loss", "validation_loss", "learning_rate", *watch])
    return TrainingRecord(table, len(table), kept)
