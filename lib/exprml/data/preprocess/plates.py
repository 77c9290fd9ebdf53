"""What L1000 does plate by plate: from level 3 to level 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from exprml.base.errors import DataError

LEAST_MAD = 0.1  # median absolute deviation below which a gene counts as still (Connectivity Map)


def plate_scores(X: np.ndarray, plates: Sequence[str], *, scale: bool = True) -> np.ndarray:
    """Return robust z-scores of each gene within each plate: what L1000 calls level 4.

    Distance from the median of all wells of the plate, in units of 1.4826 median absolute deviations, which
    count as 0.1 at least. Treated wells and controls count alike.

    Parameters
    ----------
    X : ndarray, shape (wells, genes)
        Log values, level 3.
    plates : sequence of str
        The plate of each well.
    scale : bool
        False: only the median is taken away.

    Raises
    ------
    DataError
        If a value is NaN or infinite, or a plate has fewer than three wells.
    """
    if not np.isfinite(X).all():
        raise DataError(f"{int((~np.isfinite(X)).sum())} values are NaN or infinite: no plate statistics")
    result = np.empty(X.shape, X.dtype)
    for plate, wells in pd.Series(range(len(X))).groupby(np.asarray(plates)):
        if len(wells) < 3:
            raise DataError(f"plate {plate!r} has {len(wells)} wells: its statistics need at least 3")
        away = X[wells] - np.median(X[wells], axis=0)
        mad = np.maximum(np.median(np.abs(away), axis=0), LEAST_MAD)
        result[wells] = away / (1.4826 * mad) if scale else away
    return result
