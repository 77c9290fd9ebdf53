"""Autoencoders beside principal components, tied weights, regression onto codes, the sizing formula."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from exprml.base.errors import DataError, ParameterError
from exprml.models import presets
from exprml.models.autoencoders import (
    Autoencoder,
    ConstantProfile,
    DrawnCode,
    EncodedRegressor,
    TiedLinear,
    halving_widths,
    storage_capacity_widths,
)
from exprml.models.least_squares import TunedRidge
from exprml.models.networks import NetworkRegressor

QUICK = {"epochs": 3, "random_state": 0, "device": "cpu", "batch_size": 16}


def low_rank(n=240, n_targets=12, rank=4, noise=0.3, seed=0):
    """Return landmarks and targets that share `rank` factors; targets are centred."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, rank)) * np.arange(rank, 0, -1)
    Y = factors @ random.normal(size=(rank, n_targets)) + noise * random.normal(size=(n, n_targets))
    X = factors @ random.normal(size=(rank, 8)) + noise * random.normal(size=(n, 8))
    return X.astype(np.float32), (Y - Y.mean(axis=0)).astype(np.float32)


X, Y = low_rank()


def small(**changes):
    return Autoencoder(**{"hidden": (10,), "code": 3, **QUICK} | changes)


def linear(**changes):
    """Return a linear autoencoder without hidden layers, trained to its optimum."""
    training = {"learning_rate": 0.03, "epochs": 600, "batch_size": 240, "holdout": None}
    start = {"initialisation": "glorot-normal", "early_stopping": "none"}
    falling = {"schedule": "reduce-on-plateau", "schedule_factor": 0.5, "schedule_min_delta": 1e-6}
    return small(**{"hidden": (), "activation": "linear", **training, **start, **falling} | changes)


def squared_error(model, values=Y):
    return float(((model.inverse_transform(model.transform(values)) - values) ** 2).mean())


@pytest.mark.parametrize("changes", [{}, {"tied": True}, {"hidden": (8,), "code_activation": "linear"}])
def test_a_linear_autoencoder_reaches_the_pca_floor_and_never_beats_it(changes):
    floor = squared_error(PCA(3).fit(Y))
    found = squared_error(linear(**changes).fit(Y))
    assert floor * (1 - 1e-5) <= found < 1.02 * floor


def test_tied_weights_are_one_parameter_that_learns_from_both_layers():
    model = small(tied=True, hidden=(10, 6), learning_rate=0.01).fit(Y)
    encoder, decoder = model.module_
    sources = [layer for layer in encoder if hasattr(layer, "in_features")]
    tied = [layer for layer in decoder if isinstance(layer, TiedLinear)]
    assert [one.weight for one in tied] == [one.weight for one in reversed(sources)]
    assert len(list(model.module_.parameters())) == 9  # 3 weights, 6 biases
    before = clone(model).set_params(learning_rate=1e-30, epochs=1).fit(Y).module_
    changed = [
        not (a == b).all() for a, b in zip(model.module_.parameters(), before.parameters(), strict=True)
    ]
    assert all(changed)
    decoder(encoder(model.module_[0][0].weight.new_ones(2, 12))).sum().backward()
    frozen = sources[0].weight.grad.clone()
    sources[0].weight.grad = None
    decoder(encoder(sources[0].weight.new_ones(2, 12)).detach()).sum().backward()
    assert (sources[0].weight.grad != 0).any()  # through the decoder alone
    assert (sources[0].weight.grad != frozen).any()  # the encoder adds its part


def test_weights_are_apart_unless_tied():
    assert len(list(small(hidden=(10, 6)).fit(Y).module_.parameters())) == 12


def test_layers_are_mirrored_and_codes_have_their_length():
    model = small(hidden=(10, "1/2"), code=4).fit(Y)
    widths = [tuple(one.shape) for one in model.module_.parameters() if one.ndim == 2]
    assert widths == [(10, 12), (6, 10), (4, 6), (6, 4), (10, 6), (12, 10)]
    codes = model.transform(Y)
    assert codes.shape == (240, 4)
    assert model.inverse_transform(codes).shape == Y.shape
    assert codes.min() >= -1  # ELU is bounded below
    assert small(code_activation="linear", epochs=30, learning_rate=0.01).fit(Y).transform(Y).min() < -1


