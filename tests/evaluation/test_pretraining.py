"""Pretraining: who sees what, what is handed on, and a model that cannot be pretrained."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.evaluation import parts, pretraining, scoring, splits
from exprml.evaluation.metrics import balanced_accuracy

FITS: list = []


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers each fit: samples (the first feature is their number), labels, groups, start, validation."""

    def __init__(self, random_state=0, classes=None):
        self.random_state = random_state
        self.classes = classes

    def fit(self, X, y, groups=None, *, start_from=None):
        self.X_, self.y_, self.groups_, self.start_ = X, y, groups, start_from
        self.scored_ = []
        FITS.append(self)
        return self

    def predict(self, X):
        self.scored_.append(X)
        return np.repeat(self.y_[0], len(X))


class Nearest(ClassifierMixin, BaseEstimator):
    """Class means, begun with those of another: it knows every class it ever saw."""

    def fit(self, X, y, groups=None, *, start_from=None):
        self.means_ = dict(start_from.means_) if start_from else {}
        self.means_ |= {name: X[y == name].mean(axis=0) for name in np.unique(y)}
        return self

    def predict(self, X):
        names = np.array(list(self.means_))
        far = [np.linalg.norm(X - mean, axis=1) for mean in self.means_.values()]
        return names[np.argmin(far, axis=0)]


@pytest.fixture(autouse=True)
def _forget():
    FITS.clear()


def made_data(n=200, n_groups=20, n_classes=2, seed=0):
    """Return values (the first is the sample's number), labels and groups."""
    generator = np.random.default_rng(seed)
    y = np.array(list("abcdef"))[np.arange(n) % n_classes]
    X = np.column_stack([np.arange(n), generator.normal(size=(n, 3)) + 2 * (y == "a")[:, None]])
    return X, y, generator.integers(0, n_groups, n)


def numbers(X):
    return set(X[:, 0].astype(int))


X, Y, GROUPS = made_data()
ALL = parts.PRETRAINING


@pytest.mark.parametrize("mode", ALL[:4])
def test_validation_groups_are_seen_neither_in_pretraining_nor_in_training(mode):
    pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, modes=[mode], fractions=[0.5, 1.0])
    scored = [fit for fit in FITS if fit.scored_]
    assert len(scored) == 5 * 2
    for fit in scored:
        (validation,) = map(numbers, fit.scored_)
        seen = numbers(fit.X_) | (numbers(fit.start_.X_) if fit.start_ else set())
        assert not set(GROUPS[list(seen)]) & set(GROUPS[list(validation)])


def test_pretraining_and_training_groups_are_apart_and_the_shares_are_40_40_20():
    pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, modes=["pretrained"], fractions=[1.0])
    for fit in (one for one in FITS if one.start_ is not None):
        before, after = (set(GROUPS[list(numbers(one.X_))]) for one in (fit.start_, fit))
        assert not before & after
        assert len(before) == len(after) == 8
        assert numbers(fit.scored_[0]) == set(range(200)) - numbers(fit.X_) - numbers(fit.start_.X_)


def test_leaking_groups_are_refused(monkeypatch):
    def leaking(groups, *_, **__):
        whole = np.arange(len(groups))
        yield splits.PretrainingSplit(whole[:50], whole[50:150], whole[40:60])

    monkeypatch.setattr(splits, "pretraining_split", leaking)
    with pytest.raises(DataError, match="both sides of the split"):
        pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, folds_run=1)


def test_all_modes_train_on_the_same_subsets_and_get_their_groups():
    options = {"modes": ALL[:4], "fractions": [0.3], "folds_run": 1}
    pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, **options)
    scored = [fit for fit in FITS if fit.scored_]
    plain, pretrained, pooled, shuffled = scored
    assert plain.start_ is None
    assert numbers(plain.X_) == numbers(pretrained.X_) == numbers(shuffled.X_)
    assert numbers(pooled.X_) == numbers(plain.X_) | numbers(pretrained.start_.X_)
    for fit in [*scored, pretrained.start_]:
        rows = fit.X_[:, 0].astype(int)
        assert np.array_equal(fit.groups_, GROUPS[rows])
        assert np.array_equal(fit.y_, Y[rows])
    rows = shuffled.start_.X_[:, 0].astype(int)
    assert sorted(shuffled.start_.y_) == sorted(Y[rows])
    assert not np.array_equal(shuffled.start_.y_, Y[rows])


