"""The layers of a fully connected network and its first weights: drawn, or taken from another network.

Layers per heil2022 (Methods: Model training): Linear, activation, BatchNorm, dropout. Widths may be fractions
of the input width, rounded down as the paper's code does: 5,000 genes and ("1/2", "1/4") give 2500, 1250.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from exprml.base.errors import ParameterError, check_known

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "leaky-relu": partial(nn.LeakyReLU, 0.2),
    "linear": nn.Identity,
    "sigmoid": nn.Sigmoid,
}
ROUNDING = 1e-5  # times 1 + the mean; values are float32
INITIALISATIONS = {
    "pytorch": None,
    "glorot-uniform": nn.init.xavier_uniform_,
    "glorot-normal": nn.init.xavier_normal_,
    "lecun-normal": lambda weight, gain: nn.init.normal_(weight, std=gain * weight.shape[1] ** -0.5),
}


class Standardised(nn.Module):
    """Take each input's mean away and divide by its standard deviation, both of the samples to learn from."""

    def __init__(self, n_inputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_inputs))
        self.register_buffer("spread", torch.ones(n_inputs))

    def learn(self, X: np.ndarray) -> None:
        """Take mean and spread from (samples, inputs); what varies by rounding alone counts as constant."""
        mean, spread = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
        varies = spread > ROUNDING * (1 + np.abs(mean))
        self.mean.copy_(torch.from_numpy(mean))
        self.spread.copy_(torch.from_numpy(np.where(varies, spread, 1.0)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (rows, inputs) on the new scale."""
        return (inputs - self.mean) / self.spread


def layer_widths(hidden: Iterable[int | str], n_inputs: int) -> list[int]:
    """Return the widths of the hidden layers; fractions such as "1/4" are of `n_inputs`, rounded down.

    Raises
    ------
    ParameterError
        If a width is neither a whole number from 1 on nor a fraction.
    """
    widths = []
    for width in hidden:
        try:
            share = Fraction(width)
            wide = n_inputs * share.numerator // share.denominator if isinstance(width, str) else int(share)
        except (ValueError, TypeError, ZeroDivisionError) as error:
            raise ParameterError(f"hidden width {width!r}: use a number or a fraction like '1/2'") from error
        if wide < 1 and not isinstance(width, str):
            raise ParameterError(f"hidden width {width!r} must be at least 1")
        widths.append(max(wide, 1))
    return widths


def build_network(
    n_inputs: int,
    widths: Sequence[int],
    n_outputs: int,
    *,
    activation: str = "relu",
    output_activation: str = "linear",
    batch_norm: bool = False,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
) -> nn.Sequential:
    """Return Linear, activation, BatchNorm, dropout per hidden layer, then a linear output.

    After SELU, dropout keeps mean and variance (Klambauer et al. 2017).
    """
    check_known("activation", [activation, output_activation], ACTIVATIONS)
    dropped = nn.AlphaDropout if activation == "selu" else nn.Dropout
    layers: list[nn.Module] = [nn.Dropout(input_dropout)] if input_dropout else []
    for before, width in zip([n_inputs, *widths], widths, strict=False):
        layers += [nn.Linear(before, width), ACTIVATIONS[activation]()]
        layers += [nn.BatchNorm1d(width)] if batch_norm else []
        layers += [dropped(dropout)] if dropout else []
    layers.append(nn.Linear(widths[-1] if len(widths) else n_inputs, n_outputs))
    layers += [ACTIVATIONS[output_activation]()] if output_activation != "linear" else []
    return nn.Sequential(*layers)


def initialise(network: nn.Module, how: str, *, gain: float = 1.0, output_bound: float | None = None) -> None:
    """Draw first weights: PyTorch's own, or Glorot's with biases 0.

    Parameters
    ----------
    how : {"pytorch", "glorot-uniform", "glorot-normal", "lecun-normal"}
        chen2016 uses "glorot-uniform"; bhukya2021's formula is Glorot's with gain sqrt(2); self-normalising
        networks need "lecun-normal", of variance one over the inputs.
    gain : float
        Factor of the bound or standard deviation.
    output_bound : float, optional
        The last layer's weights are uniform within this bound (1e-4 in chen2016 and bhukya2021).
    """
    check_known("initialisation", [how], INITIALISATIONS)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    draw = INITIALISATIONS[how]
    for layer in layers if draw else []:
        draw(layer.weight, gain=gain)
        nn.init.zeros_(layer.bias)
    if output_bound is not None:
        nn.init.uniform_(layers[-1].weight, -output_bound, output_bound)
        nn.init.zeros_(layers[-1].bias)


def copy_weights(module: nn.Module, start: nn.Module) -> None:
    """Give `module` the weights of `start`, and the running means of its BatchNorm layers.

    Parameters
    ----------
    module, start : Module
        Networks of the same layers; `start` stays as it is. Dropout may differ, it has no weights.

    Raises
    ------
    ParameterError
        If the layers differ in shape; says which.
    """
    given, own = (list(one.state_dict().values()) for one in (start, module))  # names differ with dropout
    shapes = [[tuple(one.shape) for one in states] for states in (given, own)]
    if shapes[0] != shapes[1]:
        raise ParameterError(
            f"start_from has weights of shapes {shapes[0]}, this network {shapes[1]}: hidden, batch_norm "
            "and the numbers of features and outputs must agree"
        )
    with torch.no_grad():
        for target, source in zip(own, given, strict=True):
            target.copy_(source)


def ends(network: nn.Module) -> tuple[int, int]:
    """Return the numbers of inputs (as it says, or the first weight's columns) and outputs (last bias)."""
    states = list(network.state_dict().values())
    first = next(one.shape[1] for one in states if one.ndim == 2)
    return getattr(network, "n_inputs", first), len(states[-1])
