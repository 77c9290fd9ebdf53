"""A kept model predicts what it predicted, to the last bit; what is damaged or foreign is refused."""

import json
import struct

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, FormatError
from exprml.base.files import as_json
from exprml.base.hashing import text_hash
from exprml.models import model_files, model_values
from exprml.models.autoencoders import Autoencoder, EncodedRegressor
from exprml.models.lasso import TunedLasso
from exprml.models.least_squares import (
    ComponentRegression,
    LeastSquares,
    ReducedRankRegression,
    TunedRidge,
)
from exprml.models.model_files import Scaling
from exprml.models.neighbours import LandmarkNeighbours
from exprml.models.networks import NetworkRegressor
from exprml.models.split_targets import SplitTargets

SAMPLES, LANDMARKS, TARGETS = 60, 12, 7
SMALL = {"epochs": 2, "random_state": 0, "device": "cpu"}
MODELS = {
    "least squares": LeastSquares(),
    "tuned ridge": TunedRidge(),
    "tuned lasso": TunedLasso(),
    "neighbours": LandmarkNeighbours(),
    "reduced rank": ReducedRankRegression(),
    "components": ComponentRegression(),
    "network": NetworkRegressor(
        hidden=(8, "1/2"),
        activation="tanh",
        dropout=0.1,
        batch_norm=True,
        output_bound=1e-4,
        **SMALL,
    ),
    "elu network": NetworkRegressor(hidden=(8,), activation="elu", **SMALL),
    "two halves": SplitTargets(NetworkRegressor(hidden=(8,), **SMALL), n_parts=2),
    "components of the targets": EncodedRegressor(PCA(3, random_state=0), LeastSquares()),
    "autoencoder": EncodedRegressor(
        Autoencoder(hidden=(9,), code=4, **SMALL), NetworkRegressor(hidden=(8,), **SMALL)
    ),
    "tied autoencoder": EncodedRegressor(Autoencoder(hidden=(9,), code=4, tied=True, **SMALL), TunedRidge()),
    "pipeline": make_pipeline(StandardScaler(), LeastSquares(penalty=1.0)),
    "mean": DummyRegressor(strategy="mean"),
}


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    X = random.normal(size=(SAMPLES, LANDMARKS)).astype(np.float32)
    Y = np.tanh(X @ random.normal(size=(LANDMARKS, TARGETS))).astype(np.float32)
    return X, Y


@pytest.fixture
def scaling():
    return Scaling(
        landmark_mean=np.arange(LANDMARKS) + 0.1,
        landmark_scale=np.linspace(0.5, 2, LANDMARKS),
        target_mean=np.arange(TARGETS) + 0.3,
        target_scale=np.linspace(1, 3, TARGETS),
    )


@pytest.fixture
def kept(tmp_path, data, scaling):
    """Save a fitted ridge; return its path without suffix."""
    save(tmp_path / "ridge", LeastSquares(penalty=1.0).fit(*data), scaling)
    return tmp_path / "ridge"


def save(path, model, scaling, **changes):
    genes = {
        "landmarks": [f"l{i}" for i in range(LANDMARKS)],
        "targets": pd.DataFrame(
            {"symbol": [f"T{i}" for i in range(TARGETS)]}, index=[f"t{i}" for i in range(TARGETS)]
        ),
    }
    return model_files.save(path, model, scaling=scaling, provenance={"dataset": "made"}, **(genes | changes))


@pytest.mark.parametrize("name", MODELS)
def test_loaded_model_predicts_the_same_bytes(name, tmp_path, data, scaling):
    model = MODELS[name].fit(*data)
    new = np.random.default_rng(1).normal(size=(33, LANDMARKS)).astype(np.float32)
    expected = model.predict(new)
    save(tmp_path / "model", model, scaling)
    loaded = model_files.load(tmp_path / "model").model
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict(new), expected)


