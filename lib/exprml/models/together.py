"""Fit many estimators at once, in stacks of like networks: the folds, seeds and fractions of an experiment.

A fit gets the same result as by itself (`exprml.models.training.fit_network`) but for rounding, and for
dropout, whose mask comes from a hash of seed, step and position in place of PyTorch's stream: it does not
depend on which other fits are in the stack. A fit that ends leaves its place to the next one waiting.

For GPUs. Not measured on one yet; its results are tested on the CPU, where fitting one after another is as
fast. See `stacked` for how it works and what bounds it.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from exprml.models.networks import NetworkClassifier
from exprml.models.stacked import Fit, Stack
from exprml.models.training import TrainingRecord, check_settings, resolve_device

Task = tuple[Any, np.ndarray, np.ndarray, np.ndarray, Any]  # estimator, X, rows of X, y and groups of these
FREE_TO_EACH = {"learning_rate", "weight_decay", "random_state", "classes"}  # may differ within a stack


def fit_together(tasks: Sequence[Task], *, at_once: int | None = None) -> Iterator[tuple[int, Any]]:
    """Fit each task's estimator in place; yield its number and itself as soon as it is done.

    Networks that agree in all but rate, weight decay, seed and labels are trained in one stack. What cannot
    be stacked (other estimators, schedules, bfloat16 ...) is fitted by itself.

    Parameters
    ----------
    tasks : sequence of (estimator, X, rows, y, groups)
        As ``estimator.fit(X[rows], y, groups)``. Tasks that share `X` (the same object) share its copy on
        the device.
    at_once : int, optional
        Fits in a stack; by default what the GPU's free memory holds, and 8 on a CPU.
    """
    kinds: dict[Any, list[int]] = defaultdict(list)
    for number, (estimator, X, rows, y, groups) in enumerate(tasks):
        if can_be_stacked(estimator):
            kinds[_kind(estimator, X, y)].append(number)
        else:
            yield number, estimator.fit(X[rows], y, groups)
    for numbers in kinds.values():
        yield from _fit_kind([(number, tasks[number]) for number in numbers], at_once)


def can_be_stacked(estimator: Any) -> bool:
    """Tell whether `fit_together` can train this estimator along with others."""
    if type(estimator) is not NetworkClassifier:
        return False
    usual = {"loss": "cross-entropy", "optimizer": "adam", "schedule": "none", "precision": "float32"}
    usual |= {"inputs": "raw", "compiled": False}
    return not estimator.layer_rates and all(getattr(estimator, k) == v for k, v in usual.items())


def _kind(estimator: NetworkClassifier, X: np.ndarray, y: np.ndarray) -> tuple:
    given = {k: v for k, v in estimator.get_params().items() if k not in FREE_TO_EACH}
    labels = y if estimator.classes is None else estimator.classes
    return repr(sorted(given.items())), X.shape[1], len(np.unique(labels))


def _fit_kind(tasks: list[tuple[int, Task]], at_once: int | None) -> Iterator[tuple[int, Any]]:
    """Fit estimators whose networks are alike; a new one begins whenever one ends."""
    device = resolve_device(tasks[0][1][0].device)
    shared = {id(task[1]): task[1] for _, task in tasks}
    data = torch.cat([torch.as_tensor(X, dtype=torch.float32).to(device) for X in shared.values()])
    starts = np.cumsum([0, *map(len, shared.values())])
    first_row = dict(zip(shared, starts.tolist(), strict=False))
    waiting, owners = tasks[::-1], {}
    stack: Stack | None = None
    while waiting or owners:
        while waiting and (stack is None or len(stack.fits) < stack.places):
            number, task = waiting.pop()
            fit = _begin(task, first_row[id(task[1])], device)
            owners[id(fit)] = number, task[0]
            if stack is None:
                places = min(at_once or room(fit.module, device), len(tasks))
                stack = Stack(fit.module, data, fit.settings, places)
            stack.add(fit)
        for fit in stack.run():
            number, estimator = owners.pop(id(fit))
            _finish(estimator, fit)
            yield number, estimator


def room(module: nn.Module, device: torch.device) -> int:
    """Return how many fits the memory holds, each with best state, weights, two moments and a gradient."""
    if device.type != "cuda":
        return 8
    size = sum(one.numel() * one.element_size() for one in module.state_dict().values())
    return max(int(0.85 * torch.cuda.mem_get_info(device)[0] / (5 * size)), 1)


def _begin(task: Task, first_row: int, device: torch.device) -> Fit:
    """Let the estimator do all that comes before training; return what it would train."""
    estimator, X, chosen, y, groups = task
    noted: dict[str, Any] = {}

    def note(module: nn.Module, values: Any, codes: np.ndarray, **given: Any) -> TrainingRecord:
        noted.update(given, module=module, codes=codes)
        return TrainingRecord(pd.DataFrame(), 0, 0)

    estimator.train_module = note
    try:
        estimator.fit(X[chosen], y, groups)
    finally:
        del estimator.train_module
    check_settings(estimator)

    def on_device(values: np.ndarray, dtype: torch.dtype = torch.int64) -> Tensor:
        return torch.as_tensor(values).to(device, dtype)

    parts = []
    for part in (noted["rows"], noted["validation"]):
        parts += [on_device(np.asarray(chosen)[part] + first_row), on_device(noted["codes"][part])]
    weights = noted["class_weights"]
    weights = None if weights is None else on_device(weights, torch.float32)
    return Fit(noted["module"].to(device), estimator, *parts, weights, noted["seed"])


def _finish(estimator: NetworkClassifier, fit: Fit) -> None:
    """Give the estimator what a fit leaves behind."""
    n_epochs = len(fit.history)
    if fit.diverged:
        warnings.warn(
            f"the loss became {fit.history[-1][1]} in epoch {n_epochs}: use a smaller learning_rate than "
            f"{estimator.learning_rate:g}",
            ConvergenceWarning,
            stacklevel=3,
        )
    fit.module.eval()
    columns = ["epoch", "loss", "validation_loss", "learning_rate"]
    estimator.history_ = pd.DataFrame(fit.history, columns=columns)
    estimator.n_epochs_, estimator.best_epoch_ = n_epochs, fit.stopping.best_epoch or n_epochs
