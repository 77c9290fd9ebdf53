"""Twins of differential expression: what was put in can be found again."""

import numpy as np
import pytest

from exprml.base.errors import ParameterError
from exprml.data import catalogue, simulate


def test_the_terms_that_were_active_explain_the_changes():
    adata = simulate.changes_twin(habit=0)
    plain = ~adata.obs["is_outlier"].to_numpy()
    effects = np.linalg.lstsq(adata.obsm["terms"][plain].astype(float), adata.X[plain], rcond=None)[0]
    inside = np.abs(effects).T[adata.varm["terms"]].mean()
    assert inside > 10 * np.abs(effects).T[~adata.varm["terms"]].mean()


def test_a_habit_makes_contrasts_of_other_series_alike():
    def alike(habit):
        adata = simulate.changes_twin(habit=habit)
        other = adata.obs["samples"].to_numpy()[:, None] != adata.obs["samples"].to_numpy()
        return np.corrcoef(adata.X)[other].mean()

    assert alike(0.0) == pytest.approx(0, abs=0.05)
    assert alike(1.5) > 0.3


def test_series_that_share_samples_have_nearly_the_same_contrasts():
    adata = simulate.changes_twin()
    obs = adata.obs.reset_index()
    repeats = obs[obs["series"] != obs["samples"]]
    assert 0.1 < repeats["series"].nunique() / obs["series"].nunique() < 0.2
    for series, rows in repeats.groupby("series"):
        first = obs.index[obs["series"] == rows["samples"].iloc[0]]
        np.testing.assert_allclose(adata.X[rows.index], adata.X[first], atol=0.5, err_msg=series)


def test_outliers_are_larger_than_the_rest():
    adata = simulate.changes_twin()
    size, odd = adata.X.std(axis=1), adata.obs["is_outlier"].to_numpy()
    assert odd.any()
    assert size[odd].mean() > 3 * size[~odd].mean()


def test_counts_hold_the_true_changes_and_depths_differ():
    adata = simulate.counts_twin(n_samples=20)
    assert (np.round(adata.X) == adata.X).all()
    depth = adata.X.sum(axis=1)
    assert depth.max() > 10 * depth.min()
    log = np.log2(adata.X / depth[:, None] * 1e6 + 1)
    first = (adata.obs["group"] == "first").to_numpy()
    found = [
        log[rows & first].mean(axis=0) - log[rows & ~first].mean(axis=0)
        for rows in (adata.obs["series"] == one for one in adata.obs["series"].unique())
    ]
    common = adata.X.mean(axis=0) > 100
    found, true = np.array(found)[:, common], adata.uns["changes"][:, common]
    found, true = (one - np.median(one, axis=1, keepdims=True) for one in (found, true))
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.9


def test_words_tell_the_groups_apart_but_not_everywhere():
    adata = simulate.counts_twin(10)
    lines = adata.obs["annotation"].str.split("\n", expand=True)
    assert lines.groupby(adata.obs["series"])[1].nunique().tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2, 1]
    assert lines.groupby(adata.obs["series"])[2].nunique().tolist() == [6] * 9 + [1]


def test_the_sets_of_the_twin_are_its_programmes():
    sets, adata = simulate.terms_twin(seed=3), simulate.changes_twin(seed=3)
    np.testing.assert_array_equal(sets.varm["terms"], adata.varm["terms"])
    assert sets.uns["terms"] == adata.uns["terms"]


@pytest.mark.parametrize("twin", ["changes_twin", "counts_twin"])
def test_the_same_seed_gives_the_same_bytes_and_small_sizes_are_refused(twin):
    function = getattr(simulate, twin)
    one, again, other = function(seed=1), function(seed=1), function(seed=2)
    np.testing.assert_array_equal(one.X, again.X)
    assert one.X.shape != other.X.shape or (one.X != other.X).any()
    with pytest.raises(ParameterError, match="n_genes 20"):
        function(n_genes=20)


@pytest.mark.parametrize("name", ["changes-twin", "counts-twin"])
def test_the_catalogue_has_the_twin(name):
    adata = catalogue.load(name)
    assert adata.obs["series"].nunique() >= 40
