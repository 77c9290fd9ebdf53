"""``exprml infer``: whole or no result, the same in blocks as at once, and nothing done in silence."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.data.formats import read_gctx, write_gct, write_gctx
from exprml.models import model_files
from exprml.models.least_squares import LeastSquares
from exprml.models.model_files import Scaling
from exprml_press.cli import main
from exprml_press.cli.infer import normalise

LANDMARKS, TARGETS = 40, 25
RANDOM = np.random.default_rng(0)
MEAN, SCALE = RANDOM.uniform(4, 9, LANDMARKS), RANDOM.uniform(0.5, 2, LANDMARKS)
GENES = pd.DataFrame(
    {"symbol": [f"LM{i}" for i in range(LANDMARKS)], "ensembl": [f"ENSG{i:011d}" for i in range(LANDMARKS)]},
    index=[f"{1000 + i}" for i in range(LANDMARKS)],
)


def keep_model(path, reference=None):
    X = RANDOM.normal(size=(200, LANDMARKS))
    model = LeastSquares(penalty=1.0).fit(X, X @ RANDOM.normal(size=(LANDMARKS, TARGETS)))
    targets = pd.DataFrame(
        {"symbol": [f"TG{i}" for i in range(TARGETS)]}, index=[f"t{i}" for i in range(TARGETS)]
    )
    form = "" if reference is None else "microarray"
    scaling = Scaling(MEAN, SCALE, np.full(TARGETS, 6.0), np.full(TARGETS, 2.0), reference, form)
    model_files.save(path, model, landmarks=GENES, targets=targets, scaling=scaling,
                 provenance={"dataset": "made-set", "role": "twin"})  # fmt: skip
    return model_files.load(path)


def profiles(n_samples=57, shift=0.0, genes=GENES):
    """Make profiles whose landmarks stand in another order, among other genes."""
    order = np.random.default_rng(3).permutation(LANDMARKS)
    values = np.random.default_rng(4).normal(size=(n_samples, LANDMARKS)) * SCALE + MEAN + shift
    others = np.zeros((n_samples, 5))
    var = pd.DataFrame(index=[f"other{i}" for i in range(5)] + [genes.index[i] for i in order])
    obs = pd.DataFrame({"tissue": ["Liver"] * n_samples}, index=[f"s{i}" for i in range(n_samples)])
    held = np.hstack([others, values[:, order]]).astype(np.float32)
    return AnnData(held, obs=obs, var=var), values.astype(np.float32)


@pytest.fixture
def model(tmp_path):
    keep_model(tmp_path / "ridge")
    return tmp_path / "ridge.json"


def infer(folder, model, data, *options):
    """Write `data`, call the command and return its status and the output's path."""
    given, out = folder / "profiles.gctx", folder / "inferred.gctx"
    write_gctx(data, given)
    return main(
        ["infer", "--model", str(model), "--expression", str(given), "--out", str(out), *options]
    ), out


def test_blocks_give_what_the_whole_gives(tmp_path, model):
    data, values = profiles()
    status, out = infer(tmp_path, model, data, "--block", "10")
    found = read_gctx(out)
    assert status == 0
    np.testing.assert_allclose(found.X, model_files.load(model).predict(values), rtol=1e-5)
    assert found.obs["tissue"].tolist() == ["Liver"] * 57
    assert list(found.obs_names) == list(data.obs_names)
    assert found.var["symbol"].tolist() == [f"TG{i}" for i in range(TARGETS)]


def test_output_says_that_it_is_predicted_and_by_what(tmp_path, model):
    _, out = infer(tmp_path, model, profiles()[0])
    with h5py.File(out) as file:
        told = json.loads(file.attrs["provenance"])
    assert told["what"] == "predicted expression, not measured"
    assert told["model"]["provenance"] == {"dataset": "made-set", "role": "twin"}
    assert len(told["expression"]["sha256"]) == len(told["model"]["sha256"]) == 64


@pytest.mark.parametrize("kind", ["gct", "csv", "h5ad"])
def test_other_formats_and_other_names(tmp_path, model, kind):
    data, _ = profiles(genes=GENES.set_index("symbol") if kind == "gct" else GENES.set_index("ensembl"))
    given, options = tmp_path / f"profiles.{kind}", []
    if kind == "gct":
        write_gct(data, given)
    elif kind == "h5ad":
        data.write_h5ad(given)
    else:
        pd.DataFrame(data.X, index=data.obs_names, columns=data.var_names).to_csv(given)
        options = ["--samples-in", "rows"]
    out = tmp_path / "out.gctx"
    asked = ["infer", "--model", str(model), "--expression", str(given), "--out", str(out), "--block", "20"]
    assert main([*asked, *options]) == 0
    _, whole = infer(tmp_path, model, profiles()[0])
    np.testing.assert_allclose(read_gctx(out).X, read_gctx(whole).X, rtol=1e-3, atol=1e-3)


