import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.utils.estimator_checks import check_estimator

from exprml.base.errors import DataError, UnknownNameError
from exprml.data import preprocess


def test_tpm_by_hand():
    tpm = preprocess.transcripts_per_million(np.array([[10, 20, 30], [0, 5, 0]]), [1000, 2000, 1000])
    assert np.allclose(tpm, [[2e5, 2e5, 6e5], [0, 1e6, 0]])


def test_tpm_of_anndata_notes_the_step_and_leaves_the_counts():
    adata = AnnData(np.array([[1.0, 3.0]], dtype=np.float32))
    result = preprocess.transcripts_per_million(adata, [1, 1])
    assert np.allclose(result.X, [[25e4, 75e4]])
    assert result.X.dtype == np.float32
    assert result.uns["provenance"]["steps"] == ["transcripts per million"]
    assert np.array_equal(adata.X, [[1, 3]])


@pytest.mark.parametrize(
    ("counts", "lengths", "message"),
    [
        ([[1, 2]], [1], "1 gene lengths for 2 genes"),
        ([[1, 2]], [1, 0], "1 gene lengths are missing or not positive"),
        ([[1, np.nan]], [1, 1], "1 counts are negative or NaN"),
        ([[0, 0], [1, 1]], [1, 1], "1 samples have no counts"),
    ],
)
def test_tpm_refuses(counts, lengths, message):
    with pytest.raises(DataError, match=message):
        preprocess.transcripts_per_million(np.array(counts, dtype=float), lengths)


def test_logarithm_of_nothing_is_the_toil_floor():
    assert np.allclose(preprocess.log_transform(np.array([[0.0, 0.999]])), [[-9.965784, 0]])
    frame = pd.DataFrame([[1.0]], index=["s"], columns=["g"])
    assert preprocess.log_transform(frame, offset=1).loc["s", "g"] == 1
    with pytest.raises(DataError, match="1 values have no logarithm"):
        preprocess.log_transform(np.array([[-9.9, 1.0]]))


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
