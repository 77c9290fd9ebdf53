"""How a network is trained: the settings, what they may be, the device and the random stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from exprml.base.errors import ParameterError, check_known
from exprml.models.schedules import STOPPING

LOSSES = ("cross-entropy", "squared", "absolute")
REDUCTIONS = ("mean", "sum-over-outputs", "sum")
OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("none", "cosine", "step", "reduce-when-worse", "plateau")
PRECISIONS = ("float32", "bfloat16")


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
    layer_rates : tuple of float
        Factor of the rate for the weights of each linear layer, the last one repeated; biases keep 1.
        ``(1, 3)`` is chen2016.
    batch_size, epochs : int
        Rows per step, passes over the data. A batch of one row left over at the end is skipped.
    clip_norm : float, optional
        Largest norm of the gradient of all parameters together.
    schedule : {"none", "cosine", "step", "reduce-when-worse", "plateau"}
        "step" multiplies by `schedule_factor` after every `schedule_every` steps (mcdermott2020);
        "reduce-when-worse" after an epoch whose error on `schedule_rows` fixed training rows rose
        (chen2016); "plateau" after `schedule_every` epochs that lower the validation loss by no
        more than `schedule_delta` (okeke2023). `schedule_floor` is the smallest rate.
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
    precision : {"float32", "bfloat16"}
        "bfloat16" multiplies matrices in it; weights stay float32.
    compiled : bool
        Whether to use ``torch.compile`` (needs a C++ compiler).
    device : str
        "auto" (CUDA if there is one, else CPU) or a name PyTorch knows.
    progress : bool, optional
        Whether to draw a bar; by default only in a terminal.
    """

    loss: str = "cross-entropy"
    reduction: str = "mean"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    layer_rates: tuple = ()
    batch_size: int = 64
    epochs: int = 30
    clip_norm: float | None = None
    schedule: str = "none"
    schedule_factor: float = 0.9
    schedule_every: int = 1
    schedule_floor: float = 0.0
    schedule_delta: float = 0.0
    schedule_rows: int = 5000
    early_stopping: str = "consecutive"
    patience: int = 5
    validate_every: int = 1
    validation_loss: str = "same"
    precision: str = "float32"
    compiled: bool = False
    device: str = "auto"
    progress: bool | None = None


def check_settings(settings: TrainingSettings) -> None:
    """Refuse settings that cannot be used.

    Raises
    ------
    ParameterError
        Naming the setting, its value and what is possible.
    """
    check_known("loss", [settings.loss], LOSSES)
    check_known("reduction", [settings.reduction], REDUCTIONS)
    check_known("optimizer", [settings.optimizer], OPTIMIZERS)
    check_known("schedule", [settings.schedule], SCHEDULES)
    check_known("early_stopping", [settings.early_stopping], STOPPING)
    check_known("validation_loss", [settings.validation_loss], ("same", "squared", "absolute"))
    check_known("precision", [settings.precision], PRECISIONS)
    for name in ("batch_size", "epochs", "patience", "validate_every", "schedule_every"):
        value = getattr(settings, name)
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
            raise ParameterError(f"{name} must be a whole number from 1 on, not {value!r}")
    if not settings.learning_rate > 0:
        raise ParameterError(f"learning_rate must be positive, not {settings.learning_rate!r}")
    if settings.clip_norm is not None and not settings.clip_norm > 0:
        raise ParameterError(f"clip_norm must be positive or None, not {settings.clip_norm!r}")


def resolve_device(name: str) -> torch.device:
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
