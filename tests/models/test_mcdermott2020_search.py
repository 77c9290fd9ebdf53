"""Draws of the search of mcdermott2020: of the published distributions, and fit for its presets."""

import numpy as np
import pytest

from exprml.models import presets
from exprml.models.presets.mcdermott2020_search import SPACES, draws

MANY = 400


def column(kind, name):
    return np.array([one[name] for one in draws(kind, MANY, 0)], dtype=float)


@pytest.mark.parametrize("kind", SPACES)
def test_draws_fit_the_presets_and_come_again(kind):
    found = draws(kind, 5, 1)
    for one in found:
        presets.make(f"mcdermott2020/{kind}-moa", **one)
    assert found == draws(kind, 5, 1)
    assert found != draws(kind, 5, 2)


def test_penalties_of_the_linear_model_are_hardly_ever_small():
    alpha = column("linear", "alpha")
    assert (alpha > 0).all()
    assert (alpha < 8).all()
    assert (alpha < 1e-3).mean() < 0.01
    assert np.median(alpha) == pytest.approx(np.log(2), abs=0.1)
    assert np.median(column("linear", "eta0")) == pytest.approx(np.exp(-6), rel=0.6)


def test_layers_come_from_three_recipes():
    widths = [one["hidden_layer_sizes"] for one in draws("ff-ann", MANY, 0)]
    depth = np.array([len(one) for one in widths])
    assert depth.min() == 1
    assert depth.mean() == pytest.approx(2, abs=0.2)  # geometric, chance 1/2
    assert min(min(one) for one in widths) >= 1
    pairs = [one[:2] for one in widths if len(one) > 1]
    assert sum(a - b == 200 for a, b in pairs) > MANY / 10
    assert sum(abs(b - 0.75 * a) <= 1 for a, b in pairs) > MANY / 10
    assert any(not one["hidden"] for one in draws("gcnn", 20, 0))  # no dense layer but the last


def test_leaves_of_trees_hold_half_a_per_cent():
    assert column("tree", "min_weight_fraction_leaf").mean() == pytest.approx(0.5 / 101, rel=0.2)
    assert column("forest", "min_samples_split").min() == 2
