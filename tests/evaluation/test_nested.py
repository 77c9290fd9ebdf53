"""Nested search: the outer folds of cross_validate, the paper's inner parts, no look at validation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, UnknownNameError
from exprml.evaluation import nested, parts, scoring, search
from exprml.evaluation.linear_signal import remove_linear_signal
from exprml.models import presets
from exprml_press.cli.search import search as searched

C = {"C": ("log", 1e-6, 10.0)}
SEEN = []


class Spy(ClassifierMixin, BaseEstimator):
    """Keep what each fit and each look at left-out samples was given."""

    def __init__(self, knob=1.0):
        self.knob = knob

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        SEEN.append({"train": X.copy(), "groups": set(groups.tolist()), "knob": self.knob})
        return self

    def predict_proba(self, X):
        SEEN[-1]["left out"] = X.copy()
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        SEEN[-1]["left out"] = X.copy()
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 120)
    X = generator.normal(size=(120, 4)) + y[:, None]
    X[:, 0] = np.arange(120)  # so that rows can be told apart
    SEEN.clear()
    return X, y, generator.integers(0, 20, 120)


def rows_of(values):
    return set(values[:, 0].astype(int).tolist())


def test_each_trial_leaves_out_the_other_outer_folds_of_cross_validate_in_turn(data):
    scoring.cross_validate({"spy": Spy()}, *data, seeds=[3])
    outer = [rows_of(one["left out"]) for one in SEEN]
    SEEN.clear()
    nested.nested_search(
        {"spy": Spy()}, *data, spaces={"spy": {"knob": ("log", 1, 2)}}, seeds=[3], n_trials=1
    )
    assert len(SEEN) == 5 * 4
    for fold in range(5):
        inner = SEEN[4 * fold : 4 * fold + 4]
        others = [rows for place, rows in enumerate(outer) if place != fold]
        assert [rows_of(one["left out"]) for one in inner] == others
        for one in inner:
            assert rows_of(one["train"]) == set(range(120)) - outer[fold] - rows_of(one["left out"])


def test_with_two_outer_folds_the_one_training_fold_is_cut_by_groups(data):
    spaces = {"spy": {"knob": ("log", 1, 2)}}
    nested.nested_search({"spy": Spy()}, *data, spaces=spaces, n_trials=1, folds=2, folds_run=1)
    assert len(SEEN) == 2
    assert rows_of(SEEN[0]["left out"]) == rows_of(SEEN[1]["train"])


@pytest.mark.parametrize("on", nested.ON)
def test_the_outer_validation_fold_is_never_looked_at(data, on):
    X, y, groups = data
    options = {"spaces": {"lr": C}, "folds_run": 1, "n_trials": 4, "on": on}
    models = {"lr": LogisticRegression()}
    clean = nested.nested_search(models, X, y, groups, **options)
    ((_, validation), *_) = parts.Protocol().pairs(0, y, groups)
    poisoned_X, poisoned_y = X.copy(), y.copy()
    poisoned_X[validation] = np.nan
    poisoned_y[validation] = 1 - y[validation]
    poisoned = nested.nested_search(models, poisoned_X, poisoned_y, groups, **options)
    pd.testing.assert_frame_equal(
        poisoned.trials.drop(columns="seconds"), clean.trials.drop(columns="seconds")
    )
    swapped = X.copy()
    swapped[np.setdiff1d(np.arange(120), validation)] *= -3  # the same change elsewhere does matter
    other = nested.nested_search(models, swapped, y, groups, **options)
    assert other.trials["objective"].tolist() != clean.trials["objective"].tolist()


def test_signal_is_removed_from_training_and_left_out_part_apart(data):
    X, y, _ = data
    spaces = {"spy": {"knob": ("log", 1, 2)}}
    nested.nested_search({"spy": Spy()}, *data, spaces=spaces, n_trials=1, folds_run=1)
    intact = [rows_of(one["train"]) for one in SEEN], [rows_of(one["left out"]) for one in SEEN]
    SEEN.clear()
    nested.nested_search({"spy": Spy()}, *data, spaces=spaces, n_trials=1, folds_run=1, on="removed")
    for train, left_out, one in zip(*intact, SEEN, strict=True):
        for rows, given in ((sorted(train), one["train"]), (sorted(left_out), one["left out"])):
            np.testing.assert_allclose(given, remove_linear_signal(X[rows], y[rows]))


def test_best_is_the_smallest_objective_of_its_search_and_goes_to_cross_validate(data):
    models = {
        "lr": LogisticRegression(),
        "piped": make_pipeline(StandardScaler(), LogisticRegression()),
        "left alone": LogisticRegression(),
    }
    spaces = {"lr": C, "piped": {**C, "tol": ("log", 1e-5, 1e-3)}}
    options = {"folds": 3, "seeds": [0, 1], "n_trials": 3}
    best, trials, settings = nested.nested_search(models, *data, spaces=spaces, **options)
    assert len(best) == 2 * 2 * 3
    assert len(trials) == 3 * len(best)
    for key, one in trials.groupby(list(nested.KEYS)):
        (row,) = best[(best[list(nested.KEYS)] == key).all(axis=1)].to_dict("records")
        assert row["objective"] == one["objective"].min()
        assert row["seconds"] == pytest.approx(one["seconds"].sum())
    assert set(settings) == {(name, seed, fold) for name in spaces for seed in (0, 1) for fold in range(3)}
    assert set(settings["lr", 0, 0]) == {"C"}
    assert settings["piped", 1, 2].keys() == {"logisticregression__C", "logisticregression__tol"}
    scores = scoring.cross_validate(models, *data, folds=3, seeds=[0, 1], settings=settings)
    assert scores["value"].notna().all()


def test_a_diverging_rate_has_an_infinite_loss_and_is_not_chosen(data):
    X, y, groups = data
    net = presets.make("heil2022/logistic-regression", epochs=2, clip_norm=None, optimizer="sgd")
    options = {"spaces": {"net": {"learning_rate": ("log", 1e18, 1e38)}}, "sampler": "random"}
    found = nested.nested_search({"net": net}, X, y, groups, folds_run=1, n_trials=8, **options)
    losses = found.trials["objective"]
    assert set(np.isinf(losses)) == {False, True}
    assert found.trials["learning_rate"][losses.idxmax()] > found.trials["learning_rate"][losses.idxmin()]
    assert found.best["objective"].tolist() == [losses.min()]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_seed_repeats_the_search_and_folds_draw_their_own_trials(data, sampler):
    def run():
        models = {"lr": LogisticRegression()}
        options = {"spaces": {"lr": C}, "folds_run": 2, "n_trials": 2, "sampler": sampler}
        return nested.nested_search(models, *data, **options).trials.drop(columns="seconds")

    pd.testing.assert_frame_equal(run(), run())
    drawn = run().groupby("fold")["C"].apply(set)
    assert not drawn[0] & drawn[1]


def test_the_papers_sampler_has_no_seed(data):
    def run():
        options = {"space": C, "n_trials": 1, "sampler": "tpe-unseeded", "seed": 1}
        return searched(LogisticRegression(), *data, **options).best

    assert run() != run()


def test_what_cannot_be_is_named(data):
    models, spaces = {"lr": LogisticRegression()}, {"lr": C}
    with pytest.raises(UnknownNameError, match="unknown on 'removd'"):
        nested.nested_search(models, *data, spaces=spaces, on="removd")
    with pytest.raises(UnknownNameError, match="model with a space 'rl'"):
        nested.nested_search(models, *data, spaces={"rl": C})


def test_a_left_out_part_of_one_class_cannot_be_used_after_removal():
    groups = np.repeat(np.arange(6), 20)
    pairs = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    y = np.where(groups == 2, 0, np.arange(120) % 2)
    assert len(nested._usable(pairs, y, 0)) == 1
    with pytest.raises(DataError, match="outer fold 0: no inner part"):
        nested._usable(pairs, np.zeros(120), 0)


def test_a_share_of_the_outer_training_part_is_the_one_that_is_scored(data):
    options = {"folds_run": 1, "seeds": [2]}
    scoring.cross_validate({"spy": Spy()}, *data, fractions=[0.5], **options)
    (drawn,) = (rows_of(one["train"]) for one in SEEN)
    SEEN.clear()
    spaces = {"spy": {"knob": ("log", 1, 2)}}
    nested.nested_search({"spy": Spy()}, *data, spaces=spaces, n_trials=1, fraction=0.5, **options)
    left_out = [rows_of(one["left out"]) for one in SEEN]
    assert set.union(*left_out) == drawn
    assert sum(map(len, left_out)) == len(drawn)
    assert all(rows_of(one["train"]) == drawn - rows_of(one["left out"]) for one in SEEN)


def test_what_the_search_found_on_the_largest_share_is_scored_before_and_after_removal(data):
    options = {"folds": 3, "folds_run": 2, "fractions": [0.5, 0.8]}
    scores, search_ = nested.searched_before_and_after(
        {"lr": LogisticRegression()}, *data, space=C, n_trials=4, **options
    )
    by_hand = nested.nested_search(
        {"lr": LogisticRegression()}, *data, spaces={"lr": C}, n_trials=4, fraction=0.8, folds=3, folds_run=2
    )
    assert search_.best["C"].tolist() == by_hand.best["C"].tolist()
    settings = by_hand.settings
    expected = scoring.before_and_after({"lr": LogisticRegression()}, *data, settings=settings, **options)
    pd.testing.assert_frame_equal(scores.drop(columns="seconds"), expected.drop(columns="seconds"))


def test_without_a_finite_loss_a_model_keeps_its_own_parameters(data):
    net = presets.make(
        "heil2022/logistic-regression", epochs=2, clip_norm=None, optimizer="sgd", learning_rate=1e-3
    )
    X, y, groups = data
    options = {"folds": 3, "folds_run": 1, "n_trials": 2}
    space = {"learning_rate": ("log", 9e37, 1e38)}
    scores, found = nested.searched_before_and_after({"net": net}, X, y, groups, space=space, **options)
    assert found.best["objective"].tolist() == [np.inf]
    plain = scoring.before_and_after({"net": net}, X, y, groups, folds=3, folds_run=1)
    assert scores["value"].tolist() == plain["value"].tolist()


def test_outcomes_count_what_came_of_the_trials_and_what_was_chosen():
    rows = [
        {"model": "net", "seed": 0, "fold": fold, "on": "intact", "trial": n, "guess": 0.7, "objective": loss}
        for fold in (0, 1)
        for n, loss in enumerate([0.5 + 0.1 * fold, 0.69, 0.7, np.inf])
    ]
    trials = pd.DataFrame(rows).assign(seconds=1.0, rate=[1e-5, 1, 1, 1, 0.02, 1, 1, 1])
    (row,) = nested.outcomes(nested.Nested(nested._best(trials), trials, {})).to_dict("records")
    counts = {"searches": 2, "trials": 8, "beat a guess": 2, "diverged": 2}
    assert row == {
        "model": "net", **counts, "guess": 0.7, "best loss": pytest.approx(0.55), "rate": "1e-05 to 0.02"
    }  # fmt: skip


def test_a_guess_pays_for_classes_that_are_missing_from_a_training_part(data):
    X, y, groups = data
    options = {"spaces": {"lr": C}, "folds_run": 1, "n_trials": 1}
    plain = nested.nested_search({"lr": LogisticRegression()}, X, y, groups, **options)
    assert plain.best["guess"].tolist() == pytest.approx([np.log(2)])
    part = next(
        search.inner_parts(parts.samples_of(X[:6], [0, 1, 1, 1, 0, 2]), [(np.arange(4), np.array([4, 5]))])
    )
    guess = search.guess_loss([part])
    assert guess == pytest.approx((np.log(2) / 2 - np.log(1e-15)) / (1 / 2 + 1))  # weights 1 / (n + 1)