def test_arrays_keep_the_order_in_memory_that_their_products_depend_on():
    for value in (np.ones((3, 2), order="F"), np.ones((3, 2)), np.ones(3), np.float32(0.1), np.array(2)):
        arrays = {}
        stored = json.loads(json.dumps(model_values.describe(value, arrays)))
        found = model_values.restore(stored, arrays)
        np.testing.assert_array_equal(found, value, strict=True)
        assert found.strides == value.strides


@pytest.mark.parametrize("name", ["tuned ridge", "network", "two halves", "autoencoder"])
def test_parameters_and_history_come_back(name, tmp_path, data, scaling):
    model = MODELS[name].fit(*data)
    save(tmp_path / "model", model, scaling)
    loaded = model_files.load(tmp_path / "model").model
    assert repr(loaded.get_params()) == repr(model.get_params())
    for one in ("path_", "history_"):
        if hasattr(model, one):
            pd.testing.assert_frame_equal(getattr(loaded, one), getattr(model, one))


def test_same_model_gives_the_same_files(tmp_path, data, scaling):
    model = LeastSquares().fit(*data)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save(tmp_path / name / "model", model, scaling)
    for suffix in (".json", ".safetensors"):
        first, second = ((tmp_path / name / f"model{suffix}").read_bytes() for name in ("a", "b"))
        assert first == second


def test_predictions_return_to_the_training_scale(tmp_path, data, scaling):
    X, Y = data
    model = LeastSquares().fit(X, Y)
    save(tmp_path / "model", model, scaling)
    stored = model_files.load(tmp_path / "model.json")
    raw = X * scaling.landmark_scale + scaling.landmark_mean
    expected = model.predict(X) * scaling.target_scale + scaling.target_mean
    np.testing.assert_allclose(stored.predict(raw), expected, rtol=1e-4)
    assert list(stored.targets["symbol"])[:2] == ["T0", "T1"]
    assert stored.provenance == {"dataset": "made"}


def test_gap_counts_as_the_training_mean(kept, scaling):
    stored = model_files.load(kept)
    values = np.tile(scaling.landmark_mean + 0.5, (2, 1))
    values[0, 3], values[1, 3] = np.nan, scaling.landmark_mean[3]
    gap, mean = stored.predict(values)
    np.testing.assert_array_equal(gap, mean)


def test_reference_needs_a_normaliser(tmp_path, data, scaling):
    reference = Scaling(**{**vars(scaling), "reference": np.sort(data[0][0]), "form": "rna-seq"})
    save(tmp_path / "model", LeastSquares().fit(*data), reference)
    stored = model_files.load(tmp_path / "model")
    with pytest.raises(DataError, match="quantile normalised landmarks: give normalise"):
        stored.predict(data[0])
    seen = []
    stored.predict(data[0], normalise=lambda values, held, form: seen.append((held, form)) or values)
    np.testing.assert_array_equal(seen[0][0], reference.reference)
    assert seen[0][1] == "rna-seq"


class Foreign(BaseEstimator):
    """An estimator of somebody else's."""


def test_estimator_of_others_is_not_kept(tmp_path, data, scaling):
    with pytest.raises(DataError, match="Foreign' is no estimator of the book or of scikit-learn"):
        save(tmp_path / "model", Foreign(), scaling)
    home = {"__module__": LeastSquares.__module__}
    disguised = type("LeastSquares", (LeastSquares,), home)().fit(*data)
    with pytest.raises(DataError, match="something of the same name"):
        save(tmp_path / "model", disguised, scaling)
    assert not list(tmp_path.iterdir())


def test_value_that_cannot_be_kept_is_named(tmp_path, data, scaling):
    model = LeastSquares().fit(*data)
    model.helper_ = lambda: None
    with pytest.raises(DataError, match=r"model\.helper_ is a function"):
        save(tmp_path / "model", model, scaling)


