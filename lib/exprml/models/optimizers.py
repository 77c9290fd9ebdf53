"""Adam and SGD as one fused pass over the weights, clipping included.

The arithmetic is PyTorch's own (``torch._fused_adam_``, ``torch._fused_sgd_``). Its optimiser classes
are left out because making one imports the compiler: three seconds at the start of every notebook, and
more Python per step than a batch of 16 through a small network costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


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

    def __init__(
        self, groups: list[dict[str, Any]], *, weight_decay: float = 0.0, clip_norm: float | None = None
    ) -> None:
        self.param_groups = [{"rate_factor": 1.0, "weight_decay": weight_decay} | group for group in groups]
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.clip_norm = clip_norm
        for group in self.param_groups:
            self.prepare(group)

    def prepare(self, group: dict[str, Any]) -> None:
        """Add the state of a group's parameters."""
        raise NotImplementedError

    def update(self, group: dict[str, Any], gradients: list[Tensor], scale: Tensor | None) -> None:
        """Change a group's parameters by their gradients, which are divided by `scale` first."""
        raise NotImplementedError

    def _scale(self) -> Tensor | None:
        """Return what to divide gradients by so that their common norm is at most `clip_norm`."""
        if self.clip_norm is None:
            return None
        norms = [torch.linalg.vector_norm(one.grad) for one in self.parameters if one.grad is not None]
        total = torch.linalg.vector_norm(torch.stack(norms))
        return ((total + 1e-6) / self.clip_norm).clamp_(min=1.0)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter and drop the gradients."""
        scale = self._scale()
        for group in self.param_groups:
            self.update(group, [parameter.grad for parameter in group["params"]], scale)
        for parameter in self.parameters:
            parameter.grad = None


class Adam(Optimizer):
    """Adam with PyTorch's defaults (beta 0.9 and 0.999, epsilon 1e-8)."""

    def prepare(self, group: dict[str, Any]) -> None:
        """Start both moments at zero."""
        group["mean"] = [torch.zeros_like(one) for one in group["params"]]
        group["square"] = [torch.zeros_like(one) for one in group["params"]]
        group["steps"] = [torch.zeros((), device=one.device) for one in group["params"]]

    def update(self, group: dict[str, Any], gradients: list[Tensor], scale: Tensor | None) -> None:
        """Count the step and let PyTorch's kernel do the rest."""
        torch._foreach_add_(group["steps"], 1)
        torch._fused_adam_(
            group["params"],
            gradients,
            group["mean"],
            group["square"],
            [],
            group["steps"],
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
    """Gradient descent, plain, with momentum, or with Nesterov's."""

    def __init__(
        self, groups: list[dict[str, Any]], *, momentum: float = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        self.momentum, self.nesterov = momentum, nesterov
        super().__init__(groups, **options)

    def prepare(self, group: dict[str, Any]) -> None:
        """Start the velocity at zero."""
        group["velocity"] = [torch.zeros_like(one) for one in group["params"]] if self.momentum else []

    def update(self, group: dict[str, Any], gradients: list[Tensor], scale: Tensor | None) -> None:
        """Let PyTorch's kernel take the step."""
        torch._fused_sgd_(
            group["params"],
            gradients,
            group["velocity"],
            weight_decay=group["weight_decay"],
            momentum=self.momentum,
            lr=group["lr"],
            dampening=0.0,
            nesterov=self.nesterov,
            maximize=False,
            is_first_step=False,
            grad_scale=scale,
        )


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
