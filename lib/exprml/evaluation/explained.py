"""How much of each target a linear model of some features explains on the samples it is fitted to."""

from __future__ import annotations

import numpy as np

from exprml.base.errors import DataError


def r2_by_least_squares(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return R2 of ordinary least squares with intercept, on its own training samples.

    The fitted values are the projection of the centred targets on the span of the centred features. With as
    many features as samples, whatever they are, every R2 is 1.

    Parameters
    ----------
    features : array, (samples, features)
    targets : array, (samples, targets)

    Returns
    -------
    array, (targets,)
        NaN for a target that is the same in all samples.

    Raises
    ------
    DataError
        If the two have different numbers of samples.
    """
    if len(features) != len(targets):
        raise DataError(
            f"features of {len(features)} samples, targets of {len(targets)}: give the same samples"
        )
    centred, wanted = (np.asarray(one, dtype=float) for one in (features, targets))
    centred, wanted = centred - centred.mean(axis=0), wanted - wanted.mean(axis=0)
    directions, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    span = directions[:, sizes > sizes.max(initial=0.0) * max(centred.shape) * np.finfo(float).eps]
    explained, total = ((span.T @ wanted) ** 2).sum(axis=0), (wanted**2).sum(axis=0)
    return np.divide(explained, total, out=np.full(len(total), np.nan), where=total > 0)


def adjusted_r2(r2: np.ndarray, n_samples: int, n_features: int) -> np.ndarray:
    """Return 1 - (1 - R2)(n - 1)/(n - p - 1): zero on average for features drawn at random.

    It charges for the number of features and not for how they came about: features that were *fitted* to the
    same samples still gain (chen2016, Supp Fig S2, compares 9,000 such with 943 measured ones).

    Returns
    -------
    array
        NaN throughout where ``n_samples <= n_features + 1``: there it is not defined.
    """
    left = n_samples - n_features - 1
    return 1 - (1 - np.asarray(r2)) * (n_samples - 1) / left if left > 0 else np.full(np.shape(r2), np.nan)
