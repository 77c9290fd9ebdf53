"""A partition that caps what each cluster of samples gives to training (bhukya2021)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from exprml.base.errors import ParameterError


class CappedParts(NamedTuple):
    """Rows to train on, to validate on and to test on, each ascending; the cluster of every sample."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    cluster: np.ndarray


def cluster_capped_parts(
    X: Any, *, n_clusters: int = 20, training_cap: int = 4500, validation_cap: int = 700, seed: int = 0
) -> CappedParts:
    """Cluster the samples; of each cluster some train, some validate, the rest test (bhukya2021, 3.1).

    Only clusters larger than both caps together give test samples, so the test set holds the common kinds of
    sample alone; and members of one cluster stand on all sides.

    Parameters
    ----------
    X : array, shape (samples, genes)
        Values as they are clustered.
    n_clusters, training_cap, validation_cap : int
        As printed in the paper.
    seed : int
        Starts the clustering and draws the samples. Neither algorithm nor seed is stated in the paper; ours
        is mini-batch k-means with scikit-learn's defaults.

    Raises
    ------
    ParameterError
        If there are fewer samples than clusters, a cap is below 1, or nothing is left to test on.
    """
    from sklearn.cluster import MiniBatchKMeans

    X = np.asarray(X)
    if not 1 <= n_clusters <= len(X):
        raise ParameterError(f"n_clusters {n_clusters}: give 1 to {len(X)}, the number of samples")
    if min(training_cap, validation_cap) < 1:
        raise ParameterError(f"caps {training_cap} and {validation_cap}: both must be at least 1")
    cluster = MiniBatchKMeans(n_clusters, n_init=3, random_state=seed).fit_predict(X)
    order = np.random.default_rng(seed).permutation(len(X))
    order = order[np.argsort(cluster[order], kind="stable")]
    sizes = np.bincount(cluster, minlength=n_clusters)
    place = np.arange(len(X)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    part = np.digitize(place, [training_cap, training_cap + validation_cap])
    rows = [np.sort(order[part == one]) for one in range(3)]
    if not len(rows[2]):
        raise ParameterError(
            f"no cluster has more than {training_cap} + {validation_cap} samples (the largest: "
            f"{sizes.max()}), so nothing is left to test on: lower the caps"
        )
    return CappedParts(*rows, cluster)
