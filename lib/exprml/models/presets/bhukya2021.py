"""bhukya2021 (Methods): E-MLP's parts and the D-GEX it was compared with."""

from __future__ import annotations

from exprml.models.networks import NetworkRegressor
from exprml.models.presets import chen2016
from exprml.models.presets.preset import Preset

RIVAL = chen2016.D_GEX | {"hidden": (9000,) * 3, "learning_rate": chen2016.RATES[3], "epochs": 250}

PRESETS: dict[str, Preset] = {
    "bhukya2021/d-gex": Preset(
        NetworkRegressor,
        RIVAL,  # what the paper leaves open ("adapted from the best D-GEX") is as in chen2016
        "D-GEX as E-MLP's rival: 3 hidden layers of 9,000 tanh units, 250 epochs",
        "bhukya2021, Methods; chen2016 for what is not stated",
    ),
}
