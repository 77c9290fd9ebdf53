"""Adam and SGD as one fused pass over the weights, clipping included.

The arithmetic is PyTorch's own (``torch._fused_adam_``, ``torch._fused_sgd_``). Its optimiser classes
are left out because making one imports the compiler: three seconds at the start of every notebook, and
more Python per step than a batch of 16 through a small network costs.

On a CPU a step of a wide network waits for memory. The gradient of a linear layer's weight is a product,
errors (outputs x batch) times inputs (batch x inputs), and with 16 rows the two factors are some hundred
times smaller than the product. So for wide layers we keep the factors (`Optimizer.keep_factors`), get the
norm from them, and multiply them out one block of rows at a time, small enough for the processor's cache,
where the optimiser's kernel uses the block at once. The gradient is never written to memory nor read back.
In large batches the factors are no longer small, and one undivided product is faster. What this gains, and
where it gains nothing, ``bench/training.py`` measures against ``torch.optim.Adam(fused=True)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprml.models.settings import TrainingSettings

WIDE = 2**19  # weights from which keeping factors pays (measured; below, all fits a cache anyway)
ROWS = 256  # rows of a batch up to which it pays: 0.59 of the time at 16, 0.93 at 200, 1.11 at 1,000
BLOCK = 2**17  # weights per block: 512 KiB, so that four arrays of it stay in a core's cache


class Optimizer:
    """Adam (beta 0.9 and 0.999, epsilon 1e-8), or gradient descent: plain, with momentum, or with Nesterov's.

    What it remembers of a weight starts at zero.

    Parameters
    ----------
    module : Module
        Whose parameters are changed, in the groups of `parameter_groups`.
    settings : TrainingSettings
        Which optimiser, its rate and weight decay, and the largest norm of all gradients together.
    """

    def __init__(self, module: nn.Module, settings: TrainingSettings) -> None:
        self.settings = settings
        groups = parameter_groups(module, settings)
        self.param_groups = [
            group | {"lr": settings.learning_rate * group["rate_factor"]} for group in groups
        ]
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.steps = torch.zeros((), device=self.parameters[0].device)
        n_states = 2 if settings.optimizer == "adam" else int(settings.momentum > 0)
        self.state = {one: [torch.zeros_like(one) for _ in range(n_states)] for one in self.parameters}
        self.factors: dict[nn.Parameter, tuple[Tensor, Tensor]] = {}

    def _update(
        self, group: dict, params: list, gradients: list, states: list[list], scale: Tensor | None
    ) -> None:
        """Let PyTorch's kernel change parameters by their gradients, which are divided by `scale` first."""
        settings = self.settings
        common = {name: group[name] for name in ("lr", "weight_decay")}
        common |= {"maximize": False, "grad_scale": scale}
        states = [list(one) for one in zip(*states, strict=True)]
        if settings.optimizer == "adam":
            steps = [self.steps] * len(params)
            options = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False}
            torch._fused_adam_(params, gradients, *states, [], steps, **options, **common)
        else:
            options = {"momentum": settings.momentum, "nesterov": settings.nesterov, "dampening": 0.0}
            velocities = states[0] if states else []
            torch._fused_sgd_(params, gradients, velocities, is_first_step=False, **options, **common)

    @contextmanager
    def keep_factors(self, layers: Sequence[nn.Linear]) -> Iterator[None]:
        """Keep the gradients of these layers' weights as factors, for passes inside the block.

        For layers on a CPU, in float32, each used once in a pass. Their ``weight.grad`` stays None.
        """
        for layer in layers:
            layer.forward = partial(self._forward, layer)
        try:
            yield
        finally:
            for layer in layers:
                del layer.forward

    def _forward(self, layer: nn.Linear, inputs: Tensor) -> Tensor:
        """Return the layer's outputs; on the way back, note the errors that reach them."""
        outputs = functional.linear(inputs, layer.weight.detach(), layer.bias)
        kept = inputs.detach()
        outputs.register_hook(lambda errors: self.factors.update({layer.weight: (errors, kept)}))
        return outputs

    def _scale(self) -> Tensor | None:
        """Return what to divide gradients by so that their common norm is at most `clip_norm`."""
        if self.settings.clip_norm is None:
            return None
        norms = [torch.linalg.vector_norm(one.grad) for one in self.parameters if one.grad is not None]
        norms += [product_norm(*factors) for factors in self.factors.values()]
        total = torch.linalg.vector_norm(torch.stack(norms))
        return ((total + 1e-6) / self.settings.clip_norm).clamp_(min=1.0)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter and drop the gradients."""
        for weight in [one for one in self.factors if one.grad is not None]:  # also used outside its layer
            errors, inputs = self.factors.pop(weight)
            weight.grad.addmm_(errors.t(), inputs)
        scale = self._scale()
        self.steps += 1
        for group in self.param_groups:
            params = [one for one in group["params"] if one not in self.factors]
            if params:  # a group may hold wide weights only
                states, gradients = [self.state[one] for one in params], [one.grad for one in params]
                self._update(group, params, gradients, states, scale)
            for weight in group["params"]:
                if weight in self.factors:
                    self._update_blocks(group, weight, scale)
        self.factors.clear()
        for parameter in self.parameters:
            parameter.grad = None

    def _update_blocks(self, group: dict, weight: nn.Parameter, scale: Tensor | None) -> None:
        errors, inputs = self.factors[weight]
        errors = (errors if scale is None else errors / scale).t()
        height = max(BLOCK // weight.shape[1], 1)
        gradient = weight.new_empty(height, weight.shape[1], requires_grad=False)
        parts = zip(*(one.detach().split(height) for one in (weight, *self.state[weight])), strict=True)
        for errors_here, (here, *states) in zip(errors.split(height), parts, strict=True):
            product = torch.mm(errors_here, inputs, out=gradient[: len(here)])
            self._update(group, [here], [product], [states], None)


def product_norm(errors: Tensor, inputs: Tensor) -> Tensor:
    """Return the norm of ``errors.T @ inputs`` from the two (batch x batch) tables of scalar products.

    In float64: where the rows' gradients nearly cancel, float32 would leave only rounding.
    """
    errors, inputs = errors.double(), inputs.double()
    squared = ((errors @ errors.mT) * (inputs @ inputs.mT)).sum()
    return squared.clamp_(min=0.0).sqrt_().float()


def wide_layers(module: nn.Module, batch_size: int) -> list[nn.Linear]:
    """Return the linear layers for which `Optimizer.keep_factors` pays; none in large batches."""
    if batch_size > ROWS:
        return []
    layers = [layer for layer in module.modules() if type(layer) is nn.Linear]  # its own forward, no other
    return [one for one in layers if one.weight.numel() >= WIDE]


def parameter_groups(module: nn.Module, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Return the optimiser's groups, one per rate factor and decay: weights by layer, all else at 1."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    rates = settings.layer_rates
    factors = {
        id(one.weight): float(rates[min(at, len(rates) - 1)]) for at, one in enumerate(layers) if rates
    }
    linear = {id(parameter) for layer in layers for parameter in layer.parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in module.parameters():
        decayed = settings.decayed == "all" or id(parameter) in linear
        key = factors.get(id(parameter), 1.0), settings.weight_decay if decayed else 0.0
        groups.setdefault(key, []).append(parameter)
    names = ("rate_factor", "weight_decay")
    return [dict(zip(names, key, strict=True), params=params) for key, params in groups.items()]
