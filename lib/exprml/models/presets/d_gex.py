"""How D-GEX is trained (chen2016): what its own presets and those of its rivals begin with.

Methods 2.2 gives layers, loss, first weights, epochs and schedule; batch, momentum, the first rates and
the factor 3 above the first layer are in the public code only.
"""

from __future__ import annotations

from typing import Any

D_GEX: dict[str, Any] = {
    "activation": "tanh",
    "dropout": 0.1,  # hidden units; 0.25 for the other platform
    "initialisation": "glorot-uniform",
    "output_bound": 1e-4,
    "loss": "squared",
    "reduction": "sum-over-outputs",
    "validation_loss": "absolute",
    "optimizer": "sgd",
    "momentum": 0.5,
    "layer_rates": (1, 3),
    "batch_size": 200,
    "epochs": 200,
    "schedule": "reduce-when-worse",
    "schedule_factor": 0.9,
    "schedule_floor": 1e-5,
    "schedule_rows": 5000,
    "early_stopping": "none",  # the epoch with the lowest error is kept, none is left out
    "holdout": 0.1,
    "random_state": 1,
}
RATES = {1: 5e-4, 2: 3e-4, 3: 3e-4}  # by the number of hidden layers
