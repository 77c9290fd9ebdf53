"""Inference of target genes: who trains, what is scaled by whom, and errors by hand."""

from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.evaluation import compare, inference
from exprml.evaluation.gene_errors import gene_errors

SAMPLES, LANDMARKS, TARGETS = 60, 4, 6


def expression(n=SAMPLES, seed=0, shift=0.0, first_patient=0):
    """Return samples of patients that have two each; targets stand before landmarks."""
    generator = np.random.default_rng(seed)
    landmarks = generator.normal(size=(n, LANDMARKS)) + shift
    weights = np.random.default_rng(1).normal(size=(LANDMARKS, TARGETS))
    targets = landmarks @ weights + 0.3 * generator.normal(size=(n, TARGETS))
    kind = np.arange(TARGETS + LANDMARKS) < TARGETS
    names = [f"t{i}" for i in range(TARGETS)] + [f"l{i}" for i in range(LANDMARKS)]
    return AnnData(
        np.hstack([targets, landmarks]).astype(np.float32),
        obs=pd.DataFrame({"patient": np.arange(n) // 2 + first_patient}, index=[f"s{i}" for i in range(n)]),
        var=pd.DataFrame({"is_landmark": ~kind, "is_target": kind}, index=names),
    )


class Recorder(RegressorMixin, BaseEstimator):
    """Predicts zero and remembers what it was given."""

    given: list = []  # noqa: RUF012 - shared on purpose: clones are fitted

    def fit(self, X, Y, groups=None, *, validation=None, watch=None):
        self.n_targets_ = Y.shape[1]
        self.given.append({"X": X, "Y": Y, "groups": groups, "validation": validation, "watch": watch})
        return self

    def predict(self, X):
        return np.zeros((len(X), self.n_targets_), dtype=np.float32)


@pytest.fixture
def recorder():
    Recorder.given.clear()
    return Recorder()


def value(found, model, metric="mean_absolute_error"):
    rows = found.scores[(found.scores["model"] == model) & (found.scores["metric"] == metric)]
    return rows["value"].mean()


def test_errors_of_a_tiny_case_by_hand():
    truth = np.array([[0.0, 2.0], [2.0, 2.0], [4.0, 2.0]])
    predicted = np.array([[1.0, 2.0], [2.0, 4.0], [1.0, 3.0]])
    errors, by_sample = gene_errors(truth, predicted, ["a", "b"])
    assert list(errors["gene"]) == ["a", "b"]
    assert np.allclose(errors["absolute_error"], [4 / 3, 1.0])
    assert np.allclose(errors["squared_error"], [10 / 3, 5 / 3])
    assert np.allclose(errors["correlation"], [0.0, np.nan], equal_nan=True)
    assert np.allclose(errors["r2"], [1 - (10 / 3) / (8 / 3), np.nan], equal_nan=True)
    assert np.allclose(by_sample, [0.5, 1.0, 2.0])
    scores = inference.overall(errors)
    assert scores["mean_absolute_error"] == pytest.approx(7 / 6)
    assert scores["sd_over_genes"] == pytest.approx(1 / 6)
    assert scores["correlation"] == pytest.approx(0.0)


def test_errors_do_not_depend_on_the_blocks(monkeypatch):
    truth, predicted = np.random.default_rng(0).normal(size=(2, 9, 7))
    whole = gene_errors(truth, predicted, list("abcdefg"))
    monkeypatch.setattr("exprml.evaluation.gene_errors.GENES_AT_ONCE", 3)
    blocks = gene_errors(truth, predicted, list("abcdefg"))
    pd.testing.assert_frame_equal(whole.by_gene, blocks.by_gene)
    assert np.allclose(whole.by_sample, blocks.by_sample)
    assert np.allclose(blocks.by_gene["correlation"][4], np.corrcoef(truth[:, 4], predicted[:, 4])[0, 1])


def test_predictions_that_are_not_finite_or_of_another_shape_are_refused():
    truth = np.zeros((3, 2))
    with pytest.raises(DataError, match="1 genes are not finite, as of 'b'"):
        gene_errors(truth, np.array([[0, 0], [0, np.nan], [0, 0]]), ["a", "b"])
    with pytest.raises(DataError, match=r"shape \(3, 1\)"):
        gene_errors(truth, truth[:, :1], ["a", "b"])


def test_three_parts_are_80_10_10_of_the_groups_and_never_share_one():
    groups = np.repeat(np.arange(50), 2)
    tested = []
    for fold in range(10):
        parts = inference.three_parts(groups, fold=fold)
        sets = [set(groups[part]) for part in parts]
        assert [len(one) for one in sets] == [40, 5, 5]
        assert len(set.union(*sets)) == 50
        assert sorted(np.concatenate(parts)) == list(range(100))
        tested.append(sets[2])
        following = inference.three_parts(groups, fold=(fold + 1) % 10)
        assert sets[1] == set(groups[following.test])
    assert set.union(*tested) == set(range(50))
    other = inference.three_parts(groups, seed=1)
    assert set(groups[other.test]) != tested[0]


def test_parts_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match="n_folds=2"):
        inference.three_parts([1, 2, 3], n_folds=2)
    with pytest.raises(ParameterError, match="fold=3"):
        inference.three_parts([1, 2, 3], n_folds=3, fold=3)
    with pytest.raises(DataError, match="2 groups cannot be cut into 3 folds"):
        inference.three_parts([1, 2, 2], n_folds=3)


def test_scaling_and_fit_know_training_samples_alone(recorder):
    data = expression()
    inference.infer({"net": recorder}, data)
    parts = inference.three_parts(data.obs["patient"])
    scaler = StandardScaler().fit(data.X[parts.train])
    given = Recorder.given[0]
    assert np.allclose(given["X"], scaler.transform(data.X[parts.train])[:, TARGETS:], atol=1e-5)
    assert np.allclose(given["Y"], scaler.transform(data.X[parts.train])[:, :TARGETS], atol=1e-5)
    assert np.allclose(given["validation"][1], scaler.transform(data.X[parts.validation])[:, :TARGETS])
    assert list(given["groups"]) == list(data.obs["patient"].iloc[parts.train])
    assert given["watch"] is None


@pytest.mark.parametrize(("prepare_on", "same"), [("training", True), ("all", False)])
def test_changing_test_samples_changes_no_fit_unless_scaling_is_told_to_see_all(recorder, prepare_on, same):
    data = expression()
    changed = data.copy()
    changed.X[inference.three_parts(data.obs["patient"]).test] += 100
    for one in (data, changed):
        inference.infer({"net": recorder}, one, prepare_on=prepare_on)
    first, second = Recorder.given
    assert np.allclose(first["X"], second["X"]) is same
    assert np.allclose(first["validation"][1], second["validation"][1]) is same


def test_test_samples_are_handed_to_a_watch_only_when_asked(recorder):
    found = inference.infer({"net": recorder}, expression(), watch_test=True)
    assert np.array_equal(Recorder.given[0]["watch"]["test"][1], found.data.test.y)


def test_a_pipeline_gets_groups_and_no_validation(recorder):
    inference.infer({"net": make_pipeline(StandardScaler(), recorder)}, expression())
    assert Recorder.given[0]["validation"] is None
    assert len(Recorder.given[0]["groups"]) == len(Recorder.given[0]["X"])


def test_errors_and_tables_of_a_run_agree_with_each_other():
    models = {"ols": LinearRegression(), "zero": DummyRegressor()}
    found = inference.infer(models, expression(), folds_run=2, seeds=(0, 1), keep_fitted=True, task="t")
    assert set(found.scores["n_train"]) == {48}
    assert set(found.scores["split"]) == {"group"}
    assert set(found.scores["task"]) == {"t"}
    keys = ["model", "fold", "seed"]
    error = found.scores[found.scores["metric"] == "mean_absolute_error"].set_index(keys)["value"]
    for table in (found.genes, found.samples):
        again = table.groupby(keys)["absolute_error"].mean().reindex(error.index)
        assert np.allclose(again, error)
    assert len(error) == 2 * 2 * 2
    assert error["ols"].max() < 0.25 < 0.6 < error["zero"].min()
    predicted = found.fitted["ols"].predict(found.data.test.X)
    by_hand = np.abs(predicted - found.data.test.y).mean()
    assert error["ols", 0, 0] == pytest.approx(by_hand, rel=1e-5)
    assert list(found.data.targets) == [f"t{i}" for i in range(TARGETS)]


def test_of_the_first_fold_each_tenth_of_the_patients_has_its_error_whatever_the_seed():
    found = inference.infer({"ols": LinearRegression()}, expression(), folds_run=2, seeds=(0, 1))
    tenths = found.scores[found.scores["metric"].str.startswith(compare.PATIENTS)]
    assert set(tenths["fold"]) == {0}
    samples = found.samples[found.samples["fold"] == 0]
    samples = samples.assign(tenth=[crc32(str(one).encode()) % 10 for one in samples["group"]])
    known = samples.groupby(["seed", "tenth"])["absolute_error"].mean()
    named = tenths["metric"].str.removeprefix(compare.PATIENTS).astype(int)
    again = tenths.assign(tenth=named).set_index(["seed", "tenth"])["value"]
    assert np.allclose(again.reindex(known.index), known)
    assert len(again) == len(known) > 2


def test_validation_error_is_scored_when_asked():
    found = inference.infer(
        {"ols": LinearRegression()}, expression(), score_validation=True, keep_fitted=True
    )
    X, Y = found.data.validation[:2]
    expected = np.abs(found.fitted["ols"].predict(X) - Y).mean()
    assert value(found, "ols", "validation_mean_absolute_error") == pytest.approx(expected, rel=1e-5)


def test_controls_are_named():
    models = {"ols": LinearRegression(), "mean": DummyRegressor()}
    models["zero"] = DummyRegressor(strategy="constant", constant=np.zeros(TARGETS))
    table = inference.infer(models, expression(), shuffle_targets=True).scores
    control = table.groupby("model")["control"].first()
    assert dict(control) == {"ols": "shuffled targets", "mean": "predict zero", "zero": "predict zero"}


def test_shuffled_targets_are_the_same_rows_in_another_order(recorder):
    X, Y = inference.infer({"net": recorder}, expression()).data.train[:2]
    found = inference.infer({"net": recorder}, expression(), shuffle_targets=True)
    given = Recorder.given[1]
    assert np.array_equal(given["X"], X)
    assert not np.array_equal(given["Y"], Y)
    assert np.array_equal(np.sort(given["Y"][:, 0]), np.sort(Y[:, 0]))
    assert np.array_equal(given["validation"][1], found.data.validation.y)


def test_targets_choose_what_is_predicted_and_not_what_is_prepared():
    data = expression()
    seen = []
    prepare = FunctionTransformer(lambda values: seen.append(values.shape[1]) or values)
    found = inference.infer({"ols": LinearRegression()}, data, prepare=prepare, targets=["t4", "t1"])
    assert set(seen) == {TARGETS + LANDMARKS}
    assert list(found.data.targets) == list(found.genes["gene"]) == ["t1", "t4"]
    with pytest.raises(UnknownNameError, match="t9"):
        inference.infer({"ols": LinearRegression()}, data, targets=["t9"])


def test_without_groups_samples_are_split_one_by_one_and_the_rows_say_so():
    data = expression()
    found = inference.infer({"ols": LinearRegression()}, data, groups=None)
    assert set(found.scores["split"]) == {"sample"}
    trained = set(data.obs["patient"].iloc[found.data.train.groups])
    assert trained & set(data.obs.loc[found.data.test.names, "patient"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.var.drop(columns="is_target", inplace=True), "no column 'is_target'"),
        (lambda data: data.var.__setitem__("is_landmark", False), "0 landmark and 6 target genes"),
        (lambda data: data.var.__setitem__("is_landmark", True), "6 of them both"),
        (lambda data: data.X.__setitem__((3, 1), np.nan), "1 genes have values that are missing.*'t1'"),
        (lambda data: data.obs.__setitem__("patient", 1), "1 groups cannot be cut"),
    ],
)
def test_expression_that_cannot_be_used_is_refused(change, words):
    data = expression()
    change(data)
    with pytest.raises(DataError, match=words):
        inference.infer({"ols": LinearRegression()}, data)