def test_missing_landmarks_are_named_and_get_the_mean(tmp_path, model, capsys):
    data, values = profiles()
    less = data[:, [name for name in data.var_names if name not in ("1003", "1007")]].copy()
    status, out = infer(tmp_path, model, less)
    assert status == 0
    assert (
        "2 of 40 landmarks (5.0%) are missing: LM3, LM7; they get the training mean"
        in capsys.readouterr().err
    )
    values[:, [3, 7]] = MEAN[[3, 7]]
    np.testing.assert_allclose(
        read_gctx(out).X, model_files.load(model).predict(values), rtol=1e-3, atol=1e-3
    )


def test_too_many_missing_landmarks_are_refused(tmp_path, model, capsys):
    data, _ = profiles()
    less = data[:, [name for name in data.var_names if name not in ("1003", "1007", "1009")]].copy()
    status, out = infer(tmp_path, model, less)
    assert (status, out.exists()) == (1, False)
    error = capsys.readouterr().err
    assert "3 of 40 landmarks (7.5%) are missing: LM3, LM7, LM9. Allowed are 5%" in error
    assert infer(tmp_path, model, less, "--max-missing", "0.08")[0] == 0


def test_sample_with_gaps_is_refused_by_name_and_leaves_nothing(tmp_path, model, capsys):
    data, _ = profiles()
    data.X[41, 5:9] = np.nan
    status, out = infer(tmp_path, model, data, "--block", "10")
    assert (status, out.exists()) == (1, False)
    assert "sample 's41' has no value for 4 of 40 landmarks" in capsys.readouterr().err
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".part"]


def test_single_gaps_are_counted(tmp_path, model, capsys):
    data, _ = profiles()
    data.X[[3, 41], 6] = np.nan
    assert infer(tmp_path, model, data)[0] == 0
    assert "2 single values were missing" in capsys.readouterr().err


def test_ambiguous_landmark_is_refused(tmp_path, model, capsys):
    data, _ = profiles()
    data.var_names = [f"x{i}" for i in range(data.n_vars)]
    data.var["symbol"] = [*["LM0", "LM0"], *(f"LM{i}" for i in range(1, LANDMARKS)), "a", "b", "c", "d"]
    status, out = infer(tmp_path, model, data)
    assert (status, out.exists()) == (1, False)
    assert "landmark 'LM0' is found 2 times ('x0', 'x1')" in capsys.readouterr().err


def test_values_unlike_the_training_s_are_told_with_their_distance(tmp_path, model, capsys):
    infer(tmp_path, model, profiles()[0])
    assert "warning" not in capsys.readouterr().err
    infer(tmp_path, model, profiles(1)[0], "--force")  # one sample lies 0.67 sds away by chance
    assert "warning" not in capsys.readouterr().err
    data, _ = profiles(shift=3 * SCALE)
    infer(tmp_path, model, data, "--force")
    error = capsys.readouterr().err
    assert "do not look like the training's" in error
    assert "lies 3.0 training sds" in error


def test_own_statistics_take_a_shift_out(tmp_path, model):
    data, values = profiles(shift=3 * SCALE)
    _, out = infer(tmp_path, model, data, "--statistics", "own", "--block", "10")
    own = (values - values.mean(axis=0)) / values.std(axis=0)
    expected = model_files.load(model).predict(own * SCALE + MEAN)
    np.testing.assert_allclose(read_gctx(out).X, expected, rtol=1e-3, atol=1e-3)


def test_own_statistics_pass_over_gaps(tmp_path, model):
    data, values = profiles(shift=3.0)
    places = data.var_names.get_indexer(GENES.index)
    data.X[:10, places[1]] = values[:10, 1] = np.nan  # all of the first block
    status, out = infer(tmp_path, model, data, "--statistics", "own", "--block", "10", "--max-missing", "0.1")
    spread = np.nanstd(values, axis=0, dtype=float)
    mean = np.nanmean(values, axis=0, dtype=float)
    assert status == 0
    expected = model_files.load(model).predict(values, mean=mean, scale=spread)
    np.testing.assert_allclose(read_gctx(out).X, expected, rtol=1e-4, atol=1e-3)


