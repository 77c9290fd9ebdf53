"""Autoencoders of the targets, and regression onto their codes (bhukya2021, Methods).

An autoencoder squeezes the targets of a sample through a short code and back. A regressor then needs to
predict only the code; the decoder does the rest. What the autoencoder loses no regressor gets back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter
from torch import Tensor, nn
from torch.nn import functional

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.base.fitting import taken
from exprml.models.estimators import ManyTargets, any_improving, check_finite, validated
from exprml.models.layers import build_network, initialise, layer_widths
from exprml.models.networks import Network
from exprml.models.settings import resolve_device, seeded
from exprml.models.training import predict_batches


def storage_capacity_widths(n_outputs: int, n_samples: int) -> tuple[int, int]:
    """Return the widths of two hidden layers that can store `n_samples` (bhukya2021, Methods).

    The formula says how many units *suffice to memorise* so many samples; nothing about new ones.

    Parameters
    ----------
    n_outputs : int
        Units of the output layer, m.
    n_samples : int
        Samples to store, N.

    Returns
    -------
    first, second : int
        sqrt((m + 2) N) + 2 sqrt(N / (m + 2)) and m sqrt(N / (m + 2)), rounded to the nearest whole number,
        which is what the paper's 11,850 and 11,826 (m = 2,000, N = 70,000) ask for; at least 1.

    Raises
    ------
    ParameterError
        If either number is below 1.
    """
    for name, value in (("n_outputs", n_outputs), ("n_samples", n_samples)):
        if value < 1:
            raise ParameterError(f"{name} must be 1 or more, not {value!r}")
    ratio = math.sqrt(n_samples / (n_outputs + 2))
    first = math.sqrt((n_outputs + 2) * n_samples) + 2 * ratio
    return round(first), max(round(n_outputs * ratio), 1)


def halving_widths(total: int, n_layers: int) -> list[int]:
    """Return the widths of an encoder's layers, each half the one before, that add up to `total` (okeke2023).

    With `total` fixed more layers mean a shorter code: 2,000 units are one code of 2,000, or ten layers that
    end in a code of 1 (the first has 1,001 units).

    Parameters
    ----------
    total, n_layers : int
        Units of all layers of the encoder, the code's among them; number of these layers.

    Raises
    ------
    ParameterError
        If either is below 1.
    """
    if min(total, n_layers) < 1:
        raise ParameterError(f"{total} units in {n_layers} layers: both must be 1 or more")
    first = total / (2 - 2.0 ** (1 - n_layers))
    return [max(int(first / 2**layer), 1) for layer in range(n_layers)]


class _CostlyCode(nn.Module):
    """A code that adds its `cost`, of this weight, to the loss while it is trained."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight, self.cost = weight, None


class SparseCode(_CostlyCode):
    """Hand a code on; while training note its `cost`: `weight` times the mean size of its values."""

    def forward(self, codes: Tensor) -> Tensor:
        """Return (rows, code) as it came."""
        if self.training:
            self.cost = self.weight * codes.abs().mean()
        return codes


class DrawnCode(_CostlyCode):
    """Draw each value of a code from its own normal distribution; where nothing is trained, return its mean.

    While training its `cost` is `weight` times the divergence of these distributions from the standard normal
    one, summed over the code and averaged over the rows (a variational autoencoder's second term).
    """

    def forward(self, both: Tensor) -> Tensor:
        """Return (rows, code) for (rows, means of the code and then logarithms of its variances)."""
        mean, log_variance = both.chunk(2, dim=1)
        if not self.training:
            return mean
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1) / 2
        self.cost = self.weight * divergence.mean()
        return mean + torch.exp(log_variance / 2) * torch.randn_like(mean)


class TiedLinear(nn.Module):
    """A layer whose weights are another layer's, transposed; only its bias is its own.

    Parameters
    ----------
    source : Linear
        Both layers hold the same parameter, which learns from both.
    """

    def __init__(self, source: nn.Linear) -> None:
        super().__init__()
        self.weight = source.weight
        self.bias = nn.Parameter(source.weight.new_zeros(source.in_features))

    def forward(self, codes: Tensor) -> Tensor:
        """Return (rows, inputs of the source) for (rows, outputs of the source)."""
        return functional.linear(codes, self.weight.t(), self.bias)


def _tie(encoder: nn.Sequential, decoder: nn.Sequential) -> nn.Sequential:
    """Return the decoder with the encoder's linear layers, transposed and in reverse, in place of its own."""
    sources = [layer for layer in encoder if isinstance(layer, nn.Linear)]
    return nn.Sequential(
        *(TiedLinear(sources.pop()) if isinstance(layer, nn.Linear) else layer for layer in decoder)
    )


