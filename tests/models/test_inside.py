"""Hidden features and major weights, against networks and maps small enough to work out by hand."""

import numpy as np
import pytest

from exprml.base.errors import ParameterError
from exprml.models import presets
from exprml.models.inside import (
    hidden_features,
    hidden_units,
    layer_weights,
    major_weights,
    map_numbers,
    permuted_weights,
    untrained,
)


def fitted(**changes):
    random = np.random.default_rng(0)
    X = random.normal(2, 3, size=(80, 6)).astype(np.float32)
    Y = np.tanh(X @ random.normal(size=(6, 4)) / 5).astype(np.float32)
    settings = {"hidden": (9, 5), "epochs": 5, "batch_size": 10, "learning_rate": 1e-2, "device": "cpu"}
    return presets.make("chen2016/d-gex-2", **settings | changes).fit(X, Y), X


def test_the_output_layer_of_the_hidden_features_is_the_prediction():
    network, X = fitted()
    features = hidden_features(network, X)
    assert features.shape == (80, 5)
    assert np.abs(features).max() <= 1  # tanh, and no dropout scaled it
    out = layer_weights(network)[-1]
    bias = network.module_[-1].bias.detach().numpy()
    np.testing.assert_allclose(features @ out + bias, network.predict(X), atol=1e-5)


def test_untrained_has_the_first_weights_and_leaves_the_network_alone():
    network, X = fitted()
    before = network.predict(X)
    twin = untrained(network)
    first = layer_weights(fitted(epochs=1, learning_rate=1e-30, schedule="none")[0])
    for ours, wanted, trained in zip(layer_weights(twin), first, layer_weights(network), strict=True):
        np.testing.assert_allclose(ours, wanted, atol=1e-8)
        assert not np.allclose(ours, trained, atol=1e-3)
    np.testing.assert_array_equal(network.predict(X), before)


def test_a_network_without_hidden_layer_is_refused():
    network, X = fitted(hidden=())
    with pytest.raises(ParameterError, match="hidden=\\(\\)"):
        hidden_features(network, X)


def test_major_weights_stand_out_among_their_inputs_and_their_outputs_weights():
    into, out = np.zeros((2, 30)), np.zeros((30, 2))
    into[0, 3], into[1] = 7.0, np.tile([1.0, -1.0], 15)  # of the second input none stands out
    out[3, 1], out[4, 0] = -7.0, 100.0
    edges = major_weights(into, out)
    assert edges.to_numpy().tolist() == [[0, 0, 3, 7.0], [1, 3, 1, -7.0], [1, 4, 0, 100.0]]
    assert len(major_weights(into + 50, out - 50)) == 3  # from the mean, not from zero
    assert (
        len(major_weights(into, out, output_sds=5.4)) == 1
    )  # one of thirty lies 29 / sqrt(29) sd from the mean


def test_uniform_weights_have_no_major_ones_at_all():
    random = np.random.default_rng(0)
    into, out = random.uniform(-1, 1, size=(200, 300)), random.uniform(-1, 1, size=(300, 500))
    assert major_weights(into, out, input_sds=2.2, output_sds=2.2).empty  # sqrt(3) is the limit


def test_permuting_deals_weights_to_other_units_and_keeps_each_inputs_and_outputs_own():
    random = np.random.default_rng(0)
    into, out = random.normal(size=(5, 30)), random.normal(size=(30, 7))
    other_into, other_out = permuted_weights(into, out, seed=1)
    np.testing.assert_array_equal(np.sort(other_into, axis=1), np.sort(into, axis=1))
    np.testing.assert_array_equal(np.sort(other_out, axis=0), np.sort(out, axis=0))
    assert (other_into != into).any()
    assert (other_out != out).any()


def test_hidden_units_count_edges_and_signs():
    into, out = np.zeros((3, 40)), np.zeros((40, 3))
    into[:, 2] = [5.0, 5.0, -5.0]
    out[2], out[7, 0] = -5.0, -5.0
    units = hidden_units(major_weights(into, out, output_sds=4), 40)
    assert units["edges"].sum() == 7
    assert units.loc[2, ["into", "out", "edges"]].tolist() == [3, 3, 6]
    assert units.loc[2, "into_purity"] == pytest.approx(2 / 3)
    assert units.loc[2, "out_purity"] == 1
    assert units.loc[7, "out"] == 1
    assert np.isnan(units.loc[7, "into_purity"])


def test_a_map_in_numbers_by_hand():
    into, out = np.zeros((3, 40)), np.zeros((40, 4))
    into[:2, 2] = 5.0
    out[2, :3], out[7, 3] = [5.0, 5.0, -5.0], -5.0
    edges = major_weights(into, out)
    found = map_numbers(edges, (3, 40, 4))  # 5 edges of unit 2, 1 of unit 7
    assert found == pytest.approx(
        {"edges": 6, "inputs_kept": 2 / 3, "outputs_kept": 1, "largest_hub": 5,
         "units_with_half": 1 / 40, "concentration": 39 / 40, "purity": (2 / 3 + 1) / 2}
    )  # fmt: skip
    assert map_numbers(edges, (3, 40, 4), hubs=1)["purity"] == pytest.approx(2 / 3)


def test_a_map_without_edges_has_neither_hubs_nor_signs():
    empty = major_weights(np.zeros((3, 5)), np.zeros((5, 2)))
    assert map_numbers(empty, (3, 5, 2)) == {
        "edges": 0, "inputs_kept": 0, "outputs_kept": 0, "largest_hub": 0
    }  # fmt: skip