def test_a_fit_on_all_training_samples_is_not_taken_for_the_pretrained_one():
    pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, fractions=[1.0], folds_run=1)
    plain, before, pretrained = FITS
    assert (plain.start_, pretrained.start_) == (None, before)
    assert numbers(plain.X_) == numbers(pretrained.X_)


def test_with_shuffled_labels_every_part_is_shuffled_alike_and_nothing_can_be_learnt():
    X, y, groups = made_data(n=400, n_groups=40)
    shared = {"fractions": [1.0], "seeds": range(4), "modes": ["pretrained"]}
    table = pretraining.pretraining_curves({"m": Recorder()}, X, y, groups, **shared, shuffle_labels=True)
    assert set(table["control"]) == {parts.SHUFFLED}
    permuted = np.random.default_rng([0, 1]).permutation(y)
    for fitted in FITS[:2]:  # the first seed's pretraining and training
        assert np.array_equal(fitted.y_, permuted[fitted.X_[:, 0].astype(int)])
    true, idle = (
        pretraining.pretraining_curves(
            {"m": Nearest()}, X[:, 1:], y, groups, **shared, shuffle_labels=control
        )
        for control in (False, True)
    )
    assert true["value"].mean() > 0.8 > 0.6 > idle["value"].mean() > 0.4


def test_a_model_that_ignores_pretraining_scores_the_same_with_and_without():
    forest = {"forest": RandomForestClassifier(5, random_state=0)}
    table = pretraining.pretraining_curves(forest, X, Y, GROUPS, modes=ALL[:4], fractions=[0.2, 1.0])
    wide = table.pivot_table(index=["fold", "n_train"], columns="setting", values="value")
    assert wide["pretrained"].equals(wide["not pretrained"].rename("pretrained"))
    assert (wide["pretrained on shuffled labels"] == wide["not pretrained"]).all()
    assert (wide["pooled"] != wide["not pretrained"]).any()


def test_what_is_learnt_before_helps_where_the_training_set_lacks_it():
    values, labels, groups = made_data(n_classes=6, n=600, n_groups=60)
    values = values[:, 1:] + 5 * np.eye(6, 3)[np.unique(labels, return_inverse=True)[1]]
    labels = np.where(labels == "f", "e", labels)
    options = {"modes": ALL[:2], "fractions": [0.02, 1.0]}
    table = pretraining.pretraining_curves({"near": Nearest()}, values, labels, groups, **options)
    small = table[table["n_train"] < 10].groupby("setting")["value"].mean()
    assert small["pretrained"] > small["not pretrained"] + 0.1


def test_the_pretrained_model_as_it_is_stands_at_no_training_samples():
    values, options = X[:, 1:], {"modes": ["not trained further", "pretrained"], "fractions": [0.5, 1.0]}
    table = pretraining.pretraining_curves({"near": Nearest()}, values, Y, GROUPS, folds_run=2, **options)
    bare = table[table["setting"] == "not trained further"]
    assert list(bare["n_train"]) == [0, 0]
    part = next(splits.pretraining_split(GROUPS, Y))
    expected = Nearest().fit(values[part.pretrain], Y[part.pretrain]).predict(values[part.validation])
    assert bare["value"].iloc[0] == balanced_accuracy(Y[part.validation], expected)


def test_a_pipelines_first_steps_come_with_the_start():
    pipeline = make_pipeline(MinMaxScaler(), Recorder())
    pretraining.pretraining_curves(
        {"m": pipeline}, X, Y, GROUPS, modes=["pretrained"], fractions=[1.0], folds_run=1
    )
    before, after = FITS
    part = next(splits.pretraining_split(GROUPS, Y))
    scaler = MinMaxScaler().fit(X[part.pretrain])
    assert after.start_ is before
    assert np.array_equal(after.X_, scaler.transform(X[part.train]))
    assert np.array_equal(after.scored_[0], scaler.transform(X[part.validation]))


def test_every_model_is_told_all_classes_and_the_callers_stay_as_they_were():
    model = Recorder()
    options = {"modes": ALL[:2], "fractions": [1.0], "folds_run": 1}
    pretraining.pretraining_curves({"m": model}, X, Y, GROUPS, **options)
    assert {fit.classes for fit in FITS} == {("a", "b")}
    assert model.classes is None


