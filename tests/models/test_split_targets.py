"""Targets in parts: the same as fitting each part by itself, with its own choice of the epoch."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from exprml.base.errors import DataError, ParameterError
from exprml.models import presets
from exprml.models.split_targets import SplitTargets


def make_data(n=120, d=8, n_targets=7, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d)).astype(np.float32)
    Y = np.tanh(X @ random.normal(size=(d, n_targets))) + random.normal(0, 0.3, size=(n, n_targets))
    return X, Y.astype(np.float32)


def network(**changes):
    settings = {"hidden": (12,), "epochs": 6, "batch_size": 10, "learning_rate": 5e-3, "device": "cpu"}
    return presets.make("chen2016/d-gex-1", **settings | changes)


def test_two_parts_equal_two_fits():
    X, Y = make_data()
    held, other = (X[80:100], Y[80:100]), {"test": (X[100:], Y[100:])}
    whole = SplitTargets(network(), 2).fit(X[:80], Y[:80], validation=held, watch=other)
    for number, part in enumerate([slice(0, 4), slice(4, 7)], start=1):
        alone = network().fit(
            X[:80],
            Y[:80, part],
            validation=(X[80:100], Y[80:100, part]),
            watch={"test": (X[100:], Y[100:, part])},
        )
        np.testing.assert_array_equal(whole.predict(X)[:, part], alone.predict(X))
        ours = whole.history_[whole.history_["part"] == number]
        np.testing.assert_array_equal(ours["test"], alone.history_["test"])


def test_each_part_chooses_its_own_epoch():
    X, Y = make_data()
    Y[:, 4:] = np.random.default_rng(1).normal(size=(120, 3))  # nothing to learn: the first epochs are best
    model = SplitTargets(network(epochs=30), 2).fit(X[:80], Y[:80], validation=(X[80:], Y[80:]))
    first, second = (one.best_epoch_ for one in model.estimators_)
    assert second < first


def test_groups_and_validation_go_to_those_who_take_them():
    X, Y = make_data()
    model = SplitTargets(LinearRegression(), 3).fit(X, Y, np.arange(120), validation=(X, Y))
    np.testing.assert_allclose(model.predict(X), LinearRegression().fit(X, Y).predict(X), atol=1e-5)
    assert clone(model).n_parts == 3


def test_one_part_is_the_estimator_itself():
    X, Y = make_data()
    np.testing.assert_array_equal(
        SplitTargets(network(), 1).fit(X, Y).predict(X), network().fit(X, Y).predict(X)
    )


def test_wrong_parts_and_targets_are_named():
    X, Y = make_data()
    with pytest.raises(DataError, match="7 targets cannot be cut into 8 parts"):
        SplitTargets(network(), 8).fit(X, Y)
    with pytest.raises(ParameterError, match="n_parts must be a whole number from 1 on, not 0"):
        SplitTargets(network(), 0).fit(X, Y)
    with pytest.raises(DataError, match="validation has 120 samples and targets of shape"):
        SplitTargets(network(), 2).fit(X, Y, validation=(X, Y[:, :5]))
