import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.utils.estimator_checks import check_estimator

from exprml.base.errors import DataError, UnknownNameError
from exprml.data import preprocess


def test_logarithm_of_nothing_is_the_toil_floor_and_the_step_is_noted():
    adata = AnnData(np.array([[0.0, 0.999]], dtype=np.float32))
    result = preprocess.log_transform(adata)
    assert np.allclose(result.X, [[-9.965784, 0]])
    assert result.X.dtype == np.float32
    assert result.uns["provenance"]["steps"] == ["log base 2 of values + 0.001"]
    assert np.array_equal(adata.X, np.float32([[0, 0.999]]))
    assert "provenance" not in adata.uns
    with pytest.raises(DataError, match="1 values have no logarithm"):
        preprocess.log_transform(AnnData(np.array([[-9.9, 1.0]])))


def test_zero_one_by_hand_and_constant_gene_silent():
    train = np.array([[0.0, 5.0], [4.0, 5.0]])
    scaler = preprocess.ZeroOneScaler().fit(train)
    assert np.array_equal(scaler.transform(train), [[0, 0], [1, 0]])
    assert np.array_equal(scaler.transform([[2.0, 9.0]]), [[0.5, 0]])


def test_two_rankings_choose_different_genes():
    high = np.array([100.0, 101, 102, 110])  # large variance, but one sample holds the range
    split = np.array([0.0, 0.0, 1.0, 1.0])  # small variance, largest after scaling
    X = np.column_stack([high, split, np.zeros(4)])
    assert preprocess.VariableGenes(1).fit(X).get_support().tolist() == [False, True, False]
    before = preprocess.VariableGenes(1, rank="before-scaling").fit(X)
    assert before.get_support().tolist() == [True, False, False]
    with pytest.raises(UnknownNameError, match="did you mean 'after-scaling'"):
        preprocess.VariableGenes(1, rank="after").fit(X)


def test_variable_genes_keep_names_and_order():
    frame = pd.DataFrame({"b": [0, 1, 0, 1.0], "flat": [1.0] * 4, "a": [0, 0, 0, 1.0]})
    chosen = preprocess.VariableGenes(2).set_output(transform="pandas").fit_transform(frame)
    assert list(chosen) == ["b", "a"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", [preprocess.ZeroOneScaler(), preprocess.VariableGenes(1)])
def test_scikit_learn_checks(estimator):
    check_estimator(estimator)


def tissues():
    """Return four classes: enough groups, many samples of one group, too few groups, unknown."""
    label = ["Lung"] * 4 + ["Bone Marrow"] * 5 + ["Bladder"] * 2 + ["<not provided>"] * 3
    donor = ["a", "b", "c", "a"] + ["K-562"] * 5 + ["a", "b"] + ["a", "b", "c"]
    obs = pd.DataFrame({"tissue": pd.Categorical(label), "donor": donor}, index=[f"s{i}" for i in range(14)])
    return AnnData(np.arange(14.0)[:, None], obs=obs)


def test_classes_count_by_groups_and_what_is_left_out_is_listed():
    kept, excluded = preprocess.keep_classes(tissues(), "tissue", "donor", min_groups=3)
    assert kept.X[:, 0].tolist() == [0, 1, 2, 3]
    assert list(kept.obs["tissue"].cat.categories) == ["Lung"]
    assert excluded["samples"].to_dict() == {"Bone Marrow": 5, "<not provided>": 3, "Bladder": 2}
    assert excluded["groups"].to_dict() == {"Bone Marrow": 1, "<not provided>": 3, "Bladder": 2}
    assert excluded.loc["<not provided>", "reason"] == "label not known"
    assert excluded.loc["Bone Marrow", "reason"] == "fewer than 3 groups"


def test_no_class_left_and_unknown_column():
    with pytest.raises(DataError, match=r"no class of 'tissue' has 25 groups .* 3"):
        preprocess.keep_classes(tissues(), "tissue", "donor")
    with pytest.raises(DataError, match="no column 'tisue'"):
        preprocess.keep_classes(tissues(), "tisue", "donor")


@pytest.mark.parametrize(
    ("units", "logged"), [("TPM", False), ("log2(TPM + 0.001)", True), ("like log2(TPM + 0.001)", True)]
)
def test_logarithms_are_told_by_the_stated_units_not_by_the_values(units, logged):
    adata = AnnData(np.full((2, 2), 3.0), uns={"provenance": {"units": units}})
    assert preprocess.is_logarithm(adata) == logged


def test_other_units_are_no_reason_to_guess():
    with pytest.raises(DataError, match="units 'RPKM', expected TPM or log2"):
        preprocess.is_logarithm(AnnData(np.ones((2, 2)), uns={"provenance": {"units": "RPKM"}}))
