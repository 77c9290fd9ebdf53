"""chen2016: D-GEX as published and corrected, and the linear models beside it."""

from exprml.models import lasso, least_squares, neighbours, networks
from exprml.models.presets.preset import read

PRESETS = read(__file__, lasso, least_squares, neighbours, networks)