def test_unknown_options_are_refused():
    data, models = expression(), {"ols": LinearRegression()}
    with pytest.raises(UnknownNameError, match="did you mean 'patient'"):
        inference.infer(models, data, groups="patients")
    with pytest.raises(UnknownNameError, match="prepare_on"):
        inference.infer(models, data, prepare_on="test")
    with pytest.raises(ParameterError, match="folds_run=11"):
        inference.infer(models, data, folds_run=11)
    with pytest.raises(ParameterError, match="no models"):
        inference.infer({}, data)


def test_across_leaves_shared_patients_out_of_the_source_and_counts_them(recorder):
    source, target = expression(), expression(20, seed=5, first_patient=27)  # patients 27, 28, 29 are in both
    found = inference.infer_across({"net": recorder}, source, target, n_folds=3)
    assert found.data.left_out == 3
    assert not set(found.data.train.groups) & set(target.obs["patient"])
    assert len(found.samples) == 20
    assert len(found.data.train.X) + len(found.data.validation.X) == 54
    assert set(found.scores["split"]) == {"across"}


def test_across_needs_groups_that_mean_the_same_on_both_sides():
    data = expression()
    with pytest.raises(ParameterError, match="groups=None: an obs column of both is needed"):
        inference.infer_across({"ols": LinearRegression()}, data, data, groups=None)


