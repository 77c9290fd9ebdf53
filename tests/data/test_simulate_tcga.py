"""The twin of the paired TCGA data: pairs, two floors, organs shared with the twin of GTEx."""

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import UnknownNameError
from exprml.data import catalogue, simulate
from exprml.data.simulate import tcga


def test_every_patient_gives_a_tumour_and_a_normal_sample_of_one_cohort():
    obs = simulate.tcga_twin().obs
    assert list(obs) == ["patient", "cohort", "tissue", "sample_type", "plate", "centre"]
    assert obs.index.is_unique
    pairs = obs.groupby("patient").agg(kinds=("sample_type", sorted), cohorts=("cohort", "nunique"))
    assert pairs["kinds"].tolist() == [["normal", "tumour"]] * 132
    assert set(pairs["cohorts"]) == {1}
    assert (obs["cohort"].value_counts() == 24).all()
    assert obs["tissue"].equals(obs["cohort"])


def test_two_cohorts_have_no_floor_and_lack_the_lowest_values():
    adata = simulate.tcga_twin()
    deep = adata.obs["cohort"].isin(["COAD", "STAD"]).to_numpy()
    assert adata.X[~deep].min() == -2
    assert (adata.X[~deep] == -2).mean() > 0.005
    assert not np.isnan(adata.X[~deep]).any()
    assert np.nanmin(adata.X[deep]) < -6
    assert 0 < np.isnan(adata.X[deep]).any(axis=0).mean() < 0.1
    assert np.array_equal(adata.X, np.round(adata.X, 2), equal_nan=True)


def organ_means(values, organs):
    return pd.DataFrame(values).groupby(np.asarray(organs)).mean()


def test_shared_genes_have_the_organ_profiles_of_the_gtex_twin():
    gtex, twin = catalogue.load("gtex-twin-organs"), simulate.tcga_twin(nonlinear=0)
    shared = [gene for gene in twin.var["symbol"] if gene in set(gtex.var["symbol"])]
    assert len(shared) == 300
    normal = twin[twin.obs["sample_type"] == "normal"]
    there = organ_means(gtex[:, gtex.var["symbol"].isin(shared)].X, gtex.obs["tissue"])
    here = organ_means(normal[:, shared].X, normal.obs["cohort"].map(tcga.ORGANS)).loc[there.index]
    both = np.corrcoef(here - np.nanmean(here, axis=0), there - there.mean(axis=0))[:7, 7:]
    assert (both.argmax(axis=1) == np.arange(7)).all()
    assert np.diag(both).min() > 0.3


def test_the_catalogue_makes_the_organs_as_the_twin_does():
    assert dict(catalogue.entry("gtex-twin-organs").options) == tcga.GTEX


def test_sex_shifts_a_few_genes_of_the_gtex_twin():
    adata = simulate.gtex_twin(floor_share=0, nonlinear=0)
    male = (adata.obs["sex"] == "male").to_numpy()
    gap = adata.X[male].mean(axis=0) - adata.X[~male].mean(axis=0)
    assert gap[:5].mean() == pytest.approx(3, abs=0.7)
    assert abs(gap[5:].mean()) < 0.1


def test_impossible_twins_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'Lung'"):
        simulate.gtex_twin(tissues=["Lungs", "Skin"])
