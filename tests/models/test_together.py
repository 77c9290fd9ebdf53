"""Networks trained together equal those trained alone."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning

from exprml.models import presets
from exprml.models.networks import NetworkClassifier
from exprml.models.stacked import _hash
from exprml.models.together import can_be_stacked, fit_together

random = np.random.default_rng(0)
Y = random.integers(0, 3, 300)
X = random.normal(size=(300, 40)).astype(np.float32)
X[np.arange(300), Y] += 1
DONORS = random.integers(0, 60, 300)
OTHER = X[:, ::-1].copy()  # as after a removal of signal: the same samples, other values
# rows, rate, weight decay, seed; sizes leave batches of every kind, also the single row that is skipped
PARTS = [
    (X, np.arange(290), 1e-3, 0.0, 1),
    (OTHER, np.arange(50, 300), 1e-3, 1e-3, 2),
    (X, np.arange(77), 1e-2, 0.0, 3),
    (X, random.permutation(300)[:81], 3e-3, 0.0, 1),
    (X, np.arange(100, 210), 1e-2, 0.0, 5),
]


def tasks(preset, parts=PARTS, **changes):
    common = {"dropout": 0.0, "epochs": 12, "device": "cpu", "progress": False} | changes
    return [
        (
            presets.make(preset, learning_rate=rate, weight_decay=decay, random_state=seed, **common),
            values,
            rows,
            Y[rows],
            DONORS[rows],
        )
        for values, rows, rate, decay, seed in parts
    ]


def alone(task):
    estimator, values, rows, labels, donors = task
    return clone(estimator).fit(values[rows], labels, donors)


def assert_same(found, expected):
    assert (found.n_epochs_, found.best_epoch_) == (expected.n_epochs_, expected.best_epoch_)
    # BatchNorm over a few rows multiplies rounding from epoch to epoch, on other processors differently
    np.testing.assert_allclose(found.history_, expected.history_, rtol=1e-3)
    np.testing.assert_allclose(found.decision_function(X), expected.decision_function(X), atol=1e-4)
    assert found.module_.state_dict().keys() == expected.module_.state_dict().keys()


@pytest.mark.parametrize(
    "preset", ["heil2022/logistic-regression", "heil2022/three-layer", "corrected/five-layer"]
)
@pytest.mark.parametrize("at_once", [2, None])
def test_same_networks_as_one_after_another(preset, at_once):
    given = tasks(preset, epochs=25)
    expected = [alone(task) for task in given]
    found = dict(fit_together(given, at_once=at_once))
    assert sorted(found) == list(range(len(given)))
    for number, (task, one) in enumerate(zip(given, expected, strict=True)):
        assert found[number] is task[0]
        assert_same(found[number], one)
    assert len({one.n_epochs_ for one in expected}) > 1  # they end at different times


@pytest.mark.parametrize("changes", [{"holdout": None}, {"validate_every": 2}, {"clip_norm": None}])
def test_same_networks_with_other_settings(changes):
    given = tasks("corrected/three-layer", PARTS[:3], epochs=3, **changes)
    expected = [alone(task) for task in given]
    for number, found in fit_together(given):
        assert_same(found, expected[number])


def test_what_cannot_be_stacked_is_fitted_alone():
    cosine = NetworkClassifier(schedule="cosine", epochs=2, random_state=0, device="cpu", progress=False)
    rows = np.arange(0, 300, 2)
    given = [(one, X, rows, Y[rows], DONORS[rows]) for one in (cosine, DummyClassifier())]
    assert not any(can_be_stacked(task[0]) for task in given)
    expected = alone(given[0]).predict(X)
    found = dict(fit_together(given))
    np.testing.assert_array_equal(found[0].predict(X), expected)
    assert found[1].predict(X).shape == (300,)


def test_networks_of_other_shape_get_a_stack_of_their_own():
    few = np.flatnonzero(Y < 2)[:90]  # a class less: another output layer
    given = [
        *tasks("corrected/three-layer", epochs=2),
        *tasks("corrected/three-layer", [(X, few, 1e-3, 0, 1)]),
    ]
    found = dict(fit_together(given))
    assert found[5].module_[-1].out_features == 2
    assert_same(found[5], alone(given[5]))


def test_with_dropout_a_fit_does_not_depend_on_its_company():
    given = tasks("heil2022/five-layer", dropout=0.5, epochs=3)
    together = dict(fit_together(given))
    for number, task in enumerate(tasks("heil2022/five-layer", dropout=0.5, epochs=3)):
        (_, single), *_ = fit_together([task])
        np.testing.assert_allclose(
            single.decision_function(X), together[number].decision_function(X), atol=1e-4
        )
    without = dict(fit_together(tasks("heil2022/five-layer", epochs=3)))
    assert abs(without[0].history_["loss"] - together[0].history_["loss"]).min() > 1e-3


def test_dropout_learns_as_well_as_alone():
    given = tasks("corrected/three-layer", [(X, np.arange(300), 3e-3, 0.0, seed) for seed in range(4)])
    given = [(task[0].set_params(dropout=0.5), *task[1:]) for task in given]
    expected = np.mean([alone(task).history_["validation_loss"].min() for task in given])
    found = np.mean([one.history_["validation_loss"].min() for _, one in fit_together(given)])
    assert found == pytest.approx(expected, rel=0.05)


def test_the_hash_is_even_and_its_bits_are_independent():
    drawn = _hash(torch.arange(200_000) + 123_456_789)
    bits = (drawn[:, None] >> torch.arange(32)) & 1
    assert abs(bits.double().mean(0) - 0.5).max() < 0.006  # five standard errors
    assert abs(torch.corrcoef(bits.double().T) - torch.eye(32)).max() < 0.012
    assert abs(torch.corrcoef(torch.stack([drawn[:-1], drawn[1:]]).double())[0, 1]) < 0.012


def test_divergence_warns_and_ends_that_fit_only():
    bad = tasks("corrected/three-layer", [(X, np.arange(200), 1e30, 0.0, 0)], clip_norm=None)
    given = [*bad, *tasks("corrected/three-layer", PARTS[:1], clip_norm=None)]
    expected = alone(given[1])
    with pytest.warns(ConvergenceWarning, match=r"smaller learning_rate than 1e\+30"):
        found = dict(fit_together(given))
    assert found[0].n_epochs_ < 12
    assert_same(found[1], expected)
