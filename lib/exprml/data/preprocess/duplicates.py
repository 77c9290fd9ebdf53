"""Near-duplicate samples, found as D-GEX finds them (chen2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from exprml.base.errors import ParameterError

_ROWS = 500  # compared with all earlier ones at once


def near_duplicates(
    X: Any, *, n_clusters: int = 100, distance: float = 1.0, seed: int | None = None
) -> pd.DataFrame:
    """Return the samples that D-GEX drops as near-duplicates of earlier ones (chen2016, public code).

    Samples are clustered by mini-batch k-means; only pairs inside a cluster are compared. Of each pair closer
    than `distance` the later sample goes, whether or not the earlier one stays: three samples in a chain
    leave the first, though the third may be far from it.

    Parameters
    ----------
    X : array, shape (samples, genes or probes)
        Values on their own scale (the paper: log2 intensities, 4 to 15).
    n_clusters : int
        1 compares every pair: the full check, which takes the square of the samples.
    distance : float
        Euclidean, over all columns; strictly closer counts.
    seed : int or None
        None, as in the paper: another call may find other pairs. (The paper also shuffles the samples first,
        which changes nothing: the batches are drawn at random.)

    Returns
    -------
    DataFrame
        One row for each sample to drop, by position: row, partner (the earliest sample it is close to),
        distance, cluster.

    Raises
    ------
    ParameterError
        If there are more clusters than samples, or none.
    """
    X = np.asarray(X)
    if not 1 <= n_clusters <= len(X):
        raise ParameterError(f"n_clusters {n_clusters}: give 1 to {len(X)}, the number of samples")
    labels = np.zeros(len(X), dtype=int)
    if n_clusters > 1:
        from sklearn.cluster import MiniBatchKMeans

        settings = {"n_init": 3, "max_iter": 10, "batch_size": 1000, "compute_labels": False}
        means = MiniBatchKMeans(n_clusters, random_state=seed, **settings)
        labels = means.fit(X).predict(X)
    found = [
        _close_to_earlier(X, np.flatnonzero(labels == k), distance).assign(cluster=k) for k in set(labels)
    ]
    return pd.concat(found).sort_values("row", ignore_index=True)


def _close_to_earlier(X: np.ndarray, members: np.ndarray, distance: float) -> pd.DataFrame:
    """Return which of the members lie close to an earlier member, with the earliest such."""
    from sklearn.metrics import euclidean_distances

    found = []
    own = X if len(members) == len(X) else X[members]  # all samples at once are not copied
    for start in range(0, len(members), _ROWS):
        apart = euclidean_distances(own[start : start + _ROWS], own[: start + _ROWS])
        later, earlier = np.nonzero(np.tril(apart < distance, start - 1))
        rows = members[start + later]
        pairs = {"row": rows, "partner": members[earlier], "distance": apart[later, earlier]}
        found.append(pd.DataFrame(pairs).drop_duplicates("row"))
    return pd.concat(found)