def test_reference_of_the_training_is_handed_out_by_rank(tmp_path):
    reference = np.linspace(4, 15, LANDMARKS)
    stored = keep_model(tmp_path / "ranks", reference)
    data, values = profiles()
    status, out = infer(tmp_path, tmp_path / "ranks", data)
    brought = np.take(reference, values.argsort(axis=1).argsort(axis=1))
    assert status == 0
    np.testing.assert_allclose(normalise(values, reference, "microarray"), brought, rtol=1e-6)
    expected = stored.predict(values, normalise=lambda *_: brought)
    np.testing.assert_allclose(read_gctx(out).X, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "x.csv"], "the result is a GCTX file"),
        (["--max-missing", "1.5"], "--max-missing 1.5: a share"),
        (["--block", "0"], "--block 0: at least 1"),
        (["--model", "absent.json"], "absent.json: no such file"),
        (["--expression", "absent.gctx"], "absent.gctx: no such file"),
        (["--samples-in", "rows"], "leave out --samples-in"),
        (["--out", "/dev/null/x.gctx"], "nothing can be written in /dev/null"),
    ],
)
def test_wrong_options_are_refused(tmp_path, model, capsys, options, message):
    assert infer(tmp_path, model, profiles()[0], *options)[0] == 1
    assert message in capsys.readouterr().err


def test_what_was_taken_for_samples_genes_and_values_is_said(tmp_path, model, capsys):
    data, _ = profiles(n_samples=4)
    table = pd.DataFrame(data.X, index=data.obs_names, columns=data.var_names)
    table.to_csv(tmp_path / "mine.csv", index_label="id")
    given = ["--model", str(model), "--expression", str(tmp_path / "mine.csv"), "--samples-in", "rows"]
    assert main(["infer", *given, "--out", str(tmp_path / "out.gctx")]) == 0
    said = capsys.readouterr().err
    assert "comma between cells" in said
    assert "sample ids in column 'id'" in said
    least, most = f"{table.min().min():g}", f"{table.max().max():g}"
    assert f"4 samples (s0, ...) x 45 genes (other0, ...), values from {least} to {most}" in said


def test_a_file_that_is_there_is_not_replaced(tmp_path, model, capsys):
    _, out = infer(tmp_path, model, profiles()[0])
    before = out.read_bytes()
    assert infer(tmp_path, model, profiles()[0])[0] == 1
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_the_profiles_are_never_replaced_by_their_predictions(tmp_path, model, capsys):
    given = tmp_path / "profiles.gctx"
    assert infer(tmp_path, model, profiles()[0], "--out", str(given), "--force")[0] == 1
    assert "is the file of --expression" in capsys.readouterr().err
    assert read_gctx(given).shape == profiles()[0].shape


def test_a_folder_is_no_output(tmp_path, model, capsys):
    (tmp_path / "results.gctx").mkdir()
    assert infer(tmp_path, model, profiles()[0], "--out", str(tmp_path / "results.gctx"), "--force")[0] == 1
    assert "is a folder: name a file in it" in capsys.readouterr().err


def test_samples_in_the_place_of_genes_are_recognised(tmp_path, model, capsys):
    assert infer(tmp_path, model, profiles()[0].T.copy(), "--max-missing", "0.9")[0] == 1
    error = capsys.readouterr().err
    assert "none of the model's 40 landmarks (as 'LM0') is a gene of it; its genes begin with 's0'" in error
    assert "--max-missing" not in error


def test_killed_half_way_leaves_no_result(tmp_path, model):
    """The process is killed while blocks are written: the output's name is not there."""
    write_gctx(profiles(3000)[0], tmp_path / "profiles.gctx")
    slow = (
        "import sys, time, exprml_press.cli, exprml.models.model_files as s\n"
        "usual = s.StoredModel.predict\n"
        "def predict(self, *a, **k):\n"
        "    print('block', flush=True); time.sleep(0.2)\n"
        "    return usual(self, *a, **k)\n"
        "s.StoredModel.predict = predict\n"
        "sys.exit(exprml_press.cli.main(sys.argv[1:]))"
    )
    out = tmp_path / "inferred.gctx"
    asked = [
        "infer",
        "--model",
        model,
        "--expression",
        tmp_path / "profiles.gctx",
        "--out",
        out,
        "--block",
        "20",
    ]
    started = subprocess.Popen([sys.executable, "-c", slow, *map(str, asked)], stdout=subprocess.PIPE)
    assert started.stdout.readline() == b"block\n"
    time.sleep(0.3)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    assert not out.exists()


def test_memory_does_not_grow_with_the_samples(tmp_path, model):
    peaks = []
    for n_samples in (2000, 20000):
        folder = tmp_path / str(n_samples)
        folder.mkdir()
        write_gctx(profiles(n_samples)[0], folder / "profiles.gctx")
        asked = ["--model", str(model), "--expression", str(folder / "profiles.gctx"), "--block", "200"]
        tracemalloc.start()
        assert main(["infer", *asked, "--out", str(folder / "out.gctx")]) == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    per_sample = (peaks[1] - peaks[0]) / 18000
    assert per_sample < 350  # bytes for its id and tissue; its values read and predicted are 260 more