def test_across_validates_on_a_fold_of_the_source_or_of_the_target():
    source, target = expression(), expression(20, seed=5, first_patient=100)
    run = {"n_folds": 5, "models": {"ols": LinearRegression()}}
    on_source = inference.infer_across(source=source, target=target, **run).data
    assert [len(one[0]) for one in (on_source.train, on_source.validation, on_source.test)] == [48, 12, 20]
    on_target = inference.infer_across(source=source, target=target, validation="target", **run).data
    assert [len(one[0]) for one in (on_target.train, on_target.validation, on_target.test)] == [60, 4, 16]
    assert np.isin(on_target.test.groups, target.obs["patient"]).all()


def test_a_third_collection_chooses_and_all_of_the_target_tests():
    source, target = expression(), expression(20, seed=5, first_patient=100)
    third = expression(12, seed=6, shift=3.0, first_patient=22)  # patients 22 to 29 are the source's, too
    third = third[:, ::-1][:, :-1].copy()  # without t0
    run = {"models": {"ols": LinearRegression()}, "source": source, "target": target}
    data = inference.infer_across(validation=third, target_statistics="own", folds_run=2, **run).data
    assert [len(one[0]) for one in (data.validation, data.test)] == [12, 20]
    assert not set(data.train.groups) & {*third.obs["patient"], *target.obs["patient"]}
    assert list(data.targets) == ["t1", "t2", "t3", "t4", "t5"]
    assert np.allclose(data.validation.y.mean(axis=0), 0, atol=1e-5)  # prepared by its own statistics
    borrowed = inference.infer_across(validation=third, **run)
    assert borrowed.data.validation.y.mean() > 1
    assert set(borrowed.scores["fold"]) == {0}