def test_encoder_and_decoder_together_are_the_trained_network():
    model = small(epochs=30, learning_rate=0.01).fit(Y, validation=Y[:50], watch={"seen": Y[50:]})
    back = model.inverse_transform(model.transform(Y[50:]))
    best = model.history_.set_index("epoch").loc[model.best_epoch_]
    assert best["seen"] == pytest.approx(np.abs(back - Y[50:]).mean(), rel=1e-5)
    held = model.inverse_transform(model.transform(Y[:50])) - Y[:50]
    assert best["validation_loss"] == pytest.approx((held**2).mean(), rel=1e-5)
    assert best["validation_loss"] == model.history_["validation_loss"].min()


def test_a_denoising_autoencoder_hides_part_of_what_it_learns_from():
    losses = [
        small(input_dropout=rate, epochs=30, learning_rate=0.01).fit(Y).history_["loss"].iloc[-1]
        for rate in (0.0, 0.5)
    ]
    assert losses[1] > 1.5 * losses[0]


def test_the_same_seed_gives_the_same_codes_and_another_others():
    codes = [small(random_state=seed).fit(Y).transform(Y) for seed in (1, 1, 2)]
    assert codes[0].tobytes() == codes[1].tobytes()
    assert not np.array_equal(codes[0], codes[2])


def test_groups_are_kept_whole_where_an_inner_part_chooses():
    patients = np.repeat(np.arange(60), 4)
    model = small().fit(Y, groups=patients)
    assert not set(patients[model.training_rows_]) & set(patients[model.holdout_rows_])
    assert len(small().fit(Y, validation=Y[:9]).training_rows_) == 240


def test_what_cannot_be_used_is_refused():
    with pytest.raises(ParameterError, match=r"tied=True.*output_bound=0.0001"):
        small(tied=True, output_bound=1e-4).fit(Y)
    with pytest.raises(DataError, match=r"\(5, 2\).*\(samples, 3\)"):
        small().fit(Y).inverse_transform(np.zeros((5, 2)))
    bad = Y.copy()
    bad[2, 3] = np.nan
    with pytest.raises(DataError, match="sample 2, feature 3"):
        small().fit(bad)
    with pytest.raises(DataError, match="table of targets"):
        EncodedRegressor(PCA(2), Ridge()).fit(X, Y[:, 0])


def test_components_and_ridge_are_what_they_are_by_hand():
    model = EncodedRegressor(PCA(3, random_state=0), Ridge(2.0)).fit(X[:200], Y[:200])
    values, centre = np.linalg.svd(Y[:200] - Y[:200].mean(axis=0))[2][:3], Y[:200].mean(axis=0)
    inputs = X[:200] - X[:200].mean(axis=0)
    codes = (Y[:200] - centre) @ values.T
    weights = np.linalg.solve(inputs.T @ inputs + 2.0 * np.eye(8), inputs.T @ codes)
    expected = (X[200:] - X[:200].mean(axis=0)) @ weights @ values + centre
    assert_allclose(model.predict(X[200:]), expected, atol=1e-3)
    assert model.selected_by_ == "inner part"


def test_no_regressor_does_better_than_a_linear_encoder_itself():
    model = EncodedRegressor(PCA(3), Ridge(1e-6)).fit(X, Y)
    through = ((model.predict(X) - Y) ** 2).sum(axis=1)
    assert (
        through >= ((model.encoder_.inverse_transform(model.encoder_.transform(Y)) - Y) ** 2).sum(axis=1)
    ).all()


