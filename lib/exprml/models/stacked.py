"""Networks of one shape trained in one stack of weights; `together` fills it with fits.

A step of batch 16 is a few dozen tiny kernels: a GPU waits for their launches. Here the weights of all fits
lie in one stack, (fits, outputs, inputs), and one launch serves all. Each fit keeps what is its own: rows,
batch order, class weights, rate, clipping, BatchNorm, early stopping, best state, end.

As in `optimizers`, the norm of a weight's gradient is found from its two factors, so that clipping never
reads the gradients. What is left is memory traffic: about 9 passes over the weights per step. For the
five-layer network on 5,000 genes (28 million weights) that is 1 GB per fit and step, which takes a GPU far
longer than the launches as soon as some ten fits are in the stack; CUDA graphs would gain nothing more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from exprml.models.optimizers import product_norm
from exprml.models.schedules import EarlyStopping
from exprml.models.training import EVALUATION_ROWS, error_sums

LOW = 0xFFFFFFFF


@dataclass
class Fit:
    """What is a fit's own; the best state is kept in its module.

    Attributes
    ----------
    module : Sequential
        With its first weights.
    settings : TrainingSettings
        Learning rate and weight decay may differ within a stack.
    rows, held : Tensor of int
        Rows of the stack's data to train on, and to stop by (may be none).
    codes, held_codes : Tensor of int
        The classes of these rows.
    class_weights : Tensor, (classes,), optional
        Weights of the cross-entropy.
    seed : int
        Draws batch order and dropout.
    """

    module: nn.Module
    settings: Any
    rows: Tensor
    codes: Tensor
    held: Tensor
    held_codes: Tensor
    class_weights: Tensor | None
    seed: int
    history: list[tuple] = field(default_factory=list)  # as in `TrainingRecord`
    remaining: int = 0  # steps of this epoch
    seen: int = 0  # rows of an epoch
    diverged: bool = False

    def __post_init__(self) -> None:
        self.order = torch.Generator().manual_seed(self.seed)
        self.stopping = EarlyStopping(self.settings.early_stopping, self.settings.patience)


class Stack:
    """Networks of one shape and the fits that have a place in it; the first ``len(fits)`` places are taken.

    Parameters
    ----------
    module : Sequential
        Any of the networks: what layers there are.
    data : Tensor, (samples, features)
        From which all fits take rows.
    settings : TrainingSettings
        What all fits share: batch size, clipping.
    places : int
        Fits at most.
    """

    def __init__(self, module: nn.Module, data: Tensor, settings: Any, places: int) -> None:
        self.layers, self.data, self.settings, self.places = list(module), data, settings, places
        self.fits: list[Fit] = []
        make = {"device": data.device}
        self.state = {k: v.new_zeros(places, *v.shape) for k, v in module.state_dict().items()}
        self.learned = [name for name, _ in module.named_parameters()]
        self.moments = {k: [torch.zeros_like(self.state[k]) for _ in range(2)] for k in self.learned}
        self.wide = {f"{i}.weight" for i, one in enumerate(self.layers) if isinstance(one, nn.Linear)}
        for name in set(self.learned) - self.wide:
            self.state[name].requires_grad_()
        largest = max((self.state[name] for name in self.wide), key=Tensor.numel)
        self.gradient = torch.empty(largest.numel(), **make)  # of one layer at a time
        self.n_classes = self.layers[-1].out_features
        self.class_weights = torch.ones(places, self.n_classes, **make)
        longest = len(data) + settings.batch_size
        self.rows = torch.zeros(places, longest, dtype=torch.int32, **make)  # an epoch's rows; -1: no row
        self.codes = torch.zeros(places, longest, dtype=torch.int16, **make)
        self.position, self.seeds = (torch.zeros(places, dtype=torch.int64, **make) for _ in range(2))
        self.steps, self.totals = (torch.zeros(places, **make) for _ in range(2))
        self.factors: dict[str, tuple[Tensor, Tensor]] = {}
        self.updates: list[tuple] = []  # see `_plan`; made anew when fits come or go

    def _own(self) -> list[Tensor]:
        """Return all that has one entry per place."""
        moments = [one for pair in self.moments.values() for one in pair]
        rest = [self.class_weights, self.rows, self.codes, self.position, self.seeds, self.steps, self.totals]
        return [one.detach() for one in (*self.state.values(), *moments, *rest)]

    def add(self, fit: Fit) -> None:
        """Give a fit the next place and begin its first epoch."""
        place = len(self.fits)
        for one in self._own():
            one[place].zero_()
        for name, value in fit.module.state_dict().items():
            self.state[name].detach()[place].copy_(value)
        self.class_weights[place] = 1.0 if fit.class_weights is None else fit.class_weights
        self.seeds[place] = fit.seed + 1
        self.fits.append(fit)
        self.updates = []
        self._shuffle(place)

    def _shuffle(self, place: int) -> None:
        fit, size = self.fits[place], self.settings.batch_size
        shuffled = torch.randperm(len(fit.rows), generator=fit.order).to(fit.rows.device)
        fit.seen = len(shuffled) - (len(shuffled) % size == 1 and size > 1)  # as in `fit_network`
        shuffled, fit.remaining = shuffled[: fit.seen], -(-fit.seen // size)
        self.rows[place].fill_(-1)[: fit.seen] = fit.rows[shuffled].int()
        self.codes[place].fill_(0)[: fit.seen] = fit.codes[shuffled].short()
        self.position[place], self.totals[place] = 0, 0.0

    def _remove(self, place: int) -> None:
        """Free a place: the last fit moves there."""
        last = len(self.fits) - 1
        for one in self._own() if place < last else []:
            one[place].copy_(one[last])
        self.fits[place] = self.fits[last]
        self.fits.pop()
        self.updates = []

    def run(self) -> Iterator[Fit]:
        """Train until some epochs end; yield the fits that are done."""
        n_steps = min(fit.remaining for fit in self.fits)
        for _ in range(n_steps):
            self.step()
        for place in reversed(range(len(self.fits))):
            self.fits[place].remaining -= n_steps
            if self.fits[place].remaining == 0 and self._end_epoch(place):
                yield self.fits[place]
                self._remove(place)

    def _end_epoch(self, place: int) -> bool:
        """Look at the held-out rows, keep what is best; return whether the fit is done."""
        fit = self.fits[place]
        settings, epoch = fit.settings, len(fit.history) + 1
        loss, validation_loss = self.totals[place].item() / max(fit.seen, 1), float("nan")
        if len(fit.held) and epoch % settings.validate_every == 0:
            validation_loss = self._evaluate(place)
            if fit.stopping.improved(epoch, validation_loss):
                self._keep(place)
        fit.history.append((epoch, loss, validation_loss, settings.learning_rate))
        fit.diverged = not np.isfinite(loss)
        if not (fit.diverged or fit.stopping.stop or epoch == settings.epochs):
            self._shuffle(place)
            return False
        if fit.stopping.best_epoch is None:
            self._keep(place)
        return True

    def _keep(self, place: int) -> None:
        self.fits[place].module.load_state_dict({k: v.detach()[place] for k, v in self.state.items()})

    @torch.no_grad()
    def _evaluate(self, place: int) -> float:
        fit, total, count = self.fits[place], 0.0, 0.0
        summed = fit.settings.early_stopping == "cumulative"
        pairs = zip(fit.held.split(EVALUATION_ROWS), fit.held_codes.split(EVALUATION_ROWS), strict=True)
        for rows, codes in pairs:
            outputs = self.forward(self.data[rows][None], slice(place, place + 1))[0]
            error, n = error_sums(
                "cross-entropy", "mean", outputs, codes, None if summed else fit.class_weights
            )
            total, count = total + float(error), count + float(n)
        return total if summed else total / max(count, 1e-30)

    def forward(self, values: Tensor, places: slice, present: Tensor | None = None) -> Tensor:
        """Return outputs, (fits, rows, outputs); with `present`, (fits, rows), as in training."""
        for i, layer in enumerate(self.layers):
            if isinstance(layer, nn.Linear):
                values = self._linear(f"{i}.weight", values, places)
            elif isinstance(layer, nn.BatchNorm1d):
                values = self._batch_norm(f"{i}.", layer, values, places, present)
            elif isinstance(layer, nn.Dropout):
                values = values if present is None else self._dropout(i, layer.p, values)
            else:
                values = layer(values)
        return values

    def _linear(self, name: str, values: Tensor, places: slice) -> Tensor:
        weight, bias = self.state[name][places], self.state[name.replace("weight", "bias")][places]
        outputs = torch.baddbmm(bias[:, None], values, weight.transpose(1, 2))
        if outputs.requires_grad:
            kept = values.detach()
            outputs.register_hook(lambda errors: self.factors.update({name: (errors, kept)}))
        return outputs

    def _batch_norm(
        self, name: str, layer: nn.BatchNorm1d, values: Tensor, places: slice, present: Tensor | None
    ) -> Tensor:
        own = {key: self.state[name + key][places] for key in ("weight", "bias")}
        mean, variance = (self.state[name + key][places, None] for key in ("running_mean", "running_var"))
        if present is not None:
            rows = present[..., None].to(values.dtype)
            n = rows.sum(1, keepdim=True)
            running, (mean, variance) = (mean, variance), _moments(values, rows, n)
            with torch.no_grad():
                running[0].lerp_(mean, layer.momentum)
                running[1].lerp_(variance * n / (n - 1), layer.momentum)
                self.state[name + "num_batches_tracked"][places] += 1
        normal = (values - mean) * torch.rsqrt(variance + layer.eps)
        return torch.addcmul(own["bias"][:, None], normal, own["weight"][:, None])

    def _dropout(self, number: int, share: float, values: Tensor) -> Tensor:
        n, *shape = values.shape
        key = _hash(_hash(self.seeds[:n]) + self.steps[:n].long() * len(self.layers) + number)
        element = torch.arange(values[0].numel(), device=values.device).view(1, *shape)
        drawn = _hash(element + key.view(n, 1, 1))
        return values * (drawn >= int(share * (LOW + 1))) / (1 - share)

    def step(self) -> None:
        """Take a step of every fit."""
        n, size = len(self.fits), self.settings.batch_size
        at = self.position[:n, None] + torch.arange(size, device=self.data.device)
        rows, codes = self.rows[:n].gather(1, at).long(), self.codes[:n].gather(1, at).long()
        present = rows >= 0
        values = self.data.index_select(0, rows.clamp(min=0).flatten()).view(n, size, -1)
        outputs = self.forward(values, slice(0, n), present)
        weights = self.class_weights[:n].gather(1, codes) * present
        costs = functional.cross_entropy(outputs.flatten(0, 1), codes.flatten(), reduction="none")
        losses = (costs.view(n, size) * weights).sum(1) / weights.sum(1)
        losses.sum().backward()
        self._update(n)
        self.totals[:n] += losses.detach() * present.sum(1)
        self.position[:n] += size

    @torch.no_grad()
    def _update(self, n: int) -> None:
        """Clip each fit's gradients and take a step of Adam."""
        self.steps[:n] += 1
        small = {name: self.state[name].grad[:n] for name in self.learned if name not in self.wide}
        scale = self._scale(list(small.values()), n)
        self.updates = self.updates or [self._plan(name, n) for name in self.learned]
        for name, gradient, calls in self.updates:
            if name in self.wide:
                errors, inputs = self.factors[name]
                torch.bmm((errors / scale[:, None, None]).mT, inputs, out=gradient)
            else:
                torch.div(small[name], scale[:, None], out=gradient)
                self.state[name].grad = None
            for arrays, steps, rates in calls:
                options = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False, "maximize": False}
                torch._fused_adam_(*arrays, [], steps, **rates, **options)
        self.factors.clear()

    def _plan(self, name: str, n: int) -> tuple[str, Tensor, list[tuple]]:
        """Return room for an array's gradient, and for each rate the fits' slices to call the kernel with."""
        taken = self.state[name].detach()[:n]
        gradient = self.gradient[: taken.numel()].view_as(taken)
        by_rate: dict[tuple[float, float], list[int]] = defaultdict(list)
        for place, fit in enumerate(self.fits):
            by_rate[fit.settings.learning_rate, fit.settings.weight_decay].append(place)
        calls = []
        for (rate, decay), places in by_rate.items():
            arrays = [[one[place] for place in places] for one in (taken, gradient, *self.moments[name])]
            steps = [self.steps[place] for place in places]
            calls.append((arrays, steps, {"lr": rate, "weight_decay": decay}))
        return name, gradient, calls

    def _scale(self, small: list[Tensor], n: int) -> Tensor:
        """Return what to divide each fit's gradients by."""
        if self.settings.clip_norm is None:
            return torch.ones(n, device=self.data.device)
        norms = [one.norm(dim=1) for one in small] + [product_norm(*two) for two in self.factors.values()]
        total = torch.linalg.vector_norm(torch.stack(norms), dim=0)
        return ((total + 1e-6) / self.settings.clip_norm).clamp_(min=1.0)


def _moments(values: Tensor, rows: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance over the rows that are there, (fits, 1, features)."""
    mean = (values * rows).sum(1, keepdim=True) / n
    return mean, ((values - mean).square() * rows).sum(1, keepdim=True) / n


def _hash(number: Tensor) -> Tensor:
    """Return 32 bits that look random for each whole number (C. Wellons' lowbias32)."""
    number = number & LOW
    number = ((number ^ (number >> 16)) * 0x7FEB352D) & LOW
    number = ((number ^ (number >> 15)) * 0x846CA68B) & LOW
    return number ^ (number >> 16)
