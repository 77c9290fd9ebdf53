"""Golden values come from R's limma (tests/golden/make_golden.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from exprml.base.errors import DataError, ParameterError
from exprml.evaluation.linear_signal import remove_linear_signal

GOLDEN = Path(__file__).parents[1] / "golden"


def golden(name):
    """Return values (samples x genes) of one golden file."""
    return pd.read_csv(GOLDEN / f"{name}.csv", index_col=0).T


def labels_of(case):
    return pd.read_csv(GOLDEN / f"{case}_batch.csv", index_col=0)


def design_case():
    table = labels_of("design")
    design = np.column_stack([np.ones(len(table)), table["treatment"] == "drug"]).astype(float)
    return golden("design_input"), table, design


@pytest.mark.parametrize("case", ["two", "five", "crossed"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_equals_limma(case, order):
    X = np.array(golden(f"{case}_input").to_numpy(), order=order)
    result = remove_linear_signal(X, labels_of(case))
    assert np.abs(result - golden(f"{case}_output").to_numpy()).max() < 1e-10


@pytest.mark.parametrize("order", ["C", "F"])
def test_equals_limma_with_design_and_covariate(order):
    X, table, design = design_case()
    X = np.array(X.to_numpy(), order=order)
    result = remove_linear_signal(
        X, table["batch"].to_numpy(), design=design, covariates=table["age"].to_numpy()
    )
    assert np.abs(result - golden("design_output").to_numpy()).max() < 1e-10


def test_equals_limma_with_design_alone():
    X, table, design = design_case()
    result = remove_linear_signal(X, table["batch"], design=design)
    assert isinstance(result, pd.DataFrame)
    assert result.index.equals(X.index)
    assert np.abs(result - golden("design_output_batch_only")).to_numpy().max() < 1e-10


def test_fast_form_equals_the_general_one():
    X, labels = golden("five_input").to_numpy(), labels_of("five")["batch"].to_numpy()
    intercept = np.ones((len(X), 1))
    fast, general = remove_linear_signal(X, labels), remove_linear_signal(X, labels, design=intercept)
    assert np.abs(fast - general).max() < 1e-12


def test_class_means_become_equal_and_input_is_untouched():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 50)
    X = generator.normal(size=(50, 7)) + labels[:, None]
    before = X.copy()
    result = remove_linear_signal(X, labels)
    means = np.array([result[labels == k].mean(axis=0) for k in range(3)])
    assert np.ptp(means, axis=0).max() < 1e-12
    assert np.array_equal(X, before)


def test_float32_stays_and_is_summed_in_double():
    generator = np.random.default_rng(1)
    X = (generator.normal(size=(3000, 4)) + 10000).astype(np.float32)
    labels = np.arange(3000) % 2
    result = remove_linear_signal(X, labels)
    exact = remove_linear_signal(X.astype(np.float64), labels)
    assert result.dtype == np.float32
    assert np.array_equal(result, exact.astype(np.float32))


def test_sparse_becomes_dense():
    result = remove_linear_signal(sparse.csr_matrix(golden("two_input").to_numpy()), labels_of("two"))
    assert np.allclose(result, golden("two_output").to_numpy(), atol=1e-10)


def test_covariates_alone():
    X, table, _ = design_case()
    age = table["age"].to_numpy()
    result = remove_linear_signal(X.to_numpy(), None, covariates=age)
    slopes = np.polyfit(age, result, 1)[0]
    assert np.abs(slopes).max() < 1e-10


X = np.arange(12.0).reshape(6, 2)
LABELS = list("aabbcc")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, LABELS[:5]), "labels has 5 entries for 6 samples"),
        ((X, ["a"] * 6), "single class 'a'"),
        ((X, ["a", None, "b", None, "b", "a"]), "2 of 6 samples have no label"),
        ((X[:0], []), "0 samples x 2 features"),
        ((X[:, :0], LABELS), "6 samples x 0 features"),
        ((X[0], LABELS), "samples x features"),
        ((X.astype(str), LABELS), "not numbers"),
        ((np.where(X < 3, np.nan, X), LABELS), "3 of 12 values are NaN"),
        ((np.where(X < 2, np.nan, X).astype(np.float32), LABELS), "2 of 12 values are NaN"),
        ((pd.DataFrame(X), pd.Series(LABELS, index=range(5, -1, -1))), "another order"),
        ((pd.DataFrame(X), pd.Series(LABELS, index=list("uvwxyz"))), "no entry for 6 of 6 samples, as 0 "),
        ((pd.DataFrame(X, list("uvwxyz")), pd.Series(LABELS)), "no entry for 6 of 6 samples, as 'u' "),
        ((pd.DataFrame(X), pd.Series(LABELS, index=range(1, 7))), "no entry for 1 of 6 samples, as 0 "),
        ((pd.DataFrame(X), pd.Series(LABELS * 2)), "12 entries for 6 samples"),
        ((np.ma.masked_less(X, 3), LABELS), "X: 3 of 12 values are masked"),
        ((X, np.ma.masked_equal([1, 1, 2, 2, 9, 9], 9)), "labels: 2 of 6 values are masked"),
        ((AnnData(X), LABELS), "of AnnData give .X"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(DataError, match=message):
        remove_linear_signal(*arguments)


def test_confounded_label_is_named():
    second = list("xxyyyy")  # a = x, so that the two label columns explain each other
    with pytest.raises(DataError, match=r"labels 2 'x' cannot be told apart"):
        remove_linear_signal(X, np.column_stack([LABELS, second]))


def test_confounded_design_is_named():
    design = np.column_stack([np.ones(6), [1, 1, 0, 0, 0, 0]])
    with pytest.raises(DataError, match="confounded design: labels"):
        remove_linear_signal(X, LABELS, design=design)


def test_covariate_of_another_length_or_kind():
    with pytest.raises(DataError, match="covariates has 2 entries for 6 samples"):
        remove_linear_signal(X, LABELS, covariates=[1.0, 2.0])
    with pytest.raises(DataError, match="covariates must be numbers"):
        remove_linear_signal(X, LABELS, covariates=list("uvwxyz"))


def test_nothing_to_remove():
    with pytest.raises(ParameterError, match="give labels"):
        remove_linear_signal(X, None)
