"""okeke2023: the report's autoencoder as its code trains it, and what it lacked."""

from exprml.models import autoencoders
from exprml.models.presets.preset import read

PRESETS = read(__file__, autoencoders)
