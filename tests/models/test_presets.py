"""Presets: the published values, the corrected ones, and what happens with wrong names."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import Ridge

from exprml.base.errors import UnknownNameError
from exprml.models import least_squares, presets
from exprml.models.autoencoders import Autoencoder
from exprml.models.layers import layer_widths
from exprml.models.presets.preset import read

PAPER = {  # heil2022, Methods: Model training
    "batch_size": 16,
    "epochs": 50,
    "clip_norm": 0.01,
    "optimizer": "adam",
    "weight_decay": 0.0,
    "early_stopping": "cumulative",
    "patience": 7,
    "holdout": 0.2,
    "class_weight": "inverse",
    "inner_labels": "refit",
    "random_state": 42,
    "initialisation": "pytorch",
    "activation": "relu",
}
WIDTHS = {
    "logistic-regression": ([], 1e-3, False, 0.0),
    "three-layer": ([2500, 1250], 1e-5, False, 0.5),
    "five-layer": ([2500, 2500, 2500, 1250], 1e-5, True, 0.5),
    "three-layer-batchnorm": ([2500, 1250], 1e-5, True, 0.5),
    "five-layer-no-batchnorm": ([2500, 2500, 2500, 1250], 1e-5, False, 0.5),
}


@pytest.mark.parametrize("model", WIDTHS)
def test_heil_presets_are_the_published_settings(model):
    widths, rate, batch_norm, dropout = WIDTHS[model]
    found = presets.make(f"heil2022/{model}").get_params()
    assert {name: found[name] for name in PAPER} == PAPER
    assert layer_widths(found["hidden"], 5000) == widths
    assert (found["learning_rate"], found["batch_norm"], found["dropout"]) == (rate, batch_norm, dropout)


@pytest.mark.parametrize("model", ["three-layer", "five-layer"])
def test_corrected_networks_differ_in_training_only(model):
    paper, ours = presets.make(f"heil2022/{model}"), presets.make(f"corrected/{model}")
    for same in ("hidden", "batch_norm", "dropout", "activation", "class_weight", "holdout"):
        assert getattr(paper, same) == getattr(ours, same)
    assert (ours.inner_labels, ours.early_stopping, ours.batch_size) == ("fixed", "consecutive", 64)
    assert (ours.patience, ours.clip_norm, ours.epochs, ours.standardise) == (5, 1.0, 300, True)


TINY_CODE = {"hidden": (8,), "code": 3, "epochs": 2}
SMALL = {  # what makes the slow ones quick; settings that a paper gives are tested above
    "control/forest": {"n_estimators": 5},
    "chen2016/d-gex": {"hidden": (8,), "epochs": 2},
    "corrected/d-gex": {"hidden": (8,), "epochs": 2},
    "bhukya2021/d-gex": {"hidden": (8,), "epochs": 2},
    "bhukya2021/mlp": {"hidden": (8,), "epochs": 2},
    "bhukya2021/autoencoder": TINY_CODE,
    "okeke2023/autoencoder": {"code": 8, "epochs": 2},
    "corrected/dense-autoencoder": {"code": 8, "epochs": 2},
    "corrected/autoencoder": TINY_CODE,
    "corrected/e-mlp": {"encoder": Autoencoder(**TINY_CODE), "regressor": Ridge()},
    "bhukya2021/e-mlp": {"encoder": Autoencoder(**TINY_CODE), "regressor": Ridge()},
}


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_fits_scores_and_describes_itself(name):
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 12)).astype(np.float32)
    small = next((changes for start, changes in SMALL.items() if name.startswith(start)), {})
    model = clone(presets.make(name, **small))
    if is_classifier(model):
        fitted = model.fit(X, np.where(X[:, 0] > 0, "red", "blue"))
        assert fitted.predict_proba(X).shape == (60, 2)
    elif is_regressor(model):
        assert model.fit(X, X[:, :5] + X[:, 1:6]).predict(X).shape == (60, 5)
    else:
        assert model.fit(X).transform(X).shape[0] == 60
    described = presets.describe(name)
    assert described["summary"]
    assert described["source"]
    assert repr(described["parameters"]) == repr(presets.make(name).get_params(deep=False))


def test_unknown_preset_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022/three-layer'"):
        presets.make("heil2022/threelayer")


def test_unknown_override_names_the_nearest():
    with pytest.raises(UnknownNameError, match="parameter 'learning_rat': did you mean 'learning_rate'"):
        presets.make("corrected/five-layer", learning_rat=1e-4)


def test_overrides_win_over_the_search_and_the_search_over_the_preset(monkeypatch):
    table = {
        "corrected/three-layer": {"toy": {"learning_rate": 0.5, "weight_decay": 0.1, "source": "seed 0"}}
    }
    monkeypatch.setattr(presets, "_searched", lambda: table)
    name = "corrected/three-layer"
    assert presets.make(name).learning_rate == 1e-3
    assert presets.make(name, tuned_on="toy").learning_rate == 0.5
    assert presets.make(name, tuned_on="toy").weight_decay == 0.1
    assert presets.make(name, tuned_on="toy", learning_rate=2.0).learning_rate == 2.0
    assert presets.make(name, tuned_on="elsewhere").learning_rate == 1e-3
    assert presets.searched("toy") == {name: table[name]["toy"]}


def test_the_committed_search_names_presets_and_their_parameters():
    for name, by_data in presets._searched().items():
        assert name in presets.names()
        for found in by_data.values():
            assert {"source"} < set(found)
            known = presets.make(name).get_params()
            assert set(found) - {"source"} <= set(known)


def test_every_preset_is_found_where_its_name_points():
    for name in presets.names():
        assert presets.make(name) is not None


def test_a_preset_imports_the_module_of_its_paper_only():
    code = "import sys; from exprml.models import presets; presets.make('heil2022/three-layer');"
    code += "print(*(one for one in sys.modules if one.startswith('exprml.models.presets.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {f"exprml.models.presets.{one}" for one in ("heil2022", "preset")}


def test_a_table_of_presets_refuses_a_word_it_does_not_know(tmp_path):
    (tmp_path / "toy.yml").write_text("presets:\n  toy/ridge: {model: TunedRidge, setings: {holdout: 0.5}}\n")
    with pytest.raises(UnknownNameError, match="'setings': did you mean 'settings'"):
        read(str(tmp_path / "toy.py"), least_squares)


def test_a_preset_begins_with_the_one_it_is_like(tmp_path):
    lines = ["a: {model: TunedRidge, settings: {holdout: 0.5, penalties: [1, 2]}, summary: one}"]
    lines += ["b: {like: a, settings: {holdout: 0.25}, summary: two}"]
    (tmp_path / "toy.yml").write_text("presets:\n" + "".join(f"  {line}\n" for line in lines))
    found = read(str(tmp_path / "toy.py"), least_squares)
    assert found["a"].parameters == {"holdout": 0.5, "penalties": (1, 2)}
    assert found["b"].kind is least_squares.TunedRidge
    assert found["b"].parameters == {"holdout": 0.25, "penalties": (1, 2)}
    assert [one.summary for one in found.values()] == ["one", "two"]


def test_graph_networks_have_the_published_settings_in_our_words():
    site = presets.make("mcdermott2020/gcnn-site").get_params()
    expected = {
        "n_filters": 41,
        "order": 5,
        "pooling": "mean",
        "hidden": (135,),
        "epochs": 350,
    }
    assert {name: site[name] for name in expected} == expected
    assert site["dropout"] == pytest.approx(1 - 0.562258, abs=1e-6)  # the paper's is the probability to keep
    assert presets.make("mcdermott2020/gcnn-subtype").pooling == "max"
    prostate = presets.make("mcdermott2020/gcnn-prostate")
    assert (prostate.n_filters, prostate.order, prostate.hidden, prostate.dropout) == (25, 15, (168, 14), 0.5)
    assert presets.make("mcdermott2020/knn-prostate").n_neighbors == 13


def test_the_corrected_graph_network_differs_in_training_only():
    published, ours = presets.make("mcdermott2020/gcnn-site"), presets.make("corrected/gcnn")
    assert (ours.activation, ours.smallest, ours.slipped) == (published.activation, published.smallest, False)
    assert (ours.optimizer, ours.early_stopping, ours.holdout) == ("adam", "consecutive", 0.2)


def test_linear_models_without_a_number_of_epochs_have_those_of_their_time():
    assert presets.make("mcdermott2020/linear-site").max_iter == 5
    assert presets.make("mcdermott2020/linear-moa").max_iter == 1000
