import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from exprml.base.errors import ParameterError, UnknownNameError
from exprml.evaluation import search
from exprml.evaluation.parts import samples_of
from exprml.evaluation.splits import GroupFolds
from exprml_press.cli.search import search as searched

SPACE = {"C": ("log", 1e-6, 10.0)}


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 120)
    return generator.normal(size=(120, 4)) + 2 * y[:, None], y, generator.integers(0, 20, 120)


def test_best_is_the_smallest_objective_within_the_space(data):
    trials, best = searched(LogisticRegression(), *data, space=SPACE, n_trials=5)
    assert len(trials) == 5
    assert trials["objective"].is_monotonic_increasing
    assert best == {"C": trials["C"].iloc[0]}
    assert trials["C"].between(1e-6, 10).all()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_seed_repeats_the_search(data, sampler):
    def run(seed):
        return searched(LogisticRegression(), *data, space=SPACE, n_trials=3, sampler=sampler, seed=seed)

    assert run(1).trials["C"].tolist() == run(1).trials["C"].tolist()
    assert run(1).trials["C"].tolist() != run(2).trials["C"].tolist()


def test_objective_is_the_weighted_cross_entropy_by_hand():
    class Fixed:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return np.array([[0.5, 0.5], [0.5, 0.5], [0.8, 0.2]])

    def loss(left_out):
        samples = samples_of(np.zeros((8, 1)), np.r_[trained, left_out])
        (part,) = search.inner_parts(samples, [(np.arange(5), np.arange(5, 8))])
        return search.weighted_cross_entropy(Fixed(), part)

    # trained on one sample of class 0 and four of class 1: weights 1/2, 1/2 and 1/5, whatever is left out
    trained = np.array([1, 0, 1, 1, 1])
    expected = (2 / 2 * np.log(2) + 1 / 5 * np.log(5)) / (2 / 2 + 1 / 5)
    assert loss([0, 0, 1]) == pytest.approx(expected)
    unseen = loss([0, 0, 2])
    assert np.isfinite(unseen)
    assert unseen > expected


def test_unknown_choices_are_named(data):
    with pytest.raises(UnknownNameError, match="unknown sampler 'grid'"):
        searched(LogisticRegression(), *data, space=SPACE, sampler="grid")
    with pytest.raises(ParameterError, match="unknown distribution 'gauss'"):
        searched(LogisticRegression(), *data, space={"C": ("gauss", 0, 1)}, n_trials=1)


def test_inner_parts_that_lack_a_class_in_training_are_skipped_unless_none_is_left():
    y = np.array(["a", "a", "b", "b", "c"])
    with_all, without_c = (np.array([0, 2, 4]), np.array([1, 3])), (np.array([0, 1, 2, 3]), np.array([4]))
    assert search.with_every_class([with_all, without_c], y) == [with_all]
    assert search.with_every_class([without_c], y) == [without_c]
    assert search.with_every_class([without_c], np.arange(5) / 2) == [without_c]


def test_a_search_trains_on_every_class_in_each_inner_part(monkeypatch):
    seen = []

    def objective(model, part):
        seen.append(sorted(set(part.train.y)))
        return 0.0

    y, groups = np.array(["a", "b"] * 19 + ["c"] * 2), np.arange(40)

    def folds_without_c(seed):
        return sum(set(y[train]) != set(y) for train, _ in GroupFolds(2, seed).split(y, y, groups))

    seed = next(seed for seed in range(100) if folds_without_c(seed) == 1)
    options = {"space": {"C": ("log", 0.5, 2)}, "n_trials": 1, "folds": 2, "seed": seed}
    monkeypatch.setattr(search, "weighted_cross_entropy", objective)
    searched(LogisticRegression(), np.eye(40), y, groups, **options)
    assert seen == [["a", "b", "c"]]