def test_a_network_chooses_its_epoch_by_the_decoded_error():
    net = NetworkRegressor(
        hidden=(12,), validation_loss="absolute", **QUICK | {"epochs": 12, "learning_rate": 0.02}
    )
    held = X[200:], Y[200:]
    model = EncodedRegressor(small(epochs=20), net).fit(
        X[:200], Y[:200], validation=held, watch={"held": held}
    )
    history = model.regressor_.history_
    assert model.selected_by_ == "decoded error"
    assert_allclose(history["held"], history["validation_loss"], rtol=1e-6)
    assert model.regressor_.best_epoch_ == history.loc[history["held"].idxmin(), "epoch"]
    assert history["held"].min() == pytest.approx(np.abs(model.predict(X[200:]) - Y[200:]).mean(), rel=1e-5)
    assert model.encoder_.training_rows_.tolist() == list(range(200))


def test_an_encoder_that_is_fitted_already_may_be_shared():
    ready = PCA(3).fit(Y[:100])
    model = EncodedRegressor(FrozenEstimator(ready), Ridge()).fit(X[:200], Y[:200])
    assert_allclose(model.encoder_.components_, ready.components_)
    alone = Ridge().fit(X[:200], ready.transform(Y[:200]))
    assert_allclose(model.predict(X[200:]), ready.inverse_transform(alone.predict(X[200:])))


def test_a_regressor_that_diverges_ends_with_its_best_epoch_and_a_warning():
    wild = {"optimizer": "sgd", "learning_rate": 1e9, "epochs": 9, "activation": "linear"}
    net = NetworkRegressor(hidden=(12,), **QUICK | wild)
    model = EncodedRegressor(small(), net)
    with pytest.warns(ConvergenceWarning, match="use a smaller learning_rate"):
        model.fit(X[:200], Y[:200], validation=(X[200:], Y[200:]))
    assert len(model.regressor_.history_) < 9


def test_a_regressor_that_cannot_decode_chooses_by_the_error_of_codes():
    held, ridge = (X[200:], Y[200:]), TunedRidge(penalties=(1e-3, 1.0, 1e4))
    model = EncodedRegressor(PCA(3), ridge).fit(X[:200], Y[:200], validation=held)
    codes = [model.encoder_.transform(part) for part in (Y[:200], Y[200:])]
    alone = clone(ridge).fit(X[:200], codes[0], validation=(X[200:], codes[1]))
    assert model.selected_by_ == "code error"
    assert_allclose(model.regressor_.path_, alone.path_)
    assert model.regressor_.penalty_ == alone.penalty_


def test_groups_reach_both_parts():
    patients = np.repeat(np.arange(60), 4)
    model = EncodedRegressor(small(), NetworkRegressor(hidden=(4,), **QUICK)).fit(X, Y, patients)
    for part in (model.encoder_, model.regressor_):
        assert not set(patients[part.training_rows_]) & set(patients[part.holdout_rows_])


def test_parameters_reach_the_parts_and_clones_are_unfitted():
    model = EncodedRegressor(small(), Ridge()).fit(X, Y)
    copied = clone(model).set_params(encoder__code=2, regressor__alpha=3.0)
    assert not hasattr(copied, "encoder_")
    assert (copied.encoder.code, copied.regressor.alpha, model.encoder.code) == (2, 3.0, 3)
    assert copied.fit(X, Y).regressor_.coef_.shape == (2, 8)
    assert clone(small(tied=True)).get_params()["tied"]


def test_the_sizing_formula_gives_the_papers_widths_only_if_rounded_to_the_nearest():
    assert storage_capacity_widths(2000, 70_000) == (11_850, 11_826)  # 11,849.9 and 11,826.2
    assert storage_capacity_widths(2, 100) == (30, 10)  # sqrt(400) + 2 sqrt(25), 2 sqrt(25)
    with pytest.raises(ParameterError, match="n_samples must be 1 or more, not 0"):
        storage_capacity_widths(5, 0)


