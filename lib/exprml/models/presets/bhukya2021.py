"""bhukya2021 (Methods): E-MLP's parts and the D-GEX it was compared with."""

from exprml.models import autoencoders, networks
from exprml.models.presets import chen2016
from exprml.models.presets.preset import read

PRESETS = read(__file__, autoencoders, networks, beside=chen2016.PRESETS)
