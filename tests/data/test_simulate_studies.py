"""The twin of many studies: its structure, its columns, and what its dials change."""

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, ParameterError
from exprml.data import simulate


def structure(sizes):
    """Return a structure from {(study, tissue): runs}."""
    rows = [pair for pair, n_runs in sizes.items() for _ in range(n_runs)]
    runs = pd.Index([f"R{i:03d}" for i in range(len(rows))], name="run")
    return pd.DataFrame(rows, columns=["study", "tissue"], index=runs).assign(sex="male")


SIZES = {("A", "Blood"): 9, ("A", "Skin"): 2, ("B", "Blood"): 1, ("B", "Skin"): 4, ("C", "Lung"): 8}


def test_runs_keep_their_study_and_are_thinned():
    given = structure(SIZES)
    adata = simulate.studies_twin(given, min_studies=2, max_runs=3, n_genes=20)
    counts = adata.obs.groupby(["study", "tissue"]).size().to_dict()
    assert counts == {("A", "Blood"): 3, ("A", "Skin"): 2, ("B", "Blood"): 1, ("B", "Skin"): 3}
    pd.testing.assert_frame_equal(adata.obs, given.loc[adata.obs_names])
    assert adata.var["symbol"].tolist()[:2] == ["SIM1", "SIM2"]


def test_tissues_with_most_studies_stay():
    given = structure({**SIZES, ("B", "Lung"): 1, ("D", "Lung"): 1, ("D", "Skin"): 1})
    kept = simulate.studies_twin(given, n_tissues=2, min_studies=2, n_genes=5).obs["tissue"]
    assert set(kept) == {"Lung", "Skin"}


def test_without_structure_one_is_made_with_unequal_studies_of_mostly_one_tissue():
    obs = simulate.studies_structure()
    runs = obs.groupby(["study", "tissue"]).size()
    assert 3 <= runs.median() <= 8
    assert runs.max() > 10 * runs.median()
    assert 0.7 < (obs.groupby("study")["tissue"].nunique() == 1).mean() < 0.9
    assert obs.groupby("tissue")["study"].nunique().min() >= 10
    assert set(obs["sex"]) == {"male", "female", ""}
    assert simulate.studies_twin(n_genes=10).obs["tissue"].nunique() == 8


def between_studies(**options):
    """Return the share of variance within tissues that lies between studies, medians over genes."""
    adata = simulate.studies_twin(n_genes=100, nonlinear=0, **options)
    tissue, study = adata.obs["tissue"], adata.obs["study"]
    frame = adata.to_df() - adata.to_df().groupby(tissue).transform("mean")
    means = frame.groupby(study).transform("mean")
    return float(np.median(means.var() / frame.var()))


def test_the_study_effect_is_a_dial():
    none, half, full = (between_studies(study_effect=size) for size in (0.0, 0.5, 1.0))
    assert none < 0.4 < half < full
    assert full > 0.7


def test_swings_have_no_mean_and_can_be_left_out():
    with_swings, without = (simulate.studies_twin(n_genes=50, nonlinear=size) for size in (1.0, 0.0))
    swing = with_swings.X - without.X
    assert set(np.unique(np.abs(np.round(swing, 3)))) == {0, 2.5}
    assert abs(swing.mean()) < 0.05


def test_same_seed_same_values():
    one, same, other = (simulate.studies_twin(n_genes=5, seed=seed).X for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_impossible_structures_are_refused():
    with pytest.raises(DataError, match="no column 'sex'"):
        simulate.studies_twin(structure(SIZES).drop(columns="sex"))
    with pytest.raises(DataError, match="0 tissues with 5 studies"):
        simulate.studies_twin(structure(SIZES), min_studies=5)
    with pytest.raises(ParameterError, match="study_effect -1"):
        simulate.studies_twin(study_effect=-1)
