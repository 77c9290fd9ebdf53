"""Held-out predictions: each sample once, its group unseen, scores by level and votes by group."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from exprml.base.errors import DataError
from exprml.evaluation import heldout
from exprml.evaluation.linear_signal import remove_linear_signal
from exprml.evaluation.splits import GroupFolds

Y = np.array(["a", "b"] * 12)
GROUPS = np.repeat(np.arange(12), 2)
X = np.random.default_rng(0).normal(size=(24, 3)) + 4.0 * (Y == "b")[:, None]
FOLDS = list(GroupFolds(3).split(X, Y, GROUPS))


class Remembers(ClassifierMixin, BaseEstimator):
    """Answers "seen" for groups of its training set; the first feature is the group."""

    def fit(self, X, y):
        self.seen_ = set(X[:, 0])
        self.means_ = [X[y == one].mean(axis=0) for one in ("a", "b")]
        return self

    def predict(self, X):
        return np.array(["seen" if one in self.seen_ else "new" for one in X[:, 0]])


class Gap(Remembers):
    """Answers whether the class means of its training set agree."""

    def predict(self, X):
        agree = np.allclose(*self.means_, atol=1e-6) and np.allclose(
            X[::2].mean(0), X[1::2].mean(0), atol=1e-6
        )
        return np.full(len(X), "equal" if agree else "apart")


def test_every_sample_is_predicted_once_by_a_model_that_has_not_seen_its_group():
    table = heldout.held_out(Remembers(), GROUPS[:, None].astype(float), Y, GROUPS, FOLDS)
    assert table.index.tolist() == list(range(24))
    assert set(table["predicted"]) == {"new"}
    assert table["truth"].tolist() == Y.tolist()
    assert table["group"].tolist() == GROUPS.tolist()
    assert table["fold"].nunique() == 3


def test_predictions_are_those_of_the_model_fitted_by_hand():
    train, validation = FOLDS[0]
    expected = LogisticRegression().fit(X[train], Y[train]).predict(X[validation])
    table = heldout.held_out(LogisticRegression(), X, Y, GROUPS, FOLDS[:1])
    assert table.loc[validation, "predicted"].tolist() == expected.tolist()
    assert len(table) == len(validation)


def test_removal_makes_the_means_agree_in_training_and_validation_apart():
    assert set(heldout.held_out(Gap(), X, Y, GROUPS, FOLDS)["predicted"]) == {"apart"}
    assert set(heldout.held_out(Gap(), X, Y, GROUPS, FOLDS, removed=True)["predicted"]) == {"equal"}
    together = remove_linear_signal(X, Y)
    assert set(heldout.held_out(Gap(), together, Y, GROUPS, FOLDS)["predicted"]) == {"apart"}


def test_a_sample_validated_twice_is_refused():
    with pytest.raises(DataError, match="8 samples stand in two validation folds, as number"):
        heldout.held_out(LogisticRegression(), X, Y, GROUPS, [FOLDS[0], FOLDS[0]])


def test_folds_that_divide_a_group_are_refused():
    every_other = np.arange(24) % 2 == 0
    fold = (np.flatnonzero(every_other), np.flatnonzero(~every_other))
    with pytest.raises(DataError, match="12 groups stand on both sides"):
        heldout.held_out(LogisticRegression(), X, Y, GROUPS, [fold])


def predictions(truth, predicted, groups, index=None):
    columns = {"fold": 0, "group": list(groups), "truth": list(truth), "predicted": list(predicted)}
    return pd.DataFrame(columns, index=index)


def test_scores_by_level_are_balanced_accuracies_and_follow_the_index():
    table = predictions("aaabaa", "aabaab", "111111", index=[5, 4, 3, 2, 1, 0])
    scores = heldout.score_by(table, ["y", "y", "x", "x", "x", "x"])
    assert scores.to_dict() == {"x": pytest.approx((2 / 3 + 0) / 2), "y": 0.5}


def test_votes_count_groups_and_halve_ties():
    table = predictions("aaabba", "aabbab", ["p", "p", "p", "q", "q", "r"])
    found = heldout.votes(table).set_index("group")
    assert found["vote"].to_dict() == {"p": 1.0, "q": 0.5, "r": 0.0}
    assert found["samples"].to_dict() == {"p": 3, "q": 2, "r": 1}
    assert found["right"]["p"] == pytest.approx(2 / 3)
