import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from exprml.base.errors import ParameterError, UnknownNameError
from exprml.evaluation import search
from exprml.evaluation.scoring import cross_validate

SPACE = {"C": ("log", 1e-6, 10.0)}


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 120)
    return generator.normal(size=(120, 4)) + 2 * y[:, None], y, generator.integers(0, 20, 120)


def test_best_is_the_smallest_objective_within_the_space(data):
    trials, best = search.search(LogisticRegression(), *data, space=SPACE, n_trials=5)
    assert len(trials) == 5
    assert trials["objective"].is_monotonic_increasing
    assert best == {"C": trials["C"].iloc[0]}
    assert trials["C"].between(1e-6, 10).all()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_seed_repeats_the_search(data, sampler):
    def run(seed):
        return search.search(LogisticRegression(), *data, space=SPACE, n_trials=3, sampler=sampler, seed=seed)

    assert run(1).trials["C"].tolist() == run(1).trials["C"].tolist()
    assert run(1).trials["C"].tolist() != run(2).trials["C"].tolist()


def test_objective_is_the_weighted_cross_entropy_by_hand():
    class Fixed:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return np.array([[0.5, 0.5], [0.5, 0.5], [0.8, 0.2]])

    # weights 1/3, 1/3 (two of class 0) and 1/2 (one of class 1)
    expected = (2 / 3 * np.log(2) + 1 / 2 * np.log(5)) / (2 / 3 + 1 / 2)
    loss = search.weighted_cross_entropy(Fixed(), np.zeros((3, 1)), np.array([0, 0, 1]))
    assert loss == pytest.approx(expected)
    unseen = search.weighted_cross_entropy(Fixed(), np.zeros((3, 1)), np.array([0, 0, 2]))
    assert np.isfinite(unseen)
    assert unseen > expected


def test_metric_by_name_is_maximised_over_the_inner_folds(data):
    fixed = {"C": ("choice", 0.5)}
    trials, _ = search.search(
        LogisticRegression(), *data, space=fixed, n_trials=1, objective="balanced_accuracy"
    )
    scores = cross_validate({"m": LogisticRegression(C=0.5)}, *data, folds=4)["value"]
    assert trials["objective"].iloc[0] == pytest.approx(-scores.mean())


def test_unknown_choices_are_named(data):
    with pytest.raises(UnknownNameError, match="unknown sampler 'grid'"):
        search.search(LogisticRegression(), *data, space=SPACE, sampler="grid")
    with pytest.raises(UnknownNameError, match="unknown metric"):
        search.search(LogisticRegression(), *data, space=SPACE, objective="auc")
    with pytest.raises(ParameterError, match="distribution 'gauss' of 'C'"):
        search.search(LogisticRegression(), *data, space={"C": ("gauss", 0, 1)}, n_trials=1)
