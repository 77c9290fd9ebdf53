"""The partition of bhukya2021: caps for each cluster, the rest to the test."""

import numpy as np
import pytest

from exprml.base.errors import ParameterError
from exprml.evaluation.splits import cluster_capped_parts


@pytest.fixture
def clouds():
    """Return 40 + 25 + 10 samples in three clouds far apart, shuffled, and the cloud of each."""
    generator = np.random.default_rng(0)
    cloud = generator.permutation(np.repeat([0, 1, 2], [40, 25, 10]))
    return cloud[:, None] * 100.0 + generator.normal(size=(75, 3)), cloud


def test_each_cluster_gives_up_to_its_caps_and_the_rest_tests(clouds):
    X, cloud = clouds
    parts = cluster_capped_parts(X, n_clusters=3, training_cap=20, validation_cap=8)
    counts = [[int((cloud[rows] == one).sum()) for one in range(3)] for rows in parts[:3]]
    assert counts == [[20, 20, 10], [8, 5, 0], [12, 0, 0]]
    assert np.array_equal(np.sort(np.concatenate(parts[:3])), np.arange(75))
    assert all(len(set(parts.cluster[cloud == one])) == 1 for one in range(3))


def test_the_seed_draws_the_samples(clouds):
    X, _ = clouds
    caps = {"n_clusters": 3, "training_cap": 20, "validation_cap": 8}
    first, again, other = (cluster_capped_parts(X, **caps, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_caps_that_leave_nothing_to_test_on_are_refused(clouds):
    X, _ = clouds
    with pytest.raises(ParameterError, match=r"4500 \+ 700 samples \(the largest: 40\).*lower the caps"):
        cluster_capped_parts(X, n_clusters=3)
    with pytest.raises(ParameterError, match="caps 0 and 700: both must be at least 1"):
        cluster_capped_parts(X, n_clusters=3, training_cap=0)
    with pytest.raises(ParameterError, match="n_clusters 76: give 1 to 75"):
        cluster_capped_parts(X, n_clusters=76)
