"""Twins for the inference of genes: what was put in can be found again."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances

from exprml.base.errors import ParameterError
from exprml.data import catalogue, simulate


def errors(adata, n_train):
    """Return the errors of ridge on the landmarks, and on their components with products and signs."""
    values = (adata.X - adata.X[:n_train].mean(axis=0)) / adata.X[:n_train].std(axis=0)
    marked = adata.var["is_landmark"].to_numpy()
    X, Y = values[:, marked], values[:, ~marked]
    _, scale, axes = np.linalg.svd(X[:n_train], full_matrices=False)
    parts = X @ axes[:4].T / scale[:4] * np.sqrt(n_train)
    one, other = np.triu_indices(4)
    wide = np.hstack([X, parts[:, one] * parts[:, other]])
    found = []
    for table in (X, wide):
        model = Ridge(10.0).fit(table[:n_train], Y[:n_train])
        found.append(np.abs(model.predict(table[n_train:]) - Y[n_train:]).mean())
    return found


def test_a_quadratic_model_gains_only_where_nonlinear_parts_are():
    linear, quadratic = errors(simulate.landmark_twin(2400, 60, 100, rank=4), 1600)
    assert quadratic < 0.9 * linear
    linear, quadratic = errors(simulate.landmark_twin(2400, 60, 100, rank=4, nonlinear=0), 1600)
    assert quadratic == pytest.approx(linear, rel=0.01)


def test_the_gain_grows_with_the_size_of_the_nonlinear_parts():
    found = [
        errors(simulate.landmark_twin(1200, 60, 100, rank=4, nonlinear=size), 800) for size in (0.4, 1.0)
    ]
    (little, of_little), (much, of_much) = found
    assert 1 - of_much / much > 2 * (1 - of_little / little)


def test_tumour_and_normal_of_a_patient_are_partners():
    obs = simulate.landmark_twin().obs
    pairs = obs.groupby("patient")["sample_type"].agg(sorted)
    assert (pairs.map(tuple) == ("normal", "tumour")).all()
    assert obs.groupby("patient")[["cohort", "series"]].nunique().eq(1).all(axis=None)
    assert obs.groupby("series")["cohort"].nunique().eq(1).all()


def test_relatives_are_more_alike_the_nearer_they_are():
    adata = simulate.landmark_twin(600)
    values = (adata.X - adata.X.mean(axis=0)) / adata.X.std(axis=0)
    alike = np.corrcoef(values)
    obs, other = adata.obs, ~np.eye(len(values), dtype=bool)
    levels = ["cohort", "series", "patient"]
    same = [obs[level].to_numpy()[:, None] == obs[level].to_numpy() for level in levels]
    within = [
        alike[one & other & ~nearer].mean() for one, nearer in zip(same, [*same[1:], ~other], strict=True)
    ]
    assert alike[~same[0]].mean() < within[0] < within[1]
    tumour = obs["sample_type"].to_numpy()[:, None] == obs["sample_type"].to_numpy()
    apart = same[0] & ~same[2] & ~tumour
    assert alike[same[2] & other].mean() > alike[apart].mean() + 0.1


def test_marks_are_whole_and_only_targets_are_nonlinear():
    var = simulate.landmark_twin().var
    assert (var["is_landmark"] ^ var["is_target"]).all()
    assert var["is_landmark"].sum() == 40
    assert not (var["is_nonlinear"] & var["is_landmark"]).any()
    assert var["is_nonlinear"].sum() == 60
    assert not simulate.landmark_twin(nonlinear=0).var["is_nonlinear"].any()


def test_the_other_pipeline_has_the_same_genes_processed_otherwise():
    one, other = catalogue.load("landmark-twin"), catalogue.load("landmark-twin-pipeline")
    pd.testing.assert_frame_equal(one.var, other.var)
    assert other.n_obs == 40
    shared = set(one.obs["patient"]) & set(other.obs["patient"])
    assert len(shared) == 3
    ids = [f"{patient}-01" for patient in sorted(shared)]
    both = [(table[ids].X - table.X.mean(axis=0)) / table.X.std(axis=0) for table in (one, other)]
    alike = np.corrcoef(*both)[:3, 3:]
    assert (np.diag(alike) > 0.4).all()  # the same tumours, measured again
    assert np.diag(alike).min() > alike[~np.eye(3, dtype=bool)].max()
    unchanged = simulate.landmark_twin(40, pipeline=1e-9)
    shift = (other.X - unchanged.X).mean(axis=0)
    assert 0.7 < shift.std() < 1.3  # processing alone, of the same samples
    spread = other.X.std(axis=0) / unchanged.X.std(axis=0)
    assert spread.std() > 0.1


def test_genes_and_patients_stay_when_there_are_more_samples():
    few, many = simulate.landmark_twin(40), simulate.landmark_twin(400)
    assert few.obs.equals(many.obs.iloc[:40])
    alike = [np.corrcoef(few.X[at] - few.X.mean(0), many.X[at] - many.X.mean(0))[0, 1] for at in range(40)]
    assert np.mean(alike) > 0.7  # only noise differs


def test_too_few_of_anything_is_an_error():
    with pytest.raises(ParameterError, match="rank 1"):
        simulate.landmark_twin(rank=1)


def test_planted_copies_lie_at_their_distance_and_nothing_else_is_near():
    adata = simulate.probe_twin()
    apart = pairwise_distances(adata.X.astype(float))
    copies = adata.obs[adata.obs["copy_of"] != ""]
    at = adata.obs_names.get_indexer(copies.index), adata.obs_names.get_indexer(copies["copy_of"])
    np.testing.assert_allclose(apart[at], copies["planted"], atol=1e-3)
    assert ((copies["planted"] > 1) & (copies["planted"] < 1.2)).sum() == 2
    ends = apart[[8, 9], [209, 211]]
    np.testing.assert_allclose(ends, 1.3, atol=1e-3)  # the ends of the chains
    assert np.sort(apart[np.triu_indices(len(apart), 1)])[len(copies) + 2] > 5
    assert adata.X.min() > 4
    assert adata.X.max() < 15


def test_some_genes_of_the_probe_twin_are_landmark_and_target():
    var = simulate.probe_twin().var
    listed = var[var["symbol"] != ""].groupby("symbol")["is_landmark"].nunique()
    assert (listed == 2).sum() == 3
    assert (var["symbol"] == "").any()


def test_plates_have_controls_compounds_of_both_and_beads_of_two():
    adata = simulate.plates_twin()
    assert adata.obs.groupby("plate")["is_control"].sum().tolist() == [12, 12]
    on_both = adata.obs[~adata.obs["is_control"]].groupby("perturbagen")["plate"].nunique()
    assert (on_both == 2).sum() == 4
    assert (on_both == 1).sum() == 16
    assert (adata.var["bead"].value_counts() == 2).all()
    assert set(adata.obs.columns) >= {"plate", "perturbagen", "dose", "kind", "is_control", "hours"}


def test_bead_mates_share_an_error_and_doses_move_wells():
    adata = simulate.plates_twin()
    vehicle = adata[adata.obs["is_control"].to_numpy()].X.copy()
    centre = vehicle.mean(axis=0)
    plates = adata.obs.loc[adata.obs["is_control"], "plate"].to_numpy()
    for one in set(plates):
        vehicle[plates == one] -= vehicle[plates == one].mean(axis=0)
    alike = np.corrcoef(vehicle.T)
    mates = alike[np.arange(0, 60, 2), np.arange(1, 60, 2)].mean()
    others = alike[np.arange(0, 58, 2), np.arange(3, 60, 2)].mean()
    assert mates > others + 0.05
    away = np.linalg.norm(adata.X - centre, axis=1)
    by_dose = pd.Series(away, adata.obs_names).groupby(adata.obs["dose"]).mean()
    assert by_dose[10.0] > by_dose[0.37] > 0.9 * by_dose[0.0]
