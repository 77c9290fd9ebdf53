"""R2 on training samples, and its adjustment for the number of features."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from exprml.base.errors import DataError
from exprml.evaluation.gene_errors import adjusted_r2, r2_by_least_squares


def make_data(n=60, p=7, n_targets=5, seed=0):
    random = np.random.default_rng(seed)
    features = random.normal(3, 2, size=(n, p))
    return features, features @ random.normal(size=(p, n_targets)) + random.normal(0, 5, size=(n, n_targets))


def test_as_scikit_learn_has_it():
    features, targets = make_data()
    predicted = LinearRegression().fit(features, targets).predict(features)
    expected = r2_score(targets, predicted, multioutput="raw_values")
    np.testing.assert_allclose(r2_by_least_squares(features, targets), expected)
    twice = np.hstack([features, features])  # nothing new in it
    np.testing.assert_allclose(r2_by_least_squares(twice, targets), expected)


def test_a_constant_target_has_none():
    features, targets = make_data()
    targets[:, 2] = 4
    assert np.isnan(r2_by_least_squares(features, targets)).tolist() == [False, False, True, False, False]


def test_adjusted_by_hand():
    # 11 samples, 4 features: 1 - 0.3 x 10 / 6
    assert adjusted_r2(np.array([0.7]), 11, 4) == pytest.approx([0.5])


def test_random_features_gain_nothing_once_adjusted_and_as_many_as_samples_explain_all():
    random = np.random.default_rng(0)
    targets = random.normal(size=(60, 2000))
    few, many = random.normal(size=(60, 40)), random.normal(size=(60, 60))
    r2 = r2_by_least_squares(few, targets)
    assert r2.mean() == pytest.approx(40 / 59, abs=0.01)
    assert adjusted_r2(r2, 60, 40).mean() == pytest.approx(0, abs=0.03)
    np.testing.assert_allclose(r2_by_least_squares(many, targets), 1)
    assert np.isnan(adjusted_r2(np.ones(3), 60, 59)).all()


def test_other_samples_are_refused():
    features, targets = make_data()
    with pytest.raises(DataError, match="features of 60 samples, targets of 59"):
        r2_by_least_squares(features, targets[:-1])
