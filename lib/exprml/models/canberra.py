"""The nearest samples by Canberra distance, compiled; imported only by what asks for them.

The distance sums |x - y| / (|x| + |y|) over features, 0 where both are 0. A scan in single precision leaves a
few candidates for each query, with room for its rounding; among these double precision decides.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.spatial.distance import cdist

ROWS, STEP = 16, 256  # training rows that stay in a core's first cache; queries scanned at a time
WIDTH = 32  # features are filled up to a multiple: what the compiler treats at once


@numba.njit(cache=True, fastmath=True, error_model="numpy")
def _scan(queries, train, out):
    """Write the distance of every query, whose number is a multiple of 4, to every training row."""
    zero, tiny = numba.float32(0), numba.float32(1e-30)  # tiny: 0 / 0 is 0 here
    for start in range(0, len(train), ROWS):
        for i in range(0, len(queries), 4):
            a, b, c, d = queries[i], queries[i + 1], queries[i + 2], queries[i + 3]
            for j in range(start, min(start + ROWS, len(train))):
                row = train[j]
                first, second, third, fourth = zero, zero, zero, zero
                for g in range(len(row)):
                    y = row[g]
                    size = abs(y) + tiny
                    first += abs(a[g] - y) / (abs(a[g]) + size)
                    second += abs(b[g] - y) / (abs(b[g]) + size)
                    third += abs(c[g] - y) / (abs(c[g]) + size)
                    fourth += abs(d[g] - y) / (abs(d[g]) + size)
                out[i, j], out[i + 1, j], out[i + 2, j], out[i + 3, j] = first, second, third, fourth


def _filled(X: np.ndarray, n_rows: int) -> np.ndarray:
    """Return `X` in single precision with rows and columns of ones added, which add nothing to a distance."""
    wide = ((0, n_rows - len(X)), (0, -X.shape[1] % WIDTH))
    return np.pad(X.astype(np.float32), wide, constant_values=1)


def nearest(queries: np.ndarray, train: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distances to the `k` nearest rows of `train` and their numbers, nearest first.

    Of rows equally far the one that comes first in `train` is the nearer.

    Parameters
    ----------
    queries, train : array, (samples, features)
    k : int
        At most the number of training rows.

    Returns
    -------
    distances, indices : array, (queries, k)
    """
    rows = _filled(train, len(train))
    slack = 2 * 2e-6 * train.shape[1]  # twice what the scan may round off

    distances, indices = np.empty((len(queries), k)), np.empty((len(queries), k), np.intp)
    for start in range(0, len(queries), STEP):
        some = queries[start : start + STEP]
        scanned = np.empty((-(-len(some) // 4) * 4, len(rows)), np.float32)
        _scan(_filled(some, len(scanned)), rows, scanned)
        limits = np.partition(scanned, k - 1, axis=1)[:, k - 1] + slack
        for i, query in enumerate(some):
            candidates = np.flatnonzero(scanned[i] <= limits[i])
            exact = cdist(query[None], train[candidates], "canberra")[0]
            order = np.argsort(exact, kind="stable")[:k]
            distances[start + i], indices[start + i] = exact[order], candidates[order]
    return distances, indices