@dataclass(kw_only=True, eq=False, repr=False)
class Autoencoder(TransformerMixin, Network):
    """Targets -> hidden layers -> code -> the same layers in reverse -> targets.

    All parameters of `exprml.models.settings.TrainingSettings` and of `NetworkRegressor`, and those below.
    Which of them bhukya2021 printed, and which had to be guessed, the preset ``bhukya2021/autoencoder`` says.

    Parameters
    ----------
    hidden : tuple of int or str
        Widths from the targets to the code; the decoder has them in reverse. ``(6000,)`` and ``code=2000``
        are 9520-6000-2000-6000-9520. With ``()`` and ``activation="linear"`` it is principal component
        analysis by gradient descent.
    code : int
        Length of the code.
    code_activation : str, optional
        Activation of the code; None is that of the hidden layers.
    tied : bool
        Whether the decoder's weights are the encoder's, transposed. Then the output layer has none of its
        own, and `output_bound` must be None.
    input_dropout : float
        Share of the targets set to zero on the way in, in training: a denoising autoencoder.
    output_activation : str
        Of the targets as they come back. "sigmoid" (okeke2023) confines them to between 0 and 1.
    sparsity : float
        Weight in the loss of the mean size of the code's values: above 0, a sparse autoencoder.
    variational : float
        Above 0, a variational autoencoder: the code is drawn while training, and this is the weight of its
        divergence from a standard normal (beta). With ``reduction="mean"`` 1 is the evidence bound where the
        targets have noise of variance 1. The code is linear then.

    Attributes
    ----------
    module_ : Sequential
        Encoder and decoder.
    n_features_in_, n_epochs_, best_epoch_, still_improving_, history_, seed_, training_rows_, holdout_rows_
        As in `NetworkRegressor`.
    """

    hidden: tuple = (6000,)
    code: int = 2000
    code_activation: str | None = None
    tied: bool = False
    activation: str = "elu"
    output_activation: str = "linear"
    sparsity: float = 0.0
    variational: float = 0.0
    loss: str = "squared"

    def fit(
        self, Y: Any, y: Any = None, groups: Any = None, *, validation: Any = None, watch: Any = None
    ) -> Autoencoder:
        """Train on `Y` (samples, targets); `y` is ignored.

        Parameters
        ----------
        groups : sequence, optional
            The group of each sample, kept whole where an inner part is held out to choose the epoch.
        validation : array, (samples, targets), optional
            Other samples that choose the epoch, in place of an inner part.
        watch : dict of array, (samples, targets), optional
            Samples whose mean absolute error after each epoch becomes a column of `history_`.

        Raises
        ------
        DataError
            For NaN in `Y`, or groups that do not fit.
        ParameterError
            For a setting that cannot be used.
        """
        Y = self._targets(Y, reset=True)
        self._split(groups, len(Y), self.holdout if validation is None else None)
        held = None if validation is None else self._pair(validation)
        watched = {name: self._pair(data) for name, data in (watch or {}).items()}
        self._fit_module(Y, Y, Y.shape[1], validation=held, watch=watched, keep_first=True)
        return self

    def _targets(self, Y: Any, *, reset: bool = False) -> np.ndarray:
        return validated(self, Y, dtype=np.float32, reset=reset)

    def _pair(self, Y: Any) -> tuple[np.ndarray, np.ndarray]:
        Y = self._targets(Y)
        return Y, Y

    def _draw_module(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Return encoder and decoder with their first weights."""
        if self.tied and self.output_bound is not None:
            raise ParameterError(
                f"tied=True leaves the output layer no weights of its own to start within "
                f"output_bound={self.output_bound!r}: use output_bound=None"
            )
        if self.tied and self.variational:
            raise ParameterError("tied=True and variational: a code that is drawn has no layer to tie to")
        widths, code = layer_widths(self.hidden, n_inputs), layer_widths([self.code], n_inputs)[0]
        options = {"activation": self.activation, "batch_norm": self.batch_norm, "dropout": self.dropout}
        end = {"output_activation": self.code_activation or self.activation}
        units, more = code, [SparseCode(self.sparsity)] if self.sparsity else []
        if self.variational:  # divided by half the targets: their squared errors are averaged, not summed
            units, end = 2 * code, {"output_activation": "linear"}
            more.append(DrawnCode(2 * self.variational / n_outputs))
        with seeded(self.seed_, resolve_device(self.device)):
            encoder = build_network(
                n_inputs, widths, units, **options, **end, input_dropout=self.input_dropout
            ).extend(more)
            decoder = build_network(
                code, widths[::-1], n_outputs, **options, output_activation=self.output_activation
            )
            module = nn.Sequential(encoder, _tie(encoder, decoder) if self.tied else decoder)
            initialise(module, self.initialisation, gain=self.initial_gain, output_bound=self.output_bound)
        return module

    def _through(self, part: int, rows: np.ndarray) -> np.ndarray:
        return predict_batches(self.module_[part], rows).numpy().astype(np.float64)

    def transform(self, Y: Any) -> np.ndarray:
        """Return codes, (samples, code)."""
        check_is_fitted(self)
        return self._through(0, self._targets(Y))

    def inverse_transform(self, codes: Any) -> np.ndarray:
        """Return the targets that codes stand for, (samples, targets)."""
        check_is_fitted(self)
        codes = np.asarray(codes, dtype=np.float32)
        length = layer_widths([self.code], self.n_features_in_)[0]
        if codes.ndim != 2 or codes.shape[1] != length:
            raise DataError(f"codes have shape {codes.shape}; this autoencoder needs (samples, {length})")
        check_finite(codes)
        return self._through(1, codes)


class ConstantProfile(TransformerMixin, BaseEstimator):
    """No code at all: whatever the sample, the same profile comes back.

    Parameters
    ----------
    profile : {"mean", "zero"}
        The mean of the training samples, or zero: of changes, that nothing changes.

    Attributes
    ----------
    profile_ : array, (targets,)
    """

    def __init__(self, profile: str = "mean") -> None:
        self.profile = profile

    def fit(self, Y: Any, y: Any = None) -> ConstantProfile:
        """Note the profile of `Y` (samples, targets); `y` is ignored."""
        check_known("profile", [self.profile], ("mean", "zero"))
        Y = validated(self, Y)
        self.profile_ = Y.mean(axis=0) * (self.profile == "mean")
        return self

    def transform(self, Y: Any) -> np.ndarray:
        """Return codes of length 0, (samples, 0)."""
        check_is_fitted(self)
        return validated(self, Y, reset=False)[:, :0]

    def inverse_transform(self, codes: Any) -> np.ndarray:
        """Return the profile for every sample, (samples, targets)."""
        return np.tile(self.profile_, (len(codes), 1))


class EncodedRegressor(ManyTargets, BaseEstimator):
    """Predict a code of the targets, then decode it: E-MLP, where both parts are networks (bhukya2021).

    Parameters
    ----------
    encoder : transformer with ``inverse_transform``
        Learns the code from the training targets alone: `Autoencoder`, scikit-learn's PCA.
    regressor : regressor for many targets
        Learns to predict codes.

    Attributes
    ----------
    encoder_, regressor_
        The fitted parts.
    selected_by_ : {"decoded error", "code error", "inner part"}
        How the regressor chose its epoch or parameter: by the error of decoded validation targets (networks
        can), by the error of validation codes (what else takes `validation`), or by what it does alone.
    still_improving_ : float
        As of a network: 1 where it is 1 for one of the parts.
    """

    def __init__(self, encoder: Any, regressor: Any) -> None:
        self.encoder, self.regressor = encoder, regressor

    def fit(
        self, X: Any, Y: Any, groups: Any = None, *, validation: Any = None, watch: Any = None
    ) -> EncodedRegressor:
        """Fit the encoder on `Y` (samples, targets), then the regressor from `X` to the codes.

        Parameters
        ----------
        groups : sequence, optional
            Handed on to parts that take groups.
        validation : (X, Y), optional
            Chooses the epoch of both parts, see `selected_by_`.
        watch : dict of (X, Y), optional
            Handed on to a regressor that can watch decoded errors; columns of its `history_`.

        Raises
        ------
        DataError
            If the targets are not a table.
        """
        Y = np.asarray(Y)
        if Y.ndim != 2:
            raise DataError(f"Y has shape {Y.shape}: a code needs a table of targets, (samples, targets)")
        self.encoder_, self.regressor_ = clone(self.encoder), clone(self.regressor)
        held = None if validation is None else validation[1]
        options = {"groups": groups, "validation": held}
        self.encoder_.fit(Y, None, **taken(self.encoder_.fit, options))
        options = {"groups": groups} | self._selection(validation, watch)
        self.regressor_.fit(X, self.encoder_.transform(Y), **taken(self.regressor_.fit, options))
        self.still_improving_ = any_improving(self.encoder_, self.regressor_)
        return self

    def _selection(self, validation: Any, watch: Any) -> dict[str, Any]:
        """Return what tells the regressor how to choose, and note it in `selected_by_`."""
        self.selected_by_ = "inner part"
        if has_fit_parameter(self.regressor_, "decode"):
            self.selected_by_ = "decoded error" if validation is not None else "inner part"
            return {"validation": validation, "watch": watch, "decode": self.encoder_.inverse_transform}
        if validation is None or not has_fit_parameter(self.regressor_, "validation"):
            return {}
        self.selected_by_ = "code error"
        return {"validation": (validation[0], self.encoder_.transform(np.asarray(validation[1])))}

    def predict(self, X: Any) -> np.ndarray:
        """Return decoded predictions, (samples, targets)."""
        check_is_fitted(self)
        return self.encoder_.inverse_transform(self.regressor_.predict(X))
