"""Adam and SGD as one fused pass over the weights, clipping included.

The arithmetic is PyTorch's own (``torch._fused_adam_``, ``torch._fused_sgd_``). Its optimiser classes
are left out because making one imports the compiler: three seconds at the start of every notebook, and
more Python per step than a batch of 16 through a small network costs.

On a CPU a step of a wide network waits for memory. The gradient of a linear layer's weight is a product,
errors (outputs x batch) times inputs (batch x inputs), and with 16 rows the two factors are some hundred
times smaller than the product. So for wide layers we keep the factors (`Optimizer.keep_factors`), get the
norm from them, and multiply them out one block of rows at a time, small enough for the processor's cache,
where the optimiser's kernel uses the block at once. The gradient is never written to memory nor read back.
In large batches the factors are no longer small, and one undivided product is faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDE = 2**19  # weights from which keeping factors pays (measured; below, all fits a cache anyway)
ROWS = 256  # rows of a batch up to which it pays: 0.59 of the time at 16, 0.93 at 200, 1.11 at 1,000
BLOCK = 2**17  # weights per block: 512 KiB, so that four arrays of it stay in a core's cache


class _Block(NamedTuple):
    """Some rows of a wide weight, what the optimiser remembers of them, and room for their gradient."""

    rows: slice
    weight: Tensor
    state: list[Tensor]
    gradient: Tensor


class Optimizer:
    """Groups of parameters with a rate each; subclasses say how a step is taken.

    Parameters
    ----------
    groups : list of dict
        "params", "lr", and optionally "rate_factor" (1) and "weight_decay".
    weight_decay : float
        Factor of the squared-norm penalty's gradient, for groups without their own.
    clip_norm : float, optional
        Largest norm of all gradients together.
    """

    n_states = 0  # arrays remembered for each parameter

    def __init__(
        self, groups: list[dict[str, Any]], *, weight_decay: float = 0.0, clip_norm: float | None = None
    ) -> None:
        self.param_groups = [{"rate_factor": 1.0, "weight_decay": weight_decay} | group for group in groups]
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.clip_norm = clip_norm
        self.steps = torch.zeros((), device=self.parameters[0].device)
        self.state = {one: [torch.zeros_like(one) for _ in range(self.n_states)] for one in self.parameters}
        self.factors: dict[nn.Parameter, list[tuple[Tensor, Tensor]]] = {}
        self.blocks: dict[nn.Parameter, list[_Block]] = {}

    def update(
        self, group: dict, params: list, gradients: list, states: list[list], scale: Tensor | None
    ) -> None:
        """Change parameters by their gradients, which are divided by `scale` first."""
        raise NotImplementedError

    @contextmanager
    def keep_factors(self, layers: Sequence[nn.Linear]) -> Iterator[None]:
        """Keep the gradients of these layers' weights as factors, for passes inside the block.

        For layers on a CPU, in float32. Their ``weight.grad`` stays None.
        """
        layers = [layer for layer in layers if layer.weight in self.state]
        for layer in layers:
            if layer.weight not in self.blocks:
                self.blocks[layer.weight] = self._cut(layer.weight)
            layer.forward = partial(self._forward, layer)
        try:
            yield
        finally:
            for layer in layers:
                del layer.forward

    def _cut(self, weight: nn.Parameter) -> list[_Block]:
        n_rows, width = weight.shape
        height = max(BLOCK // width, 1)
        gradient, blocks = weight.new_empty(height, width, requires_grad=False), []
        for start in range(0, n_rows, height):
            rows = slice(start, min(start + height, n_rows))
            state = [one[rows] for one in self.state[weight]]
            blocks.append(_Block(rows, weight.detach()[rows], state, gradient[: rows.stop - start]))
        return blocks

    def _forward(self, layer: nn.Linear, inputs: Tensor) -> Tensor:
        """Return the layer's outputs; on the way back, note the errors that reach them."""
        if layer.bias is None and not inputs.requires_grad:
            return functional.linear(inputs, layer.weight)  # nothing else would call for the errors
        outputs = functional.linear(inputs, layer.weight.detach(), layer.bias)
        noted, flat = self.factors.setdefault(layer.weight, []), inputs.detach().flatten(0, -2)
        outputs.register_hook(lambda errors: noted.append((errors.flatten(0, -2), flat)))
        return outputs

    def _multiplied(self) -> dict[nn.Parameter, tuple[Tensor, Tensor]]:
        """Return errors and inputs of each weight kept as factors."""
        found = {}
        for weight, noted in self.factors.items():
            errors, inputs = map(torch.cat, zip(*noted, strict=True)) if len(noted) > 1 else noted[0]
            if weight.grad is not None:  # also used outside its layer: make it an ordinary gradient
                weight.grad.addmm_(errors.t(), inputs)
            else:
                found[weight] = errors, inputs
        self.factors.clear()
        return found

    def _scale(self, factored: dict[nn.Parameter, tuple[Tensor, Tensor]]) -> Tensor | None:
        """Return what to divide gradients by so that their common norm is at most `clip_norm`."""
        if self.clip_norm is None:
            return None
        norms = [torch.linalg.vector_norm(one.grad) for one in self.parameters if one.grad is not None]
        norms += [product_norm(*factors) for factors in factored.values()]
        total = torch.linalg.vector_norm(torch.stack(norms))
        return ((total + 1e-6) / self.clip_norm).clamp_(min=1.0)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter and drop the gradients."""
        factored = self._multiplied()
        scale = self._scale(factored)
        self.steps += 1
        for group in self.param_groups:
            params = [one for one in group["params"] if one not in factored]
            states = [[self.state[one][i] for one in params] for i in range(self.n_states)]
            if params:  # a group may hold wide weights only
                self.update(group, params, [one.grad for one in params], states, scale)
            for weight in group["params"]:
                if weight in factored:
                    self._update_blocks(group, weight, *factored[weight], scale)
        for parameter in self.parameters:
            parameter.grad = None

    def _update_blocks(
        self, group: dict, weight: nn.Parameter, errors: Tensor, inputs: Tensor, scale: Tensor | None
    ) -> None:
        errors = (errors if scale is None else errors / scale).t()
        for block in self.blocks[weight]:
            torch.mm(errors[block.rows], inputs, out=block.gradient)
            self.update(group, [block.weight], [block.gradient], [[one] for one in block.state], None)


def product_norm(errors: Tensor, inputs: Tensor) -> Tensor:
    """Return the norm of ``errors.T @ inputs`` from the two (batch x batch) tables of scalar products.

    Factors are (batch, outputs) and (batch, inputs), or stacks of these, which give a norm each. In
    float64: where the rows' gradients nearly cancel, float32 would leave only rounding.
    """
    errors, inputs = errors.double(), inputs.double()
    squared = ((errors @ errors.mT) * (inputs @ inputs.mT)).sum((-2, -1))
    return squared.clamp_(min=0.0).sqrt_().float()


class Adam(Optimizer):
    """Adam with PyTorch's defaults (beta 0.9 and 0.999, epsilon 1e-8); both moments start at zero."""

    n_states = 2

    def update(
        self, group: dict, params: list, gradients: list, states: list[list], scale: Tensor | None
    ) -> None:
        """Let PyTorch's kernel take the step."""
        torch._fused_adam_(
            params,
            gradients,
            *states,
            [],
            [self.steps] * len(params),
            lr=group["lr"],
            beta1=0.9,
            beta2=0.999,
            weight_decay=group["weight_decay"],
            eps=1e-8,
            amsgrad=False,
            maximize=False,
            grad_scale=scale,
        )