def test_across_takes_the_genes_of_both_by_name():
    source, target = expression(), expression(20, seed=5, first_patient=100)
    turned = target[:, ::-1][:, :-2].copy()  # without t0 and t1, in another order
    found = inference.infer_across({"ols": LinearRegression()}, source, turned)
    assert list(found.data.targets) == ["t2", "t3", "t4", "t5"]
    same = inference.infer_across({"ols": LinearRegression()}, source[:, 2:].copy(), target[:, 2:].copy())
    assert value(found, "ols") == pytest.approx(value(same, "ols"))
    turned.var["is_landmark"] = ~turned.var["is_landmark"]
    turned.var["is_target"] = ~turned.var["is_landmark"]
    with pytest.raises(DataError, match="landmarks in source or target alone, as 't2'"):
        inference.infer_across({"ols": LinearRegression()}, source, turned)


def test_own_statistics_hide_a_shift_that_source_statistics_show():
    source, target = expression(), expression(20, seed=5, shift=3.0, first_patient=100)
    zero = {"zero": DummyRegressor()}
    borrowed = inference.infer_across(zero, source, target)
    own = inference.infer_across(zero, source, target, target_statistics="own")
    assert value(own, "zero") < 1 < value(borrowed, "zero")
    assert np.allclose(own.data.test.X.mean(axis=0), 0, atol=1e-5)
    assert not np.allclose(borrowed.data.test.X.mean(axis=0), 0, atol=0.5)


