"""heil2022 (Methods: Model training), as published and corrected."""

from exprml.models import linear, networks
from exprml.models.presets.preset import read

PRESETS = read(__file__, linear, networks)
