"""Coordinate descent for the lasso on a Gram matrix, compiled; imported only by what fits a lasso."""

from __future__ import annotations

import numba
import numpy as np

INNER, SHRINK = 3e-2, 0.2  # how exactly a working set is solved at first, and how that tightens


@numba.njit(cache=True, fastmath=True)
def _descend(gram, gradient, weights, threshold, tolerance, max_passes):
    """Minimise over all coordinates of a small problem in place; return the number of passes.

    `gradient` is ``product - gram @ weights`` and kept so. The end is reached when no weight moves by more
    than `tolerance` times the largest.
    """
    size, zero = len(weights), gram.dtype.type(0)  # a float64 here would keep the inner loop from vectorising
    for step in range(max_passes):
        largest, moved = zero, zero
        for j in range(size):
            curvature = gram[j, j]
            if curvature <= zero:
                continue
            before = weights[j]
            pull = gradient[j] + curvature * before
            after = zero
            if pull > threshold:
                after = (pull - threshold) / curvature
            elif pull < -threshold:
                after = (pull + threshold) / curvature
            if after != before:
                change = after - before
                weights[j] = after
                row = gram[j]
                for i in range(size):
                    gradient[i] -= row[i] * change
                moved = max(moved, abs(change))
            largest = max(largest, abs(after))
        if moved <= tolerance * largest:
            return step + 1
    return max_passes


@numba.njit(cache=True, fastmath=True)
def _gap(gradient, product, weights, squares, threshold):
    """Return the duality gap of the full problem (scikit-learn's), in units of a squared sum."""
    most, explained, total, kept = 0.0, 0.0, 0.0, 0.0
    for j in range(len(weights)):
        most = max(most, abs(gradient[j]))
        explained += weights[j] * product[j]
        kept += weights[j] * gradient[j]
        total += abs(weights[j])
    residual = max(squares - explained - kept, 0.0)  # |y - X w|^2
    aligned = squares - explained  # (y - X w)' y
    scale = min(1.0, threshold / most) if most > 0.0 else 1.0
    return 0.5 * residual * (1.0 + scale * scale) + threshold * total - scale * aligned


@numba.njit(cache=True, fastmath=True)
def _enlarge(chosen, weights, gradient, threshold):
    """Take the steepest coordinates outside the working set into it, as many as are not 0 (20 at least).

    Coordinates at 0 that are not among them leave it. Return how many came in.
    """
    inside, steepness = weights != 0.0, np.abs(gradient)
    steepness[inside | ~(steepness > threshold)] = 0.0
    steepest = np.argsort(-steepness)[: max(20, inside.sum())]
    steepest = steepest[steepness[steepest] > 0.0]
    chosen[:] = inside
    chosen[steepest] = True
    return len(steepest)


@numba.njit(cache=True, fastmath=True)
def _solve_one(gram, product, squares, weights, threshold, tolerance, max_passes):
    """Solve for one target, starting from `weights` and leaving the solution there.

    Descends over a working set of coordinates; after each descent the whole gradient is computed anew, so
    rounding does not add up.
    """
    size, inner, used = len(product), INNER, 0
    gradient, chosen = np.empty(size, gram.dtype), np.zeros(size, np.bool_)
    while True:
        gradient[:] = product
        for j in range(size):
            if weights[j] != 0.0:
                row, weight = gram[j], weights[j]
                for i in range(size):
                    gradient[i] -= row[i] * weight
        gap = _gap(gradient, product, weights, squares, threshold)
        if gap <= tolerance * squares or used >= max_passes:
            return gap, used
        if not _enlarge(chosen, weights, gradient, threshold):
            inner *= SHRINK
        members = np.flatnonzero(chosen)
        if 2 * len(members) > size:  # a copy of most of the matrix costs more than it saves
            used += max(1, _descend(gram, gradient, weights, threshold, inner, max_passes - used))
            continue
        local = np.empty((len(members), len(members)), gram.dtype)
        for a in range(len(members)):
            row = gram[members[a]]
            for b in range(len(members)):
                local[a, b] = row[members[b]]
        part = weights[members]
        used += max(1, _descend(local, gradient[members], part, threshold, inner, max_passes - used))
        weights[members] = part


@numba.njit(cache=True, parallel=True)
def solve(gram, products, squares, weights, threshold, tolerance, max_passes):
    """Solve all targets side by side, in place.

    Parameters
    ----------
    gram : array, (features, features)
        ``X' X`` of centred features.
    products : array, (targets, features)
        ``Y' X`` of centred values.
    squares : array of float64, (targets,)
        Sum of squares of each centred target.
    weights : array, (targets, features)
        Where to start; holds the solutions afterwards.
    threshold : float
        Samples times the penalty.
    tolerance : float
        Duality gap to reach, as a share of `squares`.
    max_passes : int
        Passes over the coordinates at most.

    Returns
    -------
    gaps : array of float64, (targets,)
    passes : array of int, (targets,)
    """
    n_targets = len(products)
    gaps, passes = np.empty(n_targets), np.empty(n_targets, np.int64)
    level = gram.dtype.type(threshold)  # in the same precision, or the inner loops do not vectorise
    for target in numba.prange(n_targets):
        gaps[target], passes[target] = _solve_one(
            gram, products[target], squares[target], weights[target], level, tolerance, max_passes
        )
    return gaps, passes
