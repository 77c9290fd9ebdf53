"""Quantile normalisation and standardisation, by hand and against D-GEX's own lines written out."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.data.preprocess import GeneStandardiser, QuantileNormaliser
from exprml.data.preprocess import scaling as scaling_module

TRAIN = np.array([[1.0, 2, 3, 4, 6], [3, 5, 7, 9, 12]])  # sorted means: 2, 3.5, 5, 6.5, 9
REFERENCE = [2, 3.5, 5, 6.5, 9]


@pytest.fixture
def fitted():
    return QuantileNormaliser().fit(TRAIN)


def test_reference_is_the_mean_rank_by_rank_whatever_the_order(fitted):
    assert fitted.reference_.tolist() == REFERENCE
    shuffled = np.array([[6.0, 1, 4, 2, 3], [5, 12, 3, 9, 7]])
    assert QuantileNormaliser().fit(shuffled).reference_.tolist() == REFERENCE


@pytest.mark.parametrize(
    ("profile", "microarray", "rna_seq"),
    [
        ([10, 30, 20, 50, 40], [2, 5, 3.5, 9, 6.5], [2, 5, 3.5, 9, 6.5]),
        # two tied at places 0 and 1: mean 0.5, cut to 0; distinct places int(k/4 * 5) - 1 for k = 1..4
        ([0, 0, 1, 2, 3], [2, 2, 5, 6.5, 9], [2, 2, 3.5, 5, 9]),
        # three tied at places 0, 1, 2: mean 1; distinct places int(k/3 * 5) - 1 = 0, 2, 4
        ([0, 7, 0, 8, 0], [3.5, 6.5, 3.5, 9, 3.5], [2, 5, 2, 9, 2]),
        # one value alone: place 2 of 0..4; the last place in the form that stretches
        ([4, 4, 4, 4, 4], [5] * 5, [9] * 5),
    ],
)
def test_ties_in_both_forms_by_hand(fitted, profile, microarray, rna_seq):
    profile = np.array([profile], dtype=float)
    assert fitted.transform(profile)[0].tolist() == microarray
    other = QuantileNormaliser.with_reference(fitted, form="rna-seq")
    assert other.transform(profile)[0].tolist() == rna_seq
    assert (fitted.form, other.form) == ("microarray", "rna-seq")
    kept = QuantileNormaliser.handing_out(fitted.reference_, form="rna-seq")
    assert kept.transform(profile)[0].tolist() == rna_seq


def test_both_forms_equal_the_published_lines_on_profiles_with_ties():
    generator = np.random.default_rng(0)
    X = np.round(generator.normal(8, 2, (7, 997)), 1)
    X[:, :200] = X.min()
    fitted = QuantileNormaliser().fit(X)
    reference = np.sort(X, axis=1).mean(axis=0)
    sequenced = QuantileNormaliser.with_reference(fitted, form="rna-seq").transform(X)
    for row, microarray, rna_seq in zip(X, fitted.transform(X), sequenced, strict=True):
        assert np.array_equal(microarray, reference[(stats.rankdata(row) - 1).astype(int)])
        distinct = np.unique(row)
        position = (np.searchsorted(distinct, row) + 1.0) / len(distinct)
        assert np.array_equal(rna_seq, reference[(position * len(row)).astype(int) - 1])


def test_the_lowest_place_does_not_wrap_to_the_largest_value():
    n_genes = 49  # 1 / 49 * 49 is below 1 in floating point
    fitted = QuantileNormaliser(form="rna-seq").fit(np.arange(n_genes, dtype=float)[None, :])
    assert fitted.transform(np.arange(n_genes, dtype=float)[None, :])[0, 0] == 0


def test_changing_a_target_moves_a_landmark_unless_landmarks_are_ranked_apart():
    landmark = np.array([True, False, True, False, False])
    before, after = np.array([[5.0, 1, 7, 2, 3]]), np.array([[5.0, 9, 7, 2, 3]])
    together = QuantileNormaliser().fit(TRAIN)
    assert together.transform(before)[:, landmark].tolist() == [[6.5, 9]]
    assert together.transform(after)[:, landmark].tolist() == [[5, 6.5]]
    apart = QuantileNormaliser(ranks="landmarks apart", is_landmark=landmark).fit(TRAIN)
    assert apart.landmark_reference_.tolist() == [2, 5]
    for profile in (before, after):
        assert apart.transform(profile)[:, landmark].tolist() == [[2, 5]]
        targets = together.transform(profile)[:, ~landmark]
        assert np.array_equal(apart.transform(profile)[:, ~landmark], targets)


def test_blocks_give_the_same_as_one_piece_and_copies_are_as_asked(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    whole = QuantileNormaliser().fit(X).transform(X)
    scaled = GeneStandardiser().fit_transform(X)
    monkeypatch.setattr(scaling_module, "_BLOCK_VALUES", 70)
    assert len(scaling_module.row_blocks(X)) == 25
    assert np.array_equal(QuantileNormaliser().fit(X).transform(X), whole)
    assert np.allclose(GeneStandardiser().fit_transform(X), scaled, atol=1e-6)
    assert whole.dtype == scaled.dtype == np.float32
    kept = X.copy()
    assert np.array_equal(QuantileNormaliser().fit_transform(X), whole)
    assert np.array_equal(X, kept)


def test_standardised_by_hand_and_back():
    train = np.array([[1.0, 5.0], [3.0, 5.0]])
    scaler = GeneStandardiser(epsilon=0.25).fit(train)
    assert (scaler.mean_.tolist(), scaler.sd_.tolist()) == ([2, 5], [1, 0])
    assert scaler.transform(np.array([[7.0, 6.0]])).tolist() == [[4, 4]]
    assert scaler.inverse_transform(np.array([[4.0, 4.0]])).tolist() == [[7, 6]]
    assert GeneStandardiser().epsilon == 0.001


def test_what_is_refused():
    gap = np.array([[1.0, np.nan, 2.0]])
    for estimator in (QuantileNormaliser(), GeneStandardiser()):
        with pytest.raises(DataError, match="1 values of samples 0 to 0 are NaN or inf: drop these genes"):
            estimator.fit(gap)
    with pytest.raises(UnknownNameError, match="did you mean 'rna-seq'"):
        QuantileNormaliser(form="rnaseq").fit(TRAIN)
    with pytest.raises(UnknownNameError, match="unknown ranks 'apart'"):
        QuantileNormaliser(ranks="apart").fit(TRAIN)
    with pytest.raises(ParameterError, match="needs is_landmark"):
        QuantileNormaliser(ranks="landmarks apart").fit(TRAIN)
    with pytest.raises(DataError, match="2 entries for 5 genes"):
        QuantileNormaliser(ranks="landmarks apart", is_landmark=[True, False]).fit(TRAIN)
    with pytest.raises(DataError, match="names no gene"):
        QuantileNormaliser(ranks="landmarks apart", is_landmark=[False] * 5).fit(TRAIN)
    with pytest.raises(ParameterError, match=r"epsilon -1 is negative"):
        GeneStandardiser(epsilon=-1).fit(TRAIN)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", [QuantileNormaliser(), GeneStandardiser()])
def test_scikit_learn_checks(estimator):
    assert clone(estimator).get_params() == estimator.get_params()
    check_estimator(estimator)
