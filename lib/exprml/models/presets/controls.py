"""Controls that belong to no paper: what every model must beat, or should match."""

from sklearn import dummy, ensemble, multioutput

from exprml.models import least_squares, linear
from exprml.models.presets.preset import read

PRESETS = read(__file__, dummy, ensemble, least_squares, linear, multioutput)
