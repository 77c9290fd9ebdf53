"""Parts in which samples come back: groups apart, scaling by training samples, the leak by its name."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from exprml.base.errors import UnknownNameError
from exprml.evaluation import experiment
from exprml.evaluation.reconstruction import VALIDATION, matched_pieces, reconstruction

random = np.random.default_rng(0)
VALUES = random.normal(2, 3, size=(60, 8)).astype(np.float32)
GROUPS = np.repeat(np.arange(12), 5)


def parts(**options):
    return list(reconstruction(VALUES, GROUPS, **options))


def test_three_parts_share_the_training_samples_and_no_group_is_on_two_sides():
    test, validation, training = parts()
    assert [one.words["task"] for one in (test, validation, training)] == [
        "reconstruction",
        "validation",
        "training",
    ]
    assert test.train is validation.train is training.train is training.test
    assert validation.test is validation.validation
    groups = [set(one.test.groups) for one in (test, validation, training)]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]
    assert sum(len(one.test.X) for one in (test, validation, training)) == 60


def test_genes_are_scaled_by_training_samples_alone():
    test, _, training = parts()
    assert_allclose(training.train.X.mean(axis=0), 0, atol=1e-6)
    assert_allclose(training.train.X.std(axis=0), 1, rtol=1e-5)
    assert np.abs(test.test.X.mean(axis=0)).max() > 0.1
    raw = VALUES[training.train.names]
    uncentred = parts(centre=False)[2].train.X
    assert_allclose(uncentred, raw / raw.std(axis=0), rtol=1e-5)


def test_the_leak_takes_the_first_training_rows_for_validation_and_chooses_nothing():
    clean, leaky = parts(), parts(validation=VALIDATION[1])
    assert (leaky[1].train.X[: len(clean[1].test.X)] == leaky[1].test.X).all()
    assert leaky[1].validation is None
    assert (leaky[0].test.X == clean[0].test.X).all()
    with pytest.raises(UnknownNameError):
        parts(validation="cut")


def test_the_reports_folds_train_on_a_quarter_and_are_scored_on_a_quarter_of_training_rows():
    cut, whole = list(matched_pieces(VALUES, GROUPS)), parts()
    own, others = cut[::2], cut[1::2]
    assert [one.words["setting"] for one in own] == [f"fold {number}" for number in (1, 2, 3, 4)]
    assert {one.words["task"] for one in others} == {"reconstruction"}
    fitted, scored = (
        np.concatenate(list(names))
        for names in zip(*((a.train.names, a.test.names) for a in own), strict=True)
    )
    assert sorted(fitted) == sorted(whole[2].train.names)
    assert sorted(scored) == sorted(whole[2].train.names[: len(whole[1].test.X)])
    assert all(a.train is b.train and a.validation is None for a, b in zip(own, others, strict=True))
    assert all((one.test.X == whole[0].test.X).all() for one in others)


def test_the_engine_scores_what_comes_back_relative_to_zero():
    scores = experiment.run(
        {"pca": PCA(8), "one": PCA(1)}, parts(folds_run=2, seeds=(0, 1)), ["relative_squared_error"]
    )
    value = scores.groupby(["model", "task"])["value"].mean()
    assert_allclose(value["pca"], 0, atol=1e-6)
    assert 0.7 < value["one", "training"] < value["one", "reconstruction"] < 1.05
    assert len(scores) == 2 * 3 * 2 * 2