def test_e_mlp_is_what_the_paper_prints():
    model = presets.make("bhukya2021/e-mlp")
    regressor, encoder = model.regressor, model.encoder
    assert regressor.hidden == storage_capacity_widths(2000, 70_000)
    assert ((*encoder.hidden, encoder.code), encoder.epochs) == ((6000, 2000), 150)
    assert (regressor.activation, regressor.dropout, regressor.input_dropout) == ("elu", 0.1, 0.0)
    assert (regressor.optimizer, regressor.momentum, regressor.nesterov) == ("sgd", 0.9, True)
    rates = [getattr(regressor, f"schedule{name}") for name in ("", "_factor", "_floor")]
    assert (regressor.learning_rate, *rates) == (5e-4, "reduce-when-worse", 0.9, 1e-5)
    assert (regressor.early_stopping, regressor.epochs) == ("look-back", 250)
    assert (regressor.validate_every, regressor.validate_every * regressor.patience) == (5, 25)


def test_first_weights_have_the_printed_spread():
    settings = {"learning_rate": 1e-30, "epochs": 1, "hidden": (300, 200), "random_state": 0}
    model = presets.make("bhukya2021/mlp", **settings).fit(X, Y)
    first, second, last = [one.detach().numpy() for one in model.module_.parameters() if one.ndim == 2]
    assert first.std() == pytest.approx((4 / (8 + 300)) ** 0.5, rel=0.05)
    assert second.std() == pytest.approx((4 / (300 + 200)) ** 0.5, rel=0.05)
    assert 0.9e-4 < np.abs(last).max() <= 1e-4


def test_the_layers_of_the_report_halve_and_add_up():
    assert [halving_widths(2000, n) for n in (1, 2, 3)] == [[2000], [1333, 666], [1142, 571, 285]]
    ten = halving_widths(2000, 10)
    assert len(ten) == 10
    assert ten[-1] == 1  # 1.96: Keras cuts off what is behind the point
    with pytest.raises(ParameterError, match="0 layers: both must be 1 or more"):
        halving_widths(10, 0)


def test_a_sigmoid_confines_what_comes_back():
    back = small(output_activation="sigmoid").fit(Y)
    back = back.inverse_transform(back.transform(100 * Y))
    assert back.min() >= 0
    assert back.max() <= 1


def test_a_sparse_code_is_smaller_and_costs_nothing_afterwards():
    plain, sparse = (
        small(sparsity=weight, activation="relu", epochs=60, learning_rate=0.01).fit(Y) for weight in (0, 3.0)
    )
    assert np.abs(sparse.transform(Y)).mean() < 0.5 * np.abs(plain.transform(Y)).mean()
    assert sparse.module_[0][-1].cost is None
    assert (clone(sparse).fit(Y).transform(Y) == sparse.transform(Y)).all()


def test_a_variational_code_is_drawn_in_training_only_and_near_the_standard_normal_where_that_weighs():
    loose, tight = (small(variational=beta, epochs=60, learning_rate=0.01).fit(Y) for beta in (1e-6, 30.0))
    assert (tight.transform(Y) == tight.transform(Y)).all()
    assert tight.transform(Y).shape == (240, 3)
    assert np.abs(tight.transform(Y)).mean() < 0.2 * np.abs(loose.transform(Y)).mean()
    assert squared_error(loose) < 0.8 * squared_error(tight)
    with pytest.raises(ParameterError, match="no layer to tie to"):
        small(variational=1.0, tied=True).fit(Y)


def test_the_divergence_is_that_of_two_normal_distributions():
    layer, both = DrawnCode(1.0).train(), torch.tensor([[0.5, -1.0, 0.2, -0.3]])
    layer(both)
    of_code = torch.distributions.Normal(both[:, :2], torch.exp(both[:, 2:] / 2))
    expected = torch.distributions.kl_divergence(of_code, torch.distributions.Normal(0.0, 1.0)).sum()
    assert_allclose(layer.cost.item(), expected.item(), rtol=1e-5)


def test_one_profile_comes_back_for_everything():
    mean, zero = (ConstantProfile(profile).fit(Y + 1) for profile in ("mean", "zero"))
    assert mean.transform(Y).shape == (240, 0)
    assert_allclose(mean.inverse_transform(mean.transform(Y[:2])), np.tile((Y + 1).mean(axis=0), (2, 1)))
    assert (zero.inverse_transform(zero.transform(Y)) == 0).all()
