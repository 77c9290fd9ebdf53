"""Predictions in place of scores: each sample once, by a model that has not seen its group."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from exprml.base.errors import DataError
from exprml.evaluation import scoring
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


def held_out(model, X, folds, removal="none"):
    options = {"folds": folds, "removal": removal, "predictions": True}
    return scoring.cross_validate({"m": model}, X, Y, GROUPS, **options).set_index("sample").sort_index()


def test_every_sample_is_predicted_once_by_a_model_that_has_not_seen_its_group():
    table = held_out(Remembers(), GROUPS[:, None].astype(float), FOLDS)
    assert table.index.tolist() == list(range(24))
    assert set(table["predicted"]) == {"new"}
    assert table["truth"].tolist() == Y.tolist()
    assert table["group"].tolist() == GROUPS.tolist()
    assert table["fold"].nunique() == 3


def test_predictions_are_those_of_the_model_fitted_by_hand():
    train, validation = FOLDS[0]
    expected = LogisticRegression().fit(X[train], Y[train]).predict(X[validation])
    table = held_out(LogisticRegression(), X, FOLDS[:1])
    assert table.loc[validation, "predicted"].tolist() == expected.tolist()
    assert len(table) == len(validation)


def test_removal_makes_the_means_agree_in_training_and_validation_apart():
    assert set(held_out(Gap(), X, FOLDS)["predicted"]) == {"apart"}
    assert set(held_out(Gap(), X, FOLDS, "split")["predicted"]) == {"equal"}
    together = remove_linear_signal(X, Y)
    assert set(held_out(Gap(), together, FOLDS)["predicted"]) == {"apart"}


def test_folds_that_divide_a_group_are_refused():
    every_other = np.arange(24) % 2 == 0
    fold = (np.flatnonzero(every_other), np.flatnonzero(~every_other))
    with pytest.raises(DataError, match="12 groups stand on both sides"):
        held_out(LogisticRegression(), X, [fold])
