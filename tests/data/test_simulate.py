import numpy as np
import pytest

from exprml.base.errors import ParameterError
from exprml.data import simulate
from exprml.data.simulate import parts


def test_mixed_simulation_is_the_papers():
    adata = simulate.heil_simulation()
    assert adata.shape == (1000, 5000)
    assert adata.X.dtype == np.float32
    assert adata.obs["label"].tolist() == ["blue"] * 500 + ["red"] * 500
    assert adata.obs["study"].nunique() == 1000
    assert adata.var["signal"].value_counts().to_dict() == {"linear": 2500, "nonlinear": 2500}
    blue, red = adata.X[:500], adata.X[500:]
    linear = (adata.var["signal"] == "linear").to_numpy()
    assert abs(blue.mean()) < 0.01
    assert abs(blue.std() - 1) < 0.01
    assert abs(red[:, linear].mean() - 6) < 0.01
    assert abs(red[:, ~linear].mean()) < 0.03
    assert abs(np.abs(red[:, ~linear]).mean() - 6) < 0.01
    assert abs((red[:, ~linear] > 0).mean() - 0.5) < 0.01


@pytest.mark.parametrize(("kind", "distance"), [("linear", 6), ("noise", 0)])
def test_linear_and_noise_have_2500_features(kind, distance):
    adata = simulate.heil_simulation(kind)
    assert adata.shape == (1000, 2500)
    assert set(adata.var["signal"]) == {kind}
    assert abs(adata.X[500:].mean() - adata.X[:500].mean() - distance) < 0.01


def test_coins_are_tossed_per_value():
    red = simulate.heil_simulation(n_features=50, nonlinear_share=0.8).X[500:, 10:] > 0
    assert 0.3 < red.mean(axis=0).min() < red.mean(axis=0).max() < 0.7
    assert 0.1 < red.mean(axis=1).min() < red.mean(axis=1).max() < 0.9


def test_share_distance_and_thinning():
    adata = simulate.heil_simulation(n_samples=40, nonlinear_share=0.8, distance=2, n_features=50)
    assert adata.shape == (40, 50)
    assert (adata.var["signal"] == "nonlinear").sum() == 40
    assert (simulate.heil_simulation(n_features=100).var["signal"] == "linear").sum() == 50
    means = adata.X[20:, :10].mean()
    assert abs(means - 2) < 0.3


def test_seed_repeats_and_changes_values():
    def draw(seed):
        return simulate.heil_simulation(n_samples=10, n_features=4, seed=seed).X

    assert np.array_equal(draw(42), draw(42))
    assert not np.array_equal(draw(42), draw(43))


@pytest.mark.parametrize(
    "arguments",
    [{"kind": "curved"}, {"n_samples": 1}, {"nonlinear_share": 1.5}, {"kind": "noise", "nonlinear_share": 0}],
)
def test_impossible_simulation(arguments):
    with pytest.raises(ParameterError):
        simulate.heil_simulation(**arguments)


def class_gap(adata, moment):
    """Return the mean gap of a moment between the classes, after removing the class means."""
    red = (adata.obs["label"] == "red").to_numpy()
    centred = [part - part.mean(axis=0) for part in (adata.X[~red], adata.X[red])]
    return np.mean(centred[1] ** moment) - np.mean(centred[0] ** moment)


def test_floor_turns_a_linear_shift_into_different_shapes():
    floored = simulate.floored_shift(floor=0.0)
    assert floored.X.min() == 0
    assert abs((floored.X[:500] == 0).mean() - 0.5) < 0.01  # half of N(0, 1) lies below
    assert abs((floored.X[500:] == 0).mean() - 0.1587) < 0.01  # of N(1, 1): Phi(-1)
    # variance of max(N, 0) is 1/2 - 1/(2 pi) = 0.3408; of max(N + 1, 0) it is 0.7511
    assert abs(class_gap(floored, 2) - (0.7511 - 0.3408)) < 0.02
    assert abs(class_gap(simulate.floored_shift(floor=None), 2)) < 0.02


def test_detection_floor():
    X = np.arange(10.0)
    assert parts.detection_floor(X, level=3).tolist() == [3, 3, 3, 3, 4, 5, 6, 7, 8, 9]
    assert (parts.detection_floor(X, share=0.5, floor=-9) == -9).sum() == 5
    assert np.array_equal(parts.detection_floor(X, share=0), X)
    with pytest.raises(ParameterError, match="either share or level"):
        parts.detection_floor(X)


def test_twin_has_the_schema_of_gtex():
    adata = simulate.gtex_twin()
    assert list(adata.obs) == ["tissue", "donor", "sex", "cell_line", "upstream_split"]
    assert adata.obs_names.is_unique
    assert adata.var_names.str.startswith("ENSGSIM").all()
    assert adata.var["simulated"].all()
    assert set(adata.obs["sex"]) == {"male", "female"}
    assert adata.obs.groupby("donor")["sex"].nunique().max() == 1
    assert set(adata.obs["upstream_split"]) == {"train", "test"}
    assert adata.uns["provenance"]["steps"][0].startswith("simulated: 8 tissues")
    assert set(simulate.TISSUES[:5]) == {"Blood", "Brain", "Skin", "Esophagus", "Blood Vessel"}


def test_twin_donors_repeat_and_tissues_are_unequal():
    obs = simulate.gtex_twin().obs
    assert obs.groupby("donor")["tissue"].nunique().median() >= 3
    sizes = obs["tissue"].value_counts()
    assert sizes.max() > 2 * sizes.min()
    groups = obs.groupby("tissue", observed=True)["donor"].nunique()
    assert groups.min() >= 25


def test_twin_stands_on_the_floor():
    adata = simulate.gtex_twin(floor_share=0.4)
    assert adata.X.min() == np.float32(-9.9658)
    assert abs((adata.X.min() == adata.X).mean() - 0.4) < 0.001
    assert (simulate.gtex_twin(floor_share=0).X < -9.9).mean() < 0.02


def test_twins_swings_have_mean_zero_within_a_tissue():
    swings = parts.swings(np.random.default_rng(0), np.repeat([0, 1], 2000), 2, 100)
    for rows in (slice(0, 2000), slice(2000, None)):
        markers = np.abs(swings[rows]).sum(axis=0) > 0
        assert markers.sum() == 4
        assert np.abs(swings[rows].mean(axis=0)).max() < 0.1
        assert np.array_equal(np.abs(swings[rows][:, markers]), np.ones((2000, 4)))