def test_own_statistics_refit_the_last_step_alone_and_adapt_changes_the_first():
    source, target = expression(), expression(20, seed=5, first_patient=100)
    prepare = make_pipeline(StandardScaler(with_std=False), StandardScaler(with_mean=False))
    run = {"models": {"zero": DummyRegressor()}, "source": source, "target": target, "prepare": prepare}
    own = inference.infer_across(target_statistics="own", **run).data
    centred = target.X - own.prepare[0].mean_
    expected = centred / centred.std(axis=0)
    assert np.allclose(own.test.y, expected[:, :TARGETS], atol=1e-4)

    def doubled(fitted):
        return make_pipeline(
            FunctionTransformer(lambda values: 2 * values), *(step for _, step in fitted.steps)
        )

    twice = inference.infer_across(adapt=doubled, **run).data
    assert np.allclose(twice.test.y, own.prepare.transform(2 * target.X)[:, :TARGETS], atol=1e-4)
    assert np.allclose(twice.train.y, own.train.y)


GENES = pd.DataFrame(
    {
        "gene": list("abcd") * 2,
        "absolute_error": [0.5, 0.9, 0.2, 0.4, 1.0, 1.0, 0.4, 0.2],
        "model": ["net"] * 4 + ["ols"] * 4,
        "setting": "", "control": "", "fold": 0, "seed": 0,
    }
)  # fmt: skip


def test_gene_wins_by_hand():
    wins = inference.gene_wins(GENES, "net", "ols")
    assert wins.share == 0.75
    assert wins.n_genes == 4
    assert list(wins.gains.round(9)) == [0.5, 0.1, 0.5, -1.0]
    assert wins.median == pytest.approx(0.3)
    assert wins.low == pytest.approx(np.quantile([0.5, 0.1, 0.5, -1.0], 0.05))
    assert wins.high == pytest.approx(0.5)
    assert inference.gene_wins(GENES, "net", "net").share == 0.0  # equal is no win


def test_gene_wins_average_folds_first_and_compare_only_shared_ones():
    other = GENES[GENES["model"] == "net"].assign(fold=1, absolute_error=0.0)
    assert inference.gene_wins(pd.concat([GENES, other]), "net", "ols").share == 0.75
    both = pd.concat([GENES, GENES.assign(fold=1, absolute_error=[9.0] * 4 + [0.0] * 4)])
    assert inference.gene_wins(both, "net", "ols").share == 0.0


