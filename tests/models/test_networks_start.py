"""Beginning with the weights of a fitted network: what is taken over, what is drawn, what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from exprml.base.errors import DataError, ParameterError
from exprml.models.layers import build_network, copy_weights
from exprml.models.networks import NetworkClassifier, NetworkRegressor

STILL = {"learning_rate": 1e-30, "weight_decay": 0.0, "holdout": None, "epochs": 1}  # moves no float32 weight


def blobs(counts, d=8, distance=2.0, seed=0):
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(counts)), counts)
    X = random.normal(size=(len(codes), d)) + distance * np.eye(len(counts), d)[codes]
    return X.astype(np.float32), np.array(list("abcdefgh"))[codes]


def network(**changes):
    return NetworkClassifier(
        **{"hidden": (6, 4), "epochs": 4, "random_state": 3, "batch_size": 16, "device": "cpu"} | changes
    )


def weights(model):
    return [value.numpy().copy() for value in model.module_.state_dict().values()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


X, Y = blobs([40, 40, 40])
X_NEW, Y_NEW = blobs([30, 30, 30], seed=1)
FITTED = network().fit(X, Y)


def test_the_same_seed_and_shape_begin_with_the_same_weights_whatever_the_data():
    one, other = network(**STILL).fit(X, Y), network(**STILL).fit(10 * X_NEW, Y_NEW)
    assert same(weights(one), weights(other))
    assert not same(weights(one), weights(network(**STILL, random_state=4).fit(X, Y)))


def test_a_network_that_goes_on_without_learning_predicts_as_the_one_before():
    before, kept = FITTED.predict_proba(X_NEW), weights(FITTED)
    after = network(**STILL).fit(X_NEW, Y_NEW, start_from=FITTED)
    assert after.predict_proba(X_NEW).tobytes() == before.tobytes()
    assert not np.array_equal(network(**STILL).fit(X_NEW, Y_NEW).predict_proba(X_NEW), before)
    network(learning_rate=0.1).fit(X_NEW, Y_NEW, start_from=FITTED)
    assert same(weights(FITTED), kept)  # what was begun with stays as it is


def test_going_on_gives_the_same_bytes_for_the_same_seed():
    one, two = (network(dropout=0.3).fit(X_NEW, Y_NEW, start_from=FITTED) for _ in range(2))
    assert one.predict_proba(X).tobytes() == two.predict_proba(X).tobytes()
    assert not same(weights(one), weights(FITTED))


def test_the_optimiser_begins_afresh():
    """Two epochs from the weights after two are not the last two of four: Adam's means start at zero."""
    options = {"holdout": None, "batch_size": 200}  # one batch: its order does not matter
    whole = network(**options, epochs=4).fit(X, Y)
    half = network(**options, epochs=2).fit(X, Y)
    second = network(**options, epochs=2).fit(X, Y, start_from=half)
    assert not same(weights(second), weights(whole))
    step = network(**options, epochs=1, learning_rate=0.01).fit(X, Y, start_from=half)
    moved = [np.abs(a - b).max() for a, b in zip(weights(step), weights(half), strict=True)]
    assert moved == pytest.approx([0.01] * len(moved), rel=1e-2)  # Adam's first step


def test_batch_normalisation_hands_on_its_running_means_and_dropout_may_differ():
    given = network(batch_norm=True, dropout=0.5).fit(X, Y)
    module = build_network(8, [6, 4], 3, batch_norm=True)
    copy_weights(module, given.module_)
    means = [layer.running_mean for layer in given.module_ if isinstance(layer, nn.BatchNorm1d)]
    taken = [layer.running_mean for layer in module if isinstance(layer, nn.BatchNorm1d)]
    assert same([one.numpy() for one in means], [one.numpy() for one in taken])
    rows = torch.as_tensor(X)
    assert torch.equal(module.eval()(rows), given.module_.eval()(rows))


def test_missing_classes_keep_their_outputs_and_foreign_ones_are_named():
    some = Y_NEW != "b"
    assert list(network().fit(X_NEW[some], Y_NEW[some], start_from=FITTED).classes_) == list("abc")
    foreign = np.where(Y_NEW == "b", "q", Y_NEW)
    with pytest.raises(DataError, match=r"'q'.*classes of start_from"):
        network().fit(X_NEW, foreign, start_from=FITTED)
    with pytest.raises(ParameterError, match=r"'a', 'b', 'c', 'd'.*not those of start_from"):
        network(classes=("a", "b", "c", "d")).fit(X_NEW, Y_NEW, start_from=FITTED)


@pytest.mark.parametrize("changes", [{"hidden": (5, 4)}, {"hidden": (6,)}, {"batch_norm": True}])
def test_other_layers_are_refused(changes):
    with pytest.raises(
        ParameterError, match="hidden, batch_norm and the numbers of features and outputs must agree"
    ):
        network(**changes).fit(X_NEW, Y_NEW, start_from=FITTED)


def test_another_number_of_features_is_refused():
    with pytest.raises(ParameterError, match=r"\(6, 8\).*\(6, 7\)"):
        network().fit(X_NEW[:, :7], Y_NEW, start_from=FITTED)


def test_weights_that_would_mean_something_else_are_refused():
    with pytest.raises(ParameterError, match="activation is 'tanh', but start_from was trained with"):
        network(activation="tanh").fit(X_NEW, Y_NEW, start_from=FITTED)


def test_only_a_fitted_network_can_be_begun_with():
    for wrong in (network(), object()):
        with pytest.raises(ParameterError, match="start_from must be a fitted network"):
            network().fit(X_NEW, Y_NEW, start_from=wrong)


def test_a_regressor_goes_on_too():
    options = {"hidden": (6,), "random_state": 3, "device": "cpu", "epochs": 3}
    given = NetworkRegressor(**options).fit(X, X[:, :2])
    after = NetworkRegressor(**options | STILL).fit(X_NEW, X_NEW[:, :2], start_from=given)
    assert after.predict(X).tobytes() == given.predict(X).tobytes()
    with pytest.raises(ParameterError, match="numbers of features and outputs"):
        NetworkRegressor(**options).fit(X_NEW, X_NEW[:, :5], start_from=given)