class SGD(Optimizer):
    """Gradient descent, plain, with momentum, or with Nesterov's; the velocity starts at zero."""

    def __init__(
        self, groups: list[dict[str, Any]], *, momentum: float = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        self.momentum, self.nesterov, self.n_states = momentum, nesterov, int(momentum > 0)
        super().__init__(groups, **options)

    def update(
        self, group: dict, params: list, gradients: list, states: list[list], scale: Tensor | None
    ) -> None:
        """Let PyTorch's kernel take the step."""
        torch._fused_sgd_(
            params,
            gradients,
            states[0] if states else [],
            weight_decay=group["weight_decay"],
            momentum=self.momentum,
            lr=group["lr"],
            dampening=0.0,
            nesterov=self.nesterov,
            maximize=False,
            is_first_step=False,
            grad_scale=scale,
        )


def wide_layers(module: nn.Module, batch_size: int) -> list[nn.Linear]:
    """Return the linear layers for which `Optimizer.keep_factors` pays; none in large batches."""
    if batch_size > ROWS:
        return []
    layers = [layer for layer in module.modules() if type(layer) is nn.Linear]  # its own forward, no other
    return [one for one in layers if one.weight.numel() >= WIDE and one.weight.requires_grad]


def parameter_groups(module: nn.Module, layer_rates: Sequence[float]) -> list[dict[str, Any]]:
    """Return the optimiser's groups: one per rate factor, weights by layer, all else at 1."""
    factors = {id(parameter): 1.0 for parameter in module.parameters()}
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    for number, layer in enumerate(layers if layer_rates else []):
        factors[id(layer.weight)] = float(layer_rates[min(number, len(layer_rates) - 1)])
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in module.parameters():
        groups.setdefault(factors[id(parameter)], []).append(parameter)
    return [{"params": params, "rate_factor": factor} for factor, params in groups.items()]


def make_optimizer(groups: list[dict[str, Any]], settings: Any) -> Optimizer:
    """Return the optimiser that a `TrainingSettings` asks for, over parameter groups."""
    groups = [group | {"lr": settings.learning_rate * group.get("rate_factor", 1.0)} for group in groups]
    common = {"weight_decay": settings.weight_decay, "clip_norm": settings.clip_norm}
    if settings.optimizer == "adam":
        return Adam(groups, **common)
    return SGD(groups, momentum=settings.momentum, nesterov=settings.nesterov, **common)