def test_sides_are_models_or_models_with_their_setting_and_never_shuffled():
    literal = GENES[GENES["model"] == "net"].assign(setting="literal", absolute_error=2.0)
    shuffled = GENES[GENES["model"] == "net"].assign(control="shuffled targets", absolute_error=3.0)
    table = pd.concat([GENES, literal, shuffled])
    assert inference.gene_wins(table, ("net", ""), "ols").share == 0.75
    assert inference.gene_wins(table, ("net", "literal"), "ols").share == 0.0
    with pytest.raises(ParameterError, match=r"settings \['', 'literal'\]"):
        inference.gene_wins(table, "net", "ols")
    with pytest.raises(UnknownNameError, match="setting 'liberal': did you mean 'literal'"):
        inference.gene_wins(table, ("net", "liberal"), "ols")
    with pytest.raises(UnknownNameError, match="model 'nett'"):
        inference.gene_wins(table, "nett", "ols")


def samples(errors, groups, model):
    """Return rows of ``Inference.samples``."""
    table = pd.DataFrame({"sample": range(len(errors)), "group": groups, "absolute_error": errors})
    return table.assign(model=model, setting="", control="", fold=0, seed=0)


def test_error_reduction_by_hand_and_the_bootstrap_keeps_patients_whole():
    # Within each patient one sample is far better and one far worse: samples vary, patients do not.
    groups = np.repeat(np.arange(10), 2)
    table = pd.concat([samples([0.1, 0.8] * 10, groups, "net"), samples([1.0] * 20, groups, "ols")])
    found = inference.error_reductions(table, {"net against ols": ("net", "ols")}).iloc[0]
    assert found["mean"] == pytest.approx(0.55)
    assert found["low"] == pytest.approx(0.55)
    assert found["high"] == pytest.approx(0.55)
    assert found["n_groups"] == 10
    alone = table.assign(group=table["sample"])
    loose = inference.error_reductions(alone, {"net against ols": ("net", "ols")}).iloc[0]
    assert loose["low"] < 0.5 < 0.6 < loose["high"]
    assert loose["p_value"] == pytest.approx(1 / 2000)


def test_no_difference_is_no_evidence():
    generator = np.random.default_rng(0)
    table = pd.concat([samples(generator.uniform(0.5, 1, 40), range(40), name) for name in ("net", "ols")])
    found = inference.error_reductions(table, {"net against ols": ("net", "ols")}, n_draws=500).iloc[0]
    assert found["low"] < 0 < found["high"]
    assert found["p"] > 0.05


def test_joined_tables_hold_the_rows_of_all():
    run = {"models": {"ols": LinearRegression()}, "expression": expression()}
    parts = inference.infer(**run, setting="a"), inference.infer(**run, setting="b", shuffle_targets=True)
    both = inference.joined(*parts)
    assert list(both.scores["setting"].unique()) == ["a", "b"]
    assert len(both.genes) == 2 * TARGETS
    assert both.data is parts[0].data


def test_advantages_are_rows_of_each_fold():
    other = GENES.assign(fold=1, absolute_error=[0.5] * 4 + [1.0] * 4)
    rows = inference.advantages(pd.concat([GENES, other]), {"against ols": ("net", "ols")})
    found = rows.set_index(["fold", "metric"])["value"]
    assert found[0, "error_reduction"] == pytest.approx(1 - 2.0 / 2.6)
    assert found[0, "share_of_genes"] == 0.75
    assert found[0, "median_gain"] == pytest.approx(0.3)
    assert found[1, "error_reduction"] == pytest.approx(0.5)
    assert set(rows["setting"]) == {"against ols"}
    assert set(rows["model"]) == {"net"}
    wide = GENES.assign(setting=np.where(GENES["model"] == "net", "wide", ""))
    named = inference.advantages(wide, {"against ols": (("net", "wide"), "ols")})
    assert set(named["setting"]) == {"wide, against ols"}
