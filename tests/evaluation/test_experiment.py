"""The one engine: what other papers ask of it, and what it promises to all."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.neighbors import KNeighborsClassifier

from exprml.base.errors import DataError
from exprml.evaluation import experiment, parts
from exprml.evaluation.parts import Protocol
from exprml.models import presets


@pytest.fixture
def profiles():
    """Return profiles of three compounds on six cell lines, ten each, with the compound and the line."""
    generator = np.random.default_rng(0)
    compound = np.tile(np.array(["dmso", "drug a", "drug b"]), 60)
    line = np.repeat([f"line {i}" for i in range(6)], 30)
    X = generator.normal(size=(180, 8)) + 3 * np.eye(3, 8)[np.unique(compound, return_inverse=True)[1]]
    return X + 0.5 * generator.normal(size=(6, 8))[np.unique(line, return_inverse=True)[1]], compound, line


def test_classifiers_are_scored_on_grouped_folds_and_on_cell_lines_held_out(profiles):
    X, compound, line = profiles
    models = {"logistic": LogisticRegression(), "neighbours": KNeighborsClassifier(3)}
    each_line = tuple(LeaveOneGroupOut().split(X, groups=line))
    ways = [
        Protocol(folds=3, seeds=(0, 1), setting="folds of lines"),
        Protocol(folds=each_line, setting="one line held out"),
    ]
    made = (part for way in ways for part in parts.folds(X, compound, line, way))
    table = experiment.run(models, made, ("balanced_accuracy", "recall"), majority=True)
    assert list(table.columns) == experiment.COLUMNS
    scores = table[table["metric"] == "balanced_accuracy"]
    assert scores.groupby(["setting", "model"]).size().unique().tolist() == [6]
    means = scores.groupby("model")["value"].mean()
    assert means["logistic"] > 0.8 > 0.4 > means[experiment.MAJORITY]
    assert set(table["metric"]) == {"balanced_accuracy", *(f"recall:{one}" for one in set(compound))}
    kept = experiment.run(models, parts.folds(X, compound, line, ways[1]), predictions=True)
    assert kept.groupby("model").size().tolist() == [180, 180]
    assert kept.groupby("fold")["group"].nunique().unique().tolist() == [1]
    train, test = each_line[2]
    expected = LogisticRegression().fit(X[train], compound[train]).predict(X[test])
    asked = kept[(kept["model"] == "logistic") & (kept["fold"] == 2)]
    assert asked["predicted"].tolist() == expected.tolist()
    assert asked["sample"].tolist() == test.tolist()


def test_autoencoders_are_scored_by_what_they_reconstruct(profiles):
    X, _, line = profiles
    small = {"hidden": (6,), "code": 3, "epochs": 5, "batch_size": 20, "holdout": 0.3, "random_state": 0}
    net = presets.make("bhukya2021/autoencoder", **small)
    models = {"one component": PCA(1), "three components": PCA(3), "autoencoder": net}
    protocol = Protocol(folds=3, task="reconstruction")
    table = experiment.run(models, parts.folds(X, None, line, protocol), ("mean_squared_error",))
    error = table.groupby("model")["value"].mean()
    late = table.set_index("model")["still_improving"]
    assert late["one component"].isna().all()
    assert late["autoencoder"].isin([0.0, 1.0]).all()
    assert error["three components"] < error["one component"]
    assert np.isfinite(error["autoencoder"])
    (first, *_) = parts.folds(X, None, line, protocol)
    pca = PCA(3).fit(first.train.X)
    wrong = pca.inverse_transform(pca.transform(first.test.X)) - first.test.X
    row = table[(table["model"] == "three components") & (table["fold"] == 0)]
    assert row["value"].item() == pytest.approx(np.square(wrong).mean())


def test_predictions_of_many_targets_have_a_row_for_each(profiles):
    X, _, line = profiles
    made = parts.folds(X[:, :5], X[:, 5:], line, Protocol(folds=2))
    kept = experiment.run({"ols": LinearRegression()}, made, predictions=True)
    assert len(kept) == 180 * 3
    by_gene = kept.assign(wrong=kept["truth"] - kept["predicted"]).groupby("target")["wrong"]
    assert by_gene.apply(lambda wrong: np.abs(wrong).mean()).between(0.1, 5).all()
    first = kept[kept["sample"] == 7].sort_values("target")
    assert first["truth"].tolist() == X[7, 5:].tolist()


class Counter(ClassifierMixin, BaseEstimator):
    """Counts its fits."""

    fits: list = []  # noqa: RUF012  (shared by the clones on purpose)

    def fit(self, X, y):
        Counter.fits.append(len(X))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


def test_parts_are_taken_one_at_a_time_and_those_that_share_a_training_set_share_the_fit(profiles):
    X, compound, line = profiles
    Counter.fits.clear()
    samples = parts.samples_of(X, compound, line)
    train, taken = samples.take(np.arange(90)), []

    def made():
        for number in range(3):
            taken.append(len(Counter.fits))
            words = Protocol().words(fold=number, seed=0, n_train=90)
            yield experiment.Part(words, train if number < 2 else train.take(np.arange(60)), samples)

    table = experiment.run({"one": Counter(), "two": Counter()}, made())
    assert taken == [0, 2, 2]
    assert Counter.fits == [90, 90, 60, 60]
    assert len(table) == 6


def test_predictions_of_a_part_that_cannot_be_used_are_refused_not_left_out(profiles):
    X, _, line = profiles
    y = np.where(line == "line 0", "a", "b")
    each_line = tuple(LeaveOneGroupOut().split(X, groups=line))
    made = parts.folds(X, y, line, Protocol(folds=each_line[:1]))
    scores = experiment.run({"m": LogisticRegression()}, made)
    assert scores["value"].isna().all()
    made = parts.folds(X, y, line, Protocol(folds=each_line[:1]))
    with pytest.raises(DataError, match="single class on one side"):
        experiment.run({"m": LogisticRegression()}, made, predictions=True)


def test_scores_of_kept_predictions_are_the_scores(profiles):
    X, compound, line = profiles
    models = {"m": LogisticRegression()}
    protocol = Protocol(folds=3, fractions=(0.5, 1.0))
    kept = experiment.run(models, parts.folds(X, compound, line, protocol), predictions=True)
    direct = experiment.run(models, parts.folds(X, compound, line, protocol))
    pd.testing.assert_frame_equal(
        experiment.scores_of(kept).drop(columns="seconds"), direct.drop(columns="seconds")
    )
