"""Errors turned round and counted in another unit."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.base import BaseEstimator, RegressorMixin

from exprml.base.errors import DataError, ParameterError
from exprml.evaluation import inference


def samples(error, model):
    columns = {"sample": range(len(error)), "group": range(len(error)), "absolute_error": error}
    return pd.DataFrame({**columns, "model": model, "setting": "", "control": "", "fold": 0, "seed": 0})


def test_an_increase_is_a_share_of_the_smaller_error_with_its_interval_in_order():
    table = pd.concat([samples([1.0, 3.0] * 10, "leaky"), samples([2.0, 3.0] * 10, "right")])
    pair = {"right against leaky": ("right", "leaky")}
    found = inference.error_reductions(table, pair, increases=True, seed=1).iloc[0]
    turned = inference.error_reductions(table, pair, seed=1).iloc[0]
    assert found["mean"] == pytest.approx(2.5 / 2.0 - 1)
    assert found["low"] < found["mean"] < found["high"]
    assert (found["low"], found["high"]) == (-turned["high"], -turned["low"])
    assert found["p_value"] == turned["p_value"]


class Half(RegressorMixin, BaseEstimator):
    """Predicts half of each target's landmark of the same number."""

    def fit(self, X, Y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X / 2


@pytest.fixture
def expression():
    values = np.random.default_rng(0).normal(size=(40, 2))
    return AnnData(
        np.hstack([values, values * [1.0, 3.0]]).astype(np.float32),
        obs=pd.DataFrame({"patient": np.arange(40)}, index=[f"s{i}" for i in range(40)]),
        var=pd.DataFrame(
            {"is_landmark": [True, True, False, False], "is_target": [False, False, True, True]}, list("abcd")
        ),
    )


def test_errors_in_another_unit_are_those_of_rescaled_values(expression):
    found = inference.infer({"half": Half()}, expression, keep_fitted=True)
    turned = inference.in_unit(found, pd.Series({"c": 1.0, "d": 10.0, "a": 7.0}), setting="tenfold")
    X, Y = found.data.test[:2]
    wrong = np.abs(X / 2 - Y) * [1.0, 10.0]
    assert np.allclose(turned.samples["absolute_error"], wrong.mean(axis=1))
    assert np.allclose(turned.genes["absolute_error"], wrong.mean(axis=0))
    assert np.allclose(turned.genes["correlation"], found.genes["correlation"])
    values = turned.scores.set_index("metric")["value"]
    assert values["mean_absolute_error"] == pytest.approx(wrong.mean(), rel=1e-5)
    assert list(turned.scores.columns) == list(found.scores.columns)
    assert {*turned.scores["setting"], *turned.samples["setting"]} == {"tenfold"}
    assert set(found.scores["setting"]) == {""}


def test_another_unit_needs_kept_models_one_fold_and_every_factor(expression):
    factors = pd.Series({"c": 1.0, "d": 1.0})
    with pytest.raises(ParameterError, match="keep_fitted"):
        inference.in_unit(inference.infer({"half": Half()}, expression), factors, setting="x")
    twice = inference.infer({"half": Half()}, expression, keep_fitted=True, folds_run=2)
    with pytest.raises(ParameterError, match="one fold"):
        inference.in_unit(twice, factors, setting="x")
    once = inference.infer({"half": Half()}, expression, keep_fitted=True)
    with pytest.raises(DataError, match="1 targets have no factor, as 'd'"):
        inference.in_unit(once, factors[["c"]], setting="x")
