"""D-GEX's training: one epoch by hand in numpy, its schedule and choice of the epoch, given data watched."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from exprml.base.errors import DataError
from exprml.models import optimizers, presets, training

QUIET = {"device": "cpu"}


def make_data(n=130, d=6, n_targets=5, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d)).astype(np.float32)
    Y = np.tanh(X @ random.normal(size=(d, n_targets))) + random.normal(0, 0.3, size=(n, n_targets))
    return X, Y.astype(np.float32)


def net(**changes):
    small = {"hidden": (7, 6), "epochs": 8, "batch_size": 10, "learning_rate": 3e-3, "dropout": 0.0}
    return presets.make("chen2016/d-gex-2", **QUIET | small | changes)


def first_weights(**changes):
    """Return weights and biases before training: a fit with a rate too small to change a float32."""
    X, Y = make_data()
    model = net(learning_rate=1e-30, schedule="none", epochs=1, holdout=None, **changes).fit(X, Y)
    return [one.detach().double().numpy() for one in model.module_.parameters()]


def by_hand(X, Y, batches, rate, momentum=0.5):
    """Return parameters after one epoch, as chen2016 defines it, in float64."""
    parameters = first_weights()
    rates = [rate, rate, 3 * rate, rate, 3 * rate, rate]  # weight, bias of three layers: x3 on upper weights
    velocity = [np.zeros_like(one) for one in parameters]
    for rows in batches:
        W1, b1, W2, b2, W3, b3 = parameters
        h1 = np.tanh(X[rows] @ W1.T + b1)
        h2 = np.tanh(h1 @ W2.T + b2)
        e3 = (
            2 * (h2 @ W3.T + b3 - Y[rows]) / len(rows)
        )  # summed over targets, averaged over the batch, no 1/2
        e2 = e3 @ W3 * (1 - h2**2)
        e1 = e2 @ W2 * (1 - h1**2)
        gradients = [e1.T @ X[rows], e1.sum(0), e2.T @ h1, e2.sum(0), e3.T @ h2, e3.sum(0)]
        velocity = [momentum * v + g for v, g in zip(velocity, gradients, strict=True)]
        parameters = [p - r * v for p, r, v in zip(parameters, rates, velocity, strict=True)]
    return parameters


@pytest.mark.parametrize("wide", [10**9, 1])
def test_an_epoch_equals_numpy(monkeypatch, wide):
    monkeypatch.setattr(optimizers, "WIDE", wide)
    X, Y = make_data()
    order = np.random.default_rng(0).permutation(130).reshape(13, 10)
    monkeypatch.setattr("torch.randperm", lambda n, generator=None: torch.as_tensor(order.ravel()[:n]))
    model = net(epochs=1, holdout=None).fit(X, Y)
    expected = by_hand(X.astype(float), Y.astype(float), order, rate=3e-3)
    for found, wanted, first in zip(model.module_.parameters(), expected, first_weights(), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-4, atol=1e-6)
        assert not np.allclose(first, wanted, atol=1e-5)


def test_first_weights():
    W1, b1, W2, b2, W3, b3 = first_weights(hidden=(200, 100))
    for weight in (W1, W2):
        bound = np.sqrt(6 / sum(weight.shape))
        assert 0.97 * bound < np.abs(weight).max() <= bound * (1 + 1e-6)
    assert 0.95e-4 < np.abs(W3).max() <= 1e-4 * (1 + 1e-6)
    assert max(np.abs(bias).max() for bias in (b1, b2, b3)) < 1e-25  # 0 but for that step


def test_validation_chooses_the_epoch_by_absolute_error_and_is_not_trained_on():
    X, Y = make_data()
    model = net(epochs=60, learning_rate=1e-2).fit(X[:60], Y[:60], validation=(X[60:], Y[60:]))
    assert len(model.training_rows_) == 60
    errors = model.history_["validation_loss"]
    assert model.best_epoch_ == errors.idxmin() + 1 < 60  # it has overfitted by then
    assert np.abs(model.predict(X[60:]) - Y[60:]).mean() == pytest.approx(errors.min(), rel=1e-5)


def test_a_shifted_validation_set_does_not_change_the_weights_only_the_epoch():
    X, Y = make_data()
    one = net(epochs=3).fit(X[:60], Y[:60], validation=(X[60:], Y[60:]))
    other = net(epochs=3).fit(X[:60], Y[:60], validation=(X[60:], Y[60:] + 100))
    np.testing.assert_array_equal(one.history_["loss"], other.history_["loss"])


def test_watched_data_get_a_column_of_errors_and_decide_nothing():
    X, Y = make_data()
    parts = {"validation": (X[60:90], Y[60:90])}
    plain = net().fit(X[:60], Y[:60], **parts)
    watch = {"test": (X[90:], Y[90:]), "training": (X[:60], Y[:60])}
    model = net().fit(X[:60], Y[:60], **parts, watch=watch)
    assert list(model.history_)[-2:] == ["test", "training"]
    pd.testing.assert_frame_equal(model.history_.drop(columns=list(watch)), plain.history_)
    kept = model.history_.loc[model.best_epoch_ - 1]
    for name, rows in (("test", slice(90, None)), ("validation_loss", slice(60, 90))):  # all scaled alike
        assert kept[name] == pytest.approx(np.abs(model.predict(X[rows]) - Y[rows]).mean(), rel=1e-5)


def test_data_with_other_targets_are_refused():
    X, Y = make_data()
    with pytest.raises(DataError, match="validation has 30 samples and targets of shape"):
        net().fit(X, Y, validation=(X[:30], Y[:30, :4]))
    with pytest.raises(DataError, match="test has 30 samples and targets of shape"):
        net().fit(X, Y, watch={"test": (X[:30], Y[:29])})


def test_the_rate_falls_after_an_epoch_whose_training_error_rose_and_not_below_the_floor():
    X, Y = make_data()
    model = net(
        epochs=60, learning_rate=0.04, schedule_floor=0.03, schedule_rows=5000, holdout=None, momentum=0.0
    ).fit(X, Y, watch={"training": (X, Y)})
    error, rate = model.history_["training"].to_numpy(), model.history_["learning_rate"].to_numpy()
    for epoch in range(1, len(rate) - 1):
        expected = max(rate[epoch] * 0.9, 0.03) if error[epoch] > error[epoch - 1] else rate[epoch]
        assert rate[epoch + 1] == pytest.approx(expected)
    assert rate[-1] == 0.03 < rate[0]


def test_the_rate_is_set_by_the_same_few_training_rows_after_each_epoch(monkeypatch):
    seen, evaluate = [], training._Run.evaluate
    monkeypatch.setattr(
        training._Run, "evaluate", lambda run, *data: seen.append(data[2].tolist()) or evaluate(run, *data)
    )
    X, Y = make_data()
    net(epochs=3, schedule="reduce-when-worse", schedule_rows=7, holdout=None).fit(X, Y)
    assert [len(set(rows)) for rows in seen] == [7, 7, 7]
    assert seen[0] == seen[1] == seen[2]
    assert seen[0] != list(range(7))


def test_the_summed_loss_diverges_where_the_batch_mean_learns():
    X, Y = make_data(n=1000, d=60, n_targets=400)
    settings = {"batch_size": 200, "epochs": 10, "hidden": (200, 200), "learning_rate": 5e-4}
    learned = net(**settings).fit(X, Y).history_["loss"]
    assert learned.iloc[-1] < 0.85 * learned.iloc[0]
    slow = [
        net(**settings | {"reduction": kind, "learning_rate": 1e-9}) for kind in ("sum", "sum-over-outputs")
    ]
    per_row = [model.fit(X, Y).history_["loss"].iloc[0] for model in slow]
    assert per_row[0] == pytest.approx(per_row[1], rel=1e-3)  # in the history both are losses of a row
    with pytest.warns(ConvergenceWarning, match="the loss became inf"):
        net(**settings | {"reduction": "sum"}).fit(X, Y)


PUBLISHED = {  # metric of data/published: parameter of the preset
    "epochs": "epochs",
    "lr_decay_factor": "schedule_factor",
    "lr_min": "schedule_floor",
    "output_init_half_range": "output_bound",
    "batch_size": "batch_size",
    "momentum": "momentum",
    "lr_monitor_samples": "schedule_rows",
    "model_seed": "random_state",
}


RESULTS = Path(__file__).parents[2] / "data" / "published" / "results.csv"


def test_presets_are_the_published_configuration():
    table = pd.read_csv(RESULTS, dtype=str)
    paper = table[table["paper_key"] == "chen2016"].set_index("metric")["value"]
    for n_layers in (1, 2, 3):
        model = presets.make(f"chen2016/d-gex-{n_layers}")
        found = {metric: getattr(model, name) for metric, name in PUBLISHED.items()}
        assert found == {metric: float(paper[metric]) for metric in PUBLISHED}
        assert model.hidden == (9000,) * n_layers
        layers = "1_hidden_layer" if n_layers == 1 else "2_or_3_hidden_layers"
        assert model.learning_rate == float(paper[f"lr_init_{layers}"])
        assert model.layer_rates == (1, float(paper["upper_layer_lr_multiplier"]))
        assert str(model.dropout) in [f"{float(one):g}" for one in paper["dropout_options"].split(";")]


def test_the_rival_of_bhukya2021_is_d_gex_with_their_epochs():
    rival, original = (
        presets.make(f"{name}").get_params() for name in ("bhukya2021/d-gex", "chen2016/d-gex-3")
    )
    assert {name for name in rival if rival[name] != original[name]} == {"epochs"}
    assert rival["epochs"] == 250


def test_the_largest_nets_have_the_published_number_of_weights():
    table = pd.read_csv(RESULTS, dtype=str).set_index("metric")["value"]
    widths = [943, *presets.make("chen2016/d-gex-3").hidden, 4760]
    weights = 2 * sum((before + 1) * after for before, after in pairwise(widths))
    assert weights == pytest.approx(float(table["n_parameters_largest (both halves)"]), rel=2e-3)


def test_the_corrected_network_is_measured_as_the_published_one():
    ours, paper = presets.make("corrected/d-gex"), presets.make("chen2016/d-gex-1")
    for same in ("loss", "validation_loss", "holdout", "initialisation"):
        assert getattr(ours, same) == getattr(paper, same)
    assert (ours.batch_size, ours.early_stopping) == (32, "consecutive")