def changed(path, change):
    """Change the JSON as someone would who also mends the checksum."""
    document = json.loads(path.read_text())
    del document["sha256"]
    change(document)
    path.write_text(as_json(document | {"sha256": text_hash(as_json(document))}))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d["model"].update(estimator="os.system"), FormatError, "'os.system' is no estimator"),
        (lambda d: d["model"].update(estimator="sklearn.nothing.PCA"), FormatError, "is no estimator"),
        (lambda d: d["model"].update(estimator="sklearn.ensemble.BaggingRegressor"), FormatError, "is no"),
        (lambda d: d["model"].update(estimator="exprml.models.training.torch"), FormatError, "is no"),
        (lambda d: d["model"].update(estimator="exprml.models.linear.BaseEstimator"), FormatError, "is no"),
        (lambda d: d["model"]["fitted"].update(predict=1), FormatError, "'predict' is nothing that"),
        (lambda d: d["model"]["parameters"].update(shell="ls"), FormatError, "'shell' is nothing that"),
        (lambda d: d.update(version=99), FormatError, "format version 99, this library reads 2"),
        (lambda d: d.update(format="other"), FormatError, "not a model file of ours"),
        (lambda d: d.pop("landmarks"), FormatError, "not a whole model file"),
        (lambda d: d["model"]["fitted"]["coef_"].update(array="gone"), FormatError, "'gone' is missing"),
    ],
)
def test_foreign_description_is_refused(kept, change, error, message):
    changed(kept.with_suffix(".json"), change)
    with pytest.raises(error, match=message):
        model_files.load(kept)


def test_weights_that_do_not_fit_the_layers_are_refused(tmp_path, data, scaling):
    save(tmp_path / "net", NetworkRegressor(hidden=(4,), **SMALL).fit(*data), scaling)

    def wider(document):
        document["model"]["parameters"]["hidden"] = {"tuple": [5]}

    changed(tmp_path / "net.json", wider)
    with pytest.raises(FormatError, match="the weights do not fit the layers"):
        model_files.load(tmp_path / "net")


def test_changed_by_hand_is_noticed(kept):
    path = kept.with_suffix(".json")
    path.write_text(path.read_text().replace('"penalty": 1.0', '"penalty": 2.0'))
    with pytest.raises(FormatError, match="damaged or changed by hand"):
        model_files.load(kept)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_cut_short_or_gone_is_refused(kept, suffix):
    path = kept.with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(FormatError, match="cut short"):
        model_files.load(kept)
    path.unlink()
    with pytest.raises(FormatError, match="no such file"):
        model_files.load(kept)


def test_one_wrong_byte_is_noticed(kept):
    path = kept.with_suffix(".safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(FormatError, match="damaged, or not the file"):
        model_files.load(kept)


def test_save_that_dies_between_the_files_is_noticed(kept, data, scaling, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(model_files, "write_text", die)
    with pytest.raises(KeyboardInterrupt):
        save(kept, LeastSquares(penalty=2.0).fit(*data), scaling)
    with pytest.raises(FormatError, match="damaged, or not the file that"):
        model_files.load(kept)


def test_both_files_can_be_read_by_others(kept):
    assert all(kept.with_suffix(one).stat().st_mode & 0o044 == 0o044 for one in (".json", ".safetensors"))


def test_safetensors_holds_plain_arrays(kept):
    content = kept.with_suffix(".safetensors").read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    assert header["model.coef_"]["shape"] in ([LANDMARKS, TARGETS], [TARGETS, LANDMARKS])


def test_scaling_of_another_size_is_refused(tmp_path, data, scaling):
    with pytest.raises(DataError, match=r"landmark_mean has shape \(12,\), but there are 11 landmarks"):
        save(tmp_path / "model", LeastSquares(), scaling, landmarks=[f"l{i}" for i in range(11)])
    with pytest.raises(DataError, match="'x' stands twice"):
        save(tmp_path / "model", LeastSquares(), scaling, landmarks=["x"] * LANDMARKS)
