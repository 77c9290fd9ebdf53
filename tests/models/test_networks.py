"""The networks as estimators: architecture, inner split, the paper's slip, scikit-learn's checks."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from exprml.base.errors import DataError, ParameterError
from exprml.models.estimators import inner_split
from exprml.models.layers import build_network, initialise, layer_widths
from exprml.models.networks import NetworkClassifier, NetworkRegressor

# Rows of a batch are multiplied in another order when there are fewer of them: float32 differs by 2e-7,
# the check allows 1e-7.
EXPECTED_FAILURES = {
    "check_methods_subset_invariance": "float32 rounding depends on the batch (2e-7)",
    "check_class_weight_classifiers": "heil2022's weights or none",
}


@parametrize_with_checks(
    [NetworkClassifier(device="cpu"), NetworkRegressor(device="cpu")],
    expected_failed_checks=lambda model: EXPECTED_FAILURES if isinstance(model, NetworkClassifier) else {},
)
def test_scikit_learn(estimator, check):
    check(estimator)


def blobs(counts, d=8, distance=3.0, seed=0):
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(counts)), counts)
    X = random.normal(size=(len(codes), d)) + distance * np.eye(len(counts), d)[codes]
    return X.astype(np.float32), np.array(list("abcdefgh"))[codes]


def test_widths_are_rounded_down_as_in_the_paper():
    assert layer_widths(("1/2", "1/4"), 5000) == [2500, 1250]
    assert layer_widths(("1/2", "1/4"), 2502) == [1251, 625]
    assert layer_widths((30, "1/4"), 3) == [30, 1]


@pytest.mark.parametrize("width", ["a", 0, -3, None, "1/0"])
def test_a_bad_width_is_named(width):
    with pytest.raises(ParameterError, match="hidden width"):
        layer_widths((width,), 10)


def test_layers_are_in_the_papers_order():
    layers = build_network(10, [5], 2, batch_norm=True, dropout=0.5)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Dropout, nn.Linear]


def test_a_self_normalising_network_keeps_mean_and_variance():
    torch.manual_seed(0)
    network = build_network(400, [400] * 6, 3, activation="selu", dropout=0.05)
    initialise(network, "lecun-normal")
    assert sum(isinstance(one, nn.AlphaDropout) for one in network) == 6
    inside = network[:-1](torch.randn(2000, 400))  # in training, with dropout
    assert float(inside.detach().mean()) == pytest.approx(0, abs=0.1)
    assert float(inside.detach().var()) == pytest.approx(1, abs=0.2)


def test_glorot_bounds_and_a_small_output_layer():
    network = build_network(40, [60], 500)
    initialise(network, "glorot-uniform", output_bound=1e-4)
    assert 0.9 * 0.06**0.5 < network[0].weight.abs().max().item() <= 0.06**0.5  # sqrt(6 / 100)
    assert 0.9e-4 < network[-1].weight.abs().max().item() <= 1e-4
    assert not network[0].bias.any()


def test_inner_split_adds_groups_until_more_than_four_fifths():
    groups = np.repeat(np.arange(10), 10)
    rows, held = inner_split(groups, 0.2, seed=1)
    # 80 of 100 samples are not more than 80 %: a ninth group comes in
    assert (len(rows), len(held)) == (90, 10)
    assert not set(groups[rows]) & set(groups[held])
    assert sorted([*rows, *held]) == list(range(100))


def test_inner_split_is_seeded():
    groups = np.arange(50)
    assert np.array_equal(inner_split(groups, 0.2, 1)[1], inner_split(groups, 0.2, 1)[1])
    assert not np.array_equal(inner_split(groups, 0.2, 1)[1], inner_split(groups, 0.2, 2)[1])


def test_holdout_may_be_empty_then_the_last_epoch_is_used():
    X, y = blobs([30, 30])
    groups = np.repeat([0, 1], [10, 50])
    seed = next(s for s in range(20) if not len(inner_split(groups, 0.2, s)[1]))
    model = NetworkClassifier(epochs=3, random_state=seed, device="cpu").fit(X, y, groups=groups)
    assert len(model.holdout_rows_) == 0
    assert model.best_epoch_ == 3


def test_class_weights_are_one_over_count_plus_one(monkeypatch):
    told = {}
    monkeypatch.setattr(NetworkClassifier, "_fit_module", lambda *_, **options: told.update(options))
    NetworkClassifier(device="cpu").fit(np.eye(4), np.array(list("aaab")))
    assert told["class_weights"] == pytest.approx([1 / 4, 1 / 2])


def test_weights_raise_the_recall_of_a_rare_class():
    X, y = blobs([190, 10], d=2, distance=1.0)
    plain, weighted = (
        NetworkClassifier(
            hidden=(), class_weight=how, learning_rate=0.05, holdout=None, random_state=0, device="cpu"
        ).fit(X, y)
        for how in (None, "inverse")
    )
    rare = y == "b"
    assert (weighted.predict(X[rare]) == "b").mean() > (plain.predict(X[rare]) == "b").mean() + 0.3


def test_refit_equals_fixed_when_every_part_has_every_class():
    X, y = blobs([50, 50])
    options = {"epochs": 3, "random_state": 0, "device": "cpu"}
    fixed = NetworkClassifier(inner_labels="fixed", **options).fit(X, y)
    refit = NetworkClassifier(inner_labels="refit", **options).fit(X, y)
    assert np.array_equal(fixed.decision_function(X), refit.decision_function(X))


def test_refitted_codes_shift_when_a_class_is_missing_from_the_training_part():
    """heil2022, public code."""
    X, y = blobs([40, 5, 40], distance=8.0)
    groups = np.where(y == "b", 1000, np.arange(len(y)))
    options = {"hidden": (), "epochs": 40, "learning_rate": 0.05, "device": "cpu"}
    seed = next(s for s in range(200) if "b" not in y[inner_split(groups, 0.2, s)[0]])
    refit = NetworkClassifier(inner_labels="refit", random_state=seed, **options).fit(X, y, groups)
    fixed = NetworkClassifier(inner_labels="fixed", random_state=seed, **options).fit(X, y, groups)
    assert (refit.predict(X[y == "c"]) == "b").mean() > 0.9  # code 1 now stands for the third class
    assert (fixed.predict(X[y == "c"]) == "c").mean() > 0.9


def test_uncentred_inputs_break_the_papers_logistic_regression():
    """heil2022, public code: six sigma apart in many features, yet far below 1; standardised 1.000."""
    random = np.random.default_rng(42)
    y = np.repeat(["blue", "red"], 400)
    X = (random.normal(size=(800, 1000)) + 6 * (y == "red")[:, None]).astype(np.float32)
    order = random.permutation(800)
    train, test = order[:640], order[640:]
    network = NetworkClassifier(
        hidden=(), batch_size=16, epochs=50, clip_norm=0.01, patience=7,
        early_stopping="cumulative", random_state=42, device="cpu",
    )  # fmt: skip
    scores = []
    for model in (network, make_pipeline(StandardScaler(), network)):
        model.fit(X[train], y[train])
        scores.append(balanced_accuracy_score(y[test], model.predict(X[test])))
    assert 0.5 < scores[0] < 0.9
    assert scores[1] == 1.0


def test_same_seed_same_bytes_and_a_clone_forgets():
    X, y = blobs([40, 40])
    model = NetworkClassifier(dropout=0.5, random_state=7, epochs=3, device="cpu")
    first, second = clone(model).fit(X, y).predict_proba(X), clone(model).fit(X, y).predict_proba(X)
    assert first.tobytes() == second.tobytes()
    assert not hasattr(clone(model.fit(X, y)), "classes_")


def test_labels_outside_the_training_data_can_be_announced():
    X, y = blobs([30, 30])
    model = NetworkClassifier(classes=("a", "b", "z"), epochs=2, random_state=0, device="cpu").fit(X, y)
    assert model.predict_proba(X).shape == (60, 3)
    with pytest.raises(DataError, match="'b'"):
        NetworkClassifier(classes=("a", "z")).fit(X, y)


def test_nan_is_counted_and_placed():
    X, y = blobs([10, 10])
    X[3, 5] = X[7, 1] = np.nan
    with pytest.raises(DataError, match=r"2 NaN.*sample 3, feature 5"):
        NetworkClassifier().fit(X, y)


def test_a_single_class_is_named():
    with pytest.raises(DataError, match="one class only, 'a'"):
        NetworkClassifier().fit(np.eye(4), ["a"] * 4)


def test_one_group_is_too_few_and_lengths_must_agree():
    X, y = blobs([5, 5])
    with pytest.raises(DataError, match="one group, 'donor'"):
        NetworkClassifier().fit(X, y, groups=["donor"] * 10)
    with pytest.raises(DataError, match=r"\(3,\).*10 samples"):
        NetworkClassifier().fit(X, y, groups=[1, 2, 3])


def test_five_hundred_targets_at_once():
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 20)).astype(np.float32)
    Y = (np.tanh(X @ random.normal(size=(20, 500)) / 5)).astype(np.float32)
    model = NetworkRegressor(
        hidden=(200,), activation="tanh", reduction="sum-over-outputs", optimizer="sgd", momentum=0.5,
        learning_rate=1e-3, layer_rates=(1, 3), initialisation="glorot-uniform", output_bound=1e-4,
        schedule="reduce-when-worse", schedule_floor=1e-5, validation_loss="absolute", batch_size=50,
        epochs=60, early_stopping="none", random_state=1, device="cpu",
    ).fit(X[:300], Y[:300])  # fmt: skip
    predicted = model.predict(X[300:])
    assert predicted.shape == (100, 500)
    assert np.abs(predicted - Y[300:]).mean() < 0.5 * np.abs(Y[300:]).mean()


def test_a_standardising_network_does_not_see_the_unit_of_its_inputs():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 5)).astype(np.float32)
    y = np.where(X[:, 0] + X[:, 1] > 0, "a", "b")
    units = np.array([1, 16, 4, 0.25, 2], dtype=np.float32)  # powers of two lose no digit
    moved = X * units + 8 * units
    options = {"epochs": 5, "random_state": 0}
    given = [NetworkClassifier(standardise=True, **options).fit(one, y) for one in (X, moved)]
    proba = [net.predict_proba(one) for net, one in zip(given, (X, moved), strict=True)]
    np.testing.assert_allclose(*proba, atol=1e-3)
    plain = [NetworkClassifier(**options).fit(one, y).predict_proba(one) for one in (X, moved)]
    assert np.abs(plain[0] - plain[1]).max() > 0.1


def test_statistics_are_of_the_rows_trained_on_and_rounding_is_no_spread():
    X = np.random.default_rng(0).normal(5, 2, size=(40, 3)).astype(np.float32)
    X[:, 1] = 7 + np.where(np.arange(40) % 2, 1e-6, 0)
    net = NetworkClassifier(standardise=True, epochs=1, random_state=0).fit(X, np.arange(40) % 2)
    rows = X[net.training_rows_]
    np.testing.assert_allclose(net.module_[0].mean, rows.mean(axis=0), rtol=1e-5)
    assert net.module_[0].spread[1] == 1.0
    np.testing.assert_allclose(net.module_[0].spread[0], rows[:, 0].std(), rtol=1e-5)


def test_a_network_begun_from_another_keeps_its_standardisation():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, 4)), np.arange(60) % 2
    first = NetworkClassifier(standardise=True, epochs=1, random_state=0).fit(X, y)
    second = NetworkClassifier(standardise=True, epochs=1, random_state=0).fit(X + 9, y, start_from=first)
    np.testing.assert_array_equal(second.module_[0].mean, first.module_[0].mean)


def mirrored():
    """Return few samples of many features whose classes differ by spread alone, their means made equal."""
    rng = np.random.default_rng(0)
    y = np.repeat(["blue", "red"], 120)
    X = rng.normal(size=(240, 400)) * np.where(y == "red", 3.0, 1.0)[:, None]
    means = np.stack([X[y == label].mean(axis=0) for label in ("blue", "red")])
    return X - means[(y == "red").astype(int)], y


def test_after_removal_held_out_samples_mirror_the_others_unless_removed_apart():
    X, y = mirrored()
    X[:, 0] += np.linspace(0, 1, 240)  # a level of its own for each sample does not count
    seen = {}

    class Seen(NetworkClassifier):
        def _fit_module(self, X, codes, *given, **options):
            seen[self.inner_removal] = [
                np.ptp([X[rows][codes[rows] == code].mean(axis=0) for code in (0, 1)], axis=0)[1:].max()
                for rows in (self.training_rows_, self.holdout_rows_)
            ]
            super()._fit_module(X, codes, *given, **options)

    for way in ("joint", "apart"):
        Seen(hidden=(20,), epochs=1, inner_removal=way, random_state=0).fit(
            X, y, removed_within=np.zeros(240)
        )
    assert min(seen["joint"]) > 0.1
    assert max(seen["apart"]) < 1e-5


def test_signal_is_made_equal_within_each_level_and_only_where_it_was_removed():
    X, y = mirrored()
    levels = np.tile(["one", "two"], 120)
    options = {"hidden": (5,), "epochs": 2, "random_state": 0}
    apart = NetworkClassifier(inner_removal="apart", **options)
    kept = clone(apart).fit(X, y).decision_function(X)
    np.testing.assert_array_equal(kept, NetworkClassifier(**options).fit(X, y).decision_function(X))
    shifted = X + (levels == "two")[:, None] * 5.0
    one = clone(apart).fit(shifted, y, removed_within=levels).decision_function(shifted)
    assert not np.allclose(
        one, clone(apart).fit(shifted, y, removed_within=np.zeros(240)).decision_function(shifted)
    )


def test_an_unknown_way_of_removal_is_named():
    X, y = mirrored()
    with pytest.raises(ParameterError, match="inner_removal"):
        NetworkClassifier(inner_removal="both").fit(X, y)
