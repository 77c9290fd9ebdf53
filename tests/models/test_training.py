"""The training loop: what is minimised, what is kept, what is reproducible."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from exprml.base.errors import ParameterError, UnknownNameError
from exprml.models import optimizers
from exprml.models.settings import TrainingSettings, resolve_device
from exprml.models.training import error_sums, fit_network

QUIET = {"device": "cpu"}


def linear(n_inputs=3, n_outputs=2):
    module = nn.Linear(n_inputs, n_outputs)
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    return module


def test_weighted_cross_entropy_by_hand():
    # logits 0: every sample costs log 2; weights 1, 3, 3
    outputs, targets = torch.zeros(3, 2), torch.tensor([0, 1, 1])
    total, count = error_sums("cross-entropy", "mean", outputs, targets, torch.tensor([1.0, 3.0]))
    assert total.item() == pytest.approx(7 * np.log(2))
    assert count.item() == 7


def test_reductions_by_hand():
    outputs, targets = torch.zeros(2, 3), torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
    assert error_sums("squared", "sum-over-outputs", outputs, targets) == (14, 2)
    assert error_sums("squared", "mean", outputs, targets) == (14, 6)
    assert error_sums("absolute", "mean", outputs, targets) == (6, 6)


def one_step(**settings):
    """Return the weights after one plain gradient step from zero on all six samples."""
    X = np.arange(18, dtype=np.float32).reshape(6, 3) / 10
    y = np.stack([X.sum(1), -X.sum(1)], axis=1)
    module = linear()
    options = {"loss": "squared", "optimizer": "sgd", "batch_size": 6, "epochs": 1, **QUIET}
    fit_network(module, X, y, settings=TrainingSettings(**options | settings))
    return module.weight.detach()


def test_sum_over_outputs_steps_further_by_the_number_of_outputs():
    torch.testing.assert_close(one_step(reduction="sum-over-outputs"), 2 * one_step(reduction="mean"))


def test_clipping_bounds_the_step():
    step = one_step(clip_norm=0.01, learning_rate=1.0)
    assert step.norm().item() <= 0.01
    assert one_step(learning_rate=1.0).norm().item() > 0.1


def test_layer_rates_scale_the_step_of_that_layer():
    torch.testing.assert_close(one_step(layer_rates=(3,)), 3 * one_step())


def make_data(n=90, d=6, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d)).astype(np.float32)
    return X, (X[:, 0] + 0.5 * random.normal(size=n) > 0).astype(int)


def trained(seed=3, **settings):
    X, y = make_data()
    torch.manual_seed(5)
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 2))
    options = TrainingSettings(**QUIET | {"epochs": 4, "batch_size": 16} | settings)
    record = fit_network(
        module, X, y, settings=options, rows=np.arange(60), validation=np.arange(60, 90), seed=seed
    )
    return module, record


def state_bytes(module):
    return b"".join(value.numpy().tobytes() for value in module.state_dict().values())


def test_same_seed_same_bytes():
    assert state_bytes(trained()[0]) == state_bytes(trained()[0])
    assert state_bytes(trained(seed=3)[0]) != state_bytes(trained(seed=4)[0])


def test_the_callers_random_state_is_left_alone():
    X, y = make_data()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    module = nn.Sequential(nn.Dropout(0.5), linear(6))
    torch.manual_seed(1)
    fit_network(module, X, y, settings=TrainingSettings(epochs=2, **QUIET))
    assert torch.equal(torch.rand(3), expected)


def test_the_best_state_comes_back():
    states = {}
    X, y = make_data()
    torch.manual_seed(5)
    module = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 2))
    record = fit_network(
        module,
        X[:40],
        y[:40],
        settings=TrainingSettings(
            epochs=30, batch_size=8, learning_rate=0.05, early_stopping="none", **QUIET
        ),
        validation=(X[40:], y[40:]),
        on_epoch=lambda epoch, now: states.setdefault(epoch, state_bytes(now)),
    )
    losses = record.history["validation_loss"]
    assert record.best_epoch == losses.idxmin() + 1 < record.n_epochs == 30
    assert state_bytes(module) == states[record.best_epoch]
    assert record.still_improving == 0.0


def test_a_network_that_was_best_at_its_last_look_was_still_improving():
    X, y = make_data()
    settings = TrainingSettings(epochs=5, validate_every=2, learning_rate=1e-3, **QUIET)
    record = fit_network(linear(6), X[:40], y[:40], settings=settings, validation=(X[40:], y[40:]))
    assert (record.best_epoch, record.n_epochs) == (4, 5)
    assert record.still_improving == 1.0


def test_an_empty_holdout_keeps_the_last_epoch():
    X, y = make_data()
    module = linear(6)
    record = fit_network(module, X, y, settings=TrainingSettings(epochs=3, **QUIET), validation=np.arange(0))
    assert record.best_epoch == record.n_epochs == 3
    assert record.history["validation_loss"].isna().all()
    assert np.isnan(record.still_improving)


def test_cumulative_watches_the_unweighted_sum_and_consecutive_the_weighted_mean():
    X, y = make_data()
    weights = np.array([1.0, 9.0], dtype=np.float32)
    values = {}
    for mode in ("cumulative", "consecutive"):
        module = linear(6)
        settings = TrainingSettings(
            epochs=1, early_stopping=mode, learning_rate=0.1, optimizer="sgd", batch_size=90, **QUIET
        )
        record = fit_network(module, X, y, settings=settings, validation=(X, y), class_weights=weights)
        with torch.no_grad():
            costs = nn.functional.cross_entropy(
                module(torch.tensor(X)), torch.tensor(y), reduction="none"
            ).numpy()
        values[mode] = record.history["validation_loss"][0], costs
    loss, costs = values["cumulative"]
    assert loss == pytest.approx(costs.sum(), rel=1e-5)
    loss, costs = values["consecutive"]
    assert loss == pytest.approx(np.average(costs, weights=weights[y]), rel=1e-5)


def test_a_last_batch_of_one_is_skipped():
    X, y = make_data(n=17)
    seen = []

    class Watch(nn.Linear):
        def forward(self, inputs):
            seen.append(len(inputs))
            return super().forward(inputs)

    fit_network(Watch(6, 2), X, y, settings=TrainingSettings(epochs=2, batch_size=16, **QUIET))
    assert seen == [16, 16]


def test_validate_every_looks_at_every_second_epoch():
    history = trained(validate_every=2)[1].history
    assert history["validation_loss"].notna().tolist() == [False, True, False, True]


def test_divergence_warns_and_names_the_rate():
    X, y = make_data()
    settings = TrainingSettings(loss="squared", optimizer="sgd", learning_rate=1e6, epochs=20, **QUIET)
    with pytest.warns(ConvergenceWarning, match=r"smaller learning_rate than 1e\+06"):
        record = fit_network(linear(6, 1), X, y[:, None], settings=settings)
    assert record.n_epochs < 20


def test_a_fit_that_never_was_finite_keeps_its_first_weights():
    X, y = make_data()
    settings = TrainingSettings(loss="squared", optimizer="sgd", learning_rate=1e30, epochs=5, **QUIET)
    module = linear(6, 1)
    first = [one.detach().clone() for one in module.parameters()]
    with pytest.warns(ConvergenceWarning):
        record = fit_network(
            module, X, y[:, None], settings=settings, validation=np.arange(10), keep_first=True
        )
    assert record.best_epoch == 0
    for weights, drawn in zip(module.parameters(), first, strict=True):
        torch.testing.assert_close(weights, drawn, rtol=0, atol=0)


def test_a_fit_that_never_was_finite_shows_it_unless_told_otherwise():
    X, y = make_data()
    settings = TrainingSettings(loss="squared", optimizer="sgd", learning_rate=1e30, epochs=5, **QUIET)
    module = linear(6, 1)
    with pytest.warns(ConvergenceWarning):
        record = fit_network(module, X, y[:, None], settings=settings, validation=np.arange(10))
    assert record.best_epoch == record.n_epochs
    assert not all(torch.isfinite(one).all() for one in module.parameters())


def test_wrong_device_is_named():
    with pytest.raises(ParameterError, match="'gpu'"):
        resolve_device("gpu")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("batch_size", 0), ("epochs", 2.5), ("learning_rate", -1.0), ("clip_norm", 0.0)],
)
def test_unusable_settings_are_named(setting, value):
    X, y = make_data()
    with pytest.raises(ParameterError, match=setting):
        fit_network(linear(6), X, y, settings=TrainingSettings(**{setting: value}, **QUIET))


def test_an_unknown_word_among_the_settings_names_the_nearest():
    X, y = make_data()
    with pytest.raises(UnknownNameError, match="early_stopping 'consecutiv': did you mean 'consecutive'"):
        fit_network(linear(6), X, y, settings=TrainingSettings(early_stopping="consecutiv", **QUIET))


@pytest.mark.slow
def test_training_does_not_import_the_compiler():
    # three seconds at the start of every notebook
    code = (
        "import sys, numpy as np; from exprml.models.networks import NetworkClassifier as N;"
        "N(epochs=1).fit(np.eye(8), np.arange(8) % 2); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_wide_layers_end_with_the_same_weights(monkeypatch):
    X, y = make_data()
    flats = []
    for wide in (10**9, 1):
        monkeypatch.setattr(optimizers, "WIDE", wide)
        torch.manual_seed(5)
        module = nn.Sequential(
            nn.Linear(6, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 2)
        )
        settings = TrainingSettings(epochs=4, batch_size=16, clip_norm=0.1, weight_decay=0.01, **QUIET)
        fit_network(module, X, y, settings=settings)
        assert not any("forward" in vars(layer) for layer in module)  # nothing of the training stays behind
        flats.append(nn.utils.parameters_to_vector(module.parameters()))
    torch.testing.assert_close(*flats, rtol=1e-4, atol=1e-6)
    assert not torch.equal(*flats)
