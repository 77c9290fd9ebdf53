"""bhukya2021 (Methods): E-MLP's parts and the D-GEX it was compared with.

Printed are layers, ELU, first weights, Nesterov's momentum 0.9, the rate and its schedule, dropout of all but
the output units and the look-back stopping, all for the regressor; of the autoencoder layers and epochs. Each
`source` below names what had to be guessed.
"""

from __future__ import annotations

from typing import Any

from exprml.models.autoencoders import Autoencoder, EncodedRegressor
from exprml.models.networks import NetworkRegressor
from exprml.models.presets.d_gex import D_GEX, RATES
from exprml.models.presets.preset import Preset

RIVAL = D_GEX | {"hidden": (9000,) * 3, "learning_rate": RATES[3], "epochs": 250}
STEPS: dict[str, Any] = {
    "activation": "elu",
    "initialisation": "glorot-normal",
    "initial_gain": 2**0.5,  # the sd is sqrt(4 / (inputs + outputs)): Glorot's times sqrt(2)
    "output_bound": 1e-4,
    "loss": "squared",  # guess
    "reduction": "sum-over-outputs",  # guess: as in D-GEX, whose rates the paper takes
    "validation_loss": "absolute",  # guess: the error its tables have
    "optimizer": "sgd",
    "momentum": 0.9,
    "nesterov": True,
    "learning_rate": 5e-4,
    "schedule": "reduce-when-worse",
    "schedule_factor": 0.9,
    "schedule_floor": 1e-5,
    "schedule_rows": 5000,  # guess: "a small subset"
    "batch_size": 200,  # guess: as in D-GEX
    "holdout": 0.1,
    "random_state": 1,
}
MLP = STEPS | {
    "hidden": (11850, 11826),  # storage_capacity_widths(2000, 70_000)
    "dropout": 0.1,  # of every neuron but the output's; inputs are no neurons (Methods, on the MLP)
    "epochs": 250,
    "early_stopping": "look-back",
    "validate_every": 5,
    "patience": 5,  # looks of 5 epochs: 25 epochs back
}
AUTOENCODER = STEPS | {
    "hidden": (6000,),
    "code": 2000,
    "tied": False,  # guess: described, its use not stated
    "epochs": 150,
    "early_stopping": "none",
}
# What fits better within few samples: Adam, small batches, a rate that falls where validation stands still,
# and an end where that no longer helps. For E-MLP on the first fold of tcga-landmarks the validation error
# was 0.334; with 60 epochs on a cosine it was 0.343, at a constant rate 0.349.
FASTER: dict[str, Any] = {
    "optimizer": "adam",
    "momentum": 0.0,
    "nesterov": False,
    "learning_rate": 1e-3,
    "schedule": "reduce-on-plateau",
    "schedule_factor": 0.3,
    "schedule_patience": 4,
    "schedule_min_delta": 1e-4,
    "schedule_floor": 1e-6,
    "batch_size": 32,
    "reduction": "mean",
    "epochs": 300,  # a limit: patience ends it
    "early_stopping": "consecutive",
    "patience": 10,
    "validate_every": 1,
    "dropout": 0.1,
    "input_dropout": 0.1,
}
OUR_AUTOENCODER = FASTER | {
    "hidden": ("1/1",),
    "code": 200,
    "code_activation": "linear",
    "tied": True,
    "output_bound": None,
}
OUR_MLP = FASTER | {"hidden": (445, 437)}  # storage_capacity_widths(200, 963)
SEARCH = (
    "this book: of twelve autoencoders with a code of 100 for 1,000 targets the one with the lowest error on "
    "validation patients of tcga-landmarks (960 training samples); its layers are printed for a code of 200"
)
METHODS = "bhukya2021, Methods"
GUESSED = "guessed: loss (squared, summed over outputs), batch (200), the subset that drives the rate (5,000)"
OPEN = f"{METHODS}: layers and epochs only; all else guessed from the regressor's, and: ELU code, no dropout,"
PRESETS: dict[str, Preset] = {
    "bhukya2021/d-gex": Preset(
        NetworkRegressor,
        RIVAL,  # what the paper leaves open ("adapted from the best D-GEX") is as in chen2016
        "D-GEX as E-MLP's rival: 3 hidden layers of 9,000 tanh units, 250 epochs",
        "bhukya2021, Methods; chen2016 for what is not stated",
    ),
    "bhukya2021/mlp": Preset(
        NetworkRegressor, MLP, "E-MLP's regressor: landmarks to code", f"{METHODS}; {GUESSED}"
    ),
    "bhukya2021/autoencoder": Preset(
        Autoencoder,
        AUTOENCODER,
        "autoencoder 6000-2000-6000 of the targets",
        f"{OPEN} weights not tied, raw targets, the epoch with the lowest validation error kept",
    ),
    "bhukya2021/e-mlp": Preset(
        EncodedRegressor,
        {"encoder": Autoencoder(**AUTOENCODER), "regressor": NetworkRegressor(**MLP)},
        "E-MLP: autoencoder of the targets, network from landmarks to its code",
        f"{METHODS}; {GUESSED}; of the autoencoder all but layers and epochs",
    ),
    "corrected/autoencoder": Preset(
        Autoencoder, AUTOENCODER | OUR_AUTOENCODER, "autoencoder for few samples: tied, noisy, Adam", SEARCH
    ),
    "corrected/e-mlp": Preset(
        EncodedRegressor,
        {
            "encoder": Autoencoder(**AUTOENCODER | OUR_AUTOENCODER),
            "regressor": NetworkRegressor(**MLP | OUR_MLP),
        },
        "E-MLP for few samples: a tied, noisy autoencoder, both parts by Adam",
        SEARCH,
    ),
}
