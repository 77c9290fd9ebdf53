"""okeke2023: the report's autoencoder of differential expression as its code trains it, and what it lacked.

Layers, loss, optimiser, batch, epochs and schedule stand in the text and the public code; the smallest change
that counts as progress (0.1) and the sigmoid stand in the code alone. The first weights are Keras's default.
"""

from __future__ import annotations

from typing import Any

from exprml.models.autoencoders import Autoencoder, ConstantProfile
from exprml.models.presets.preset import Preset

DENSE: dict[str, Any] = {
    "hidden": (),
    "code": 2000,
    "activation": "relu",
    "output_activation": "sigmoid",
    "initialisation": "glorot-uniform",
    "loss": "squared",
    "learning_rate": 1e-3,
    "batch_size": 128,
    "epochs": 50,
    "schedule": "reduce-on-plateau",
    "schedule_factor": 0.5,
    "schedule_patience": 5,
    "schedule_min_delta": 0.1,
    "schedule_floor": 1e-5,
    "early_stopping": "none",  # the last epoch is kept, and logged as the best
    "holdout": None,
    "random_state": 69,
}
CORRECTED = DENSE | {
    "output_activation": "linear",
    "schedule_min_delta": 1e-4,
    "batch_size": 32,
    "epochs": 200,  # a limit: patience ends it
    "early_stopping": "consecutive",
    "patience": 15,
    "holdout": 0.2,
}
FEW = CORRECTED | {"hidden": (100,), "code": 20, "code_activation": "linear"}
OURS = "this book"


def _few(summary: str, **changes: Any) -> Preset:
    return Preset(Autoencoder, FEW | changes, summary, OURS)


PRESETS: dict[str, Preset] = {
    "okeke2023/autoencoder": Preset(
        Autoencoder,
        DENSE,
        "2,000 ReLU units, sigmoid output, rate halved whatever happens, last epoch",
        "okeke2023, Methods and public code; Keras's first weights, PyTorch's Adam (epsilon 1e-8, not 1e-7)",
    ),
    "corrected/dense-autoencoder": Preset(
        Autoencoder,
        CORRECTED,
        "the report's layer with a linear output, the epoch chosen on other series",
        OURS,
    ),
    "corrected/linear-autoencoder": _few("no activation: PCA by gradient", activation="linear", hidden=()),
    "corrected/tied-autoencoder": _few("the decoder's weights are the encoder's, transposed", tied=True),
    "corrected/denoising-autoencoder": _few("a share of the genes hidden on the way in", input_dropout=0.3),
    "corrected/sparse-autoencoder": _few(
        "a code of ReLU units whose size costs", code_activation="relu", sparsity=0.01
    ),
    "corrected/variational-autoencoder": _few("a code drawn from a normal distribution", variational=0.1),
    "control/no-change": Preset(ConstantProfile, {"profile": "zero"}, "no gene changes: predict zero", OURS),
    "control/mean-of-others": Preset(ConstantProfile, {}, "the mean of the contrasts trained on", OURS),
}