def test_the_table_has_a_row_per_mode_fold_seed_and_size_and_its_controls():
    options = {"modes": ALL, "fractions": [0.5, 1.0], "seeds": [0, 3], "folds": 3, "majority": True}
    table = pretraining.pretraining_curves(
        {"m": Nearest()}, X[:, 1:], Y, GROUPS, task="t", metrics=("balanced_accuracy", "recall"), **options
    )
    assert list(table.columns) == scoring.COLUMNS
    assert set(table["setting"]) == set(ALL)
    rows = table[(table["metric"] == "balanced_accuracy") & (table["control"] == "")]
    assert rows.groupby(["setting", "seed", "fold"]).size().unique().tolist() == [2, 1]
    assert len(rows) == 2 * 3 * (4 * 2 + 1)
    assert set(table["split"]) == {"group"}
    assert set(table["task"]) == {"t"}
    chance = table[(table["control"] == "majority") & (table["metric"] == "balanced_accuracy")]
    assert (chance["value"] == 0.5).all()
    assert not table.duplicated([*scoring.COLUMNS[:-2]]).any()


def test_other_seeds_draw_other_folds():
    options = {"modes": ALL[:1], "fractions": [1.0], "folds_run": 1, "seeds": [0, 1]}
    pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, **options)
    assert numbers(FITS[0].X_) != numbers(FITS[1].X_)


def test_unknown_modes_and_options_and_a_seedless_model_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'pretrained'"):
        pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, modes=["pretraind"])
    with pytest.raises(TypeError, match="removal"):
        pretraining.pretraining_curves({"m": Recorder()}, X, Y, GROUPS, removal="split")
    with pytest.raises(ParameterError, match=r"'m' has random_state=None.*whole number"):
        pretraining.pretraining_curves({"m": Recorder(random_state=None)}, X, Y, GROUPS)


def test_numbers_can_be_predicted_too():
    class Mean(BaseEstimator):
        def fit(self, X, y, groups=None, *, start_from=None):
            self.mean_ = np.mean(y)
            return self

        def predict(self, X):
            return np.repeat(self.mean_, len(X))

    options = {"metrics": ["mean_absolute_error"], "fractions": [1.0], "folds_run": 1}
    table = pretraining.pretraining_curves({"mean": Mean()}, X, X[:, 1], GROUPS, **options)
    assert isinstance(table, pd.DataFrame)
    assert table["value"].between(0, 5).all()


def curve(setting, model, values, sizes=(10, 100), fold=0):
    return pd.DataFrame({"value": values, "n_train": sizes, "setting": setting, "model": model}).assign(
        fold=fold, seed=0, task="t", control="", split="group", metric="balanced_accuracy", seconds=1.0
    )


def test_gains_are_differences_on_the_same_fold_and_size():
    tables = [
        curve("not pretrained", "a", [0.2, 0.5]), curve("pretrained", "a", [0.5, 0.6]),
        curve("not pretrained", "a", [0.1, 0.3], fold=1), curve("pretrained", "a", [0.2, 0.2], fold=1),
        curve("pretrained", "b", [0.9, 0.9]), curve("pooled", "a", [0.7, 0.7]),
        curve("pretrained", "majority class", [0.9, 0.9]).assign(control="majority"),
    ]  # fmt: skip
    found = pretraining.gains(pd.concat(tables))
    assert list(found.columns) == scoring.COLUMNS
    assert set(found["model"]) == {"a"}
    by_size = found.set_index(["fold", "n_train"])["value"].round(9).to_dict()
    assert by_size == {(0, 10): 0.3, (0, 100): 0.1, (1, 10): 0.1, (1, 100): -0.1}
    pooled = pretraining.gains(pd.concat(tables), "pooled")
    assert pooled["value"].round(9).tolist() == [0.5, 0.2]


def test_least_data_is_each_curves_smallest_size_and_not_none_at_all():
    tables = [
        curve("pretrained", "a", [0.5, 0.6]), curve("pretrained", "a", [0.3, 0.4], sizes=(11, 99), fold=1),
        curve("not trained further", "a", [0.8], sizes=[0]),
    ]  # fmt: skip
    assert scoring.at_least_data(pd.concat(tables))["value"].tolist() == [0.5, 0.3]
    assert scoring.at_full_size(pd.concat(tables))["value"].tolist() == [0.6, 0.4, 0.8]
