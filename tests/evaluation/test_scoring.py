import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.evaluation import metrics, scoring
from exprml.evaluation.linear_signal import remove_linear_signal
from exprml.evaluation.parts import samples_of
from exprml.evaluation.search import inner_parts
from exprml.evaluation.splits import GroupFolds


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it was given; answers the first class."""

    seen: list = []  # noqa: RUF012  (shared by the clones on purpose)

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.groups_ = X, y, groups
        Recorder.seen.append(self)
        return self

    def predict(self, X):
        self.X_validation_ = X
        return np.repeat(self.classes_[0], len(X))


class Keeper(Recorder):
    """A recorder with a parameter."""

    def __init__(self, C=1.0):
        self.C = C


@pytest.fixture(autouse=True)
def _forget():
    Recorder.seen = []


def made_data(seed=0, n=120, shift=3.0):
    """Return values with a linear signal in two genes, labels and groups."""
    generator = np.random.default_rng(seed)
    y = np.array(["a", "b"])[generator.integers(0, 2, n)]
    X = generator.normal(size=(n, 5))
    X[:, :2] += shift * (y == "a")[:, None]
    return X, y, generator.integers(0, 20, n)


def test_balanced_accuracy_by_hand():
    truth = np.array(["a", "a", "a", "a", "b", "b"])
    predicted = np.array(["a", "a", "a", "b", "b", "c"])
    assert metrics.balanced_accuracy(truth, predicted) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert metrics.recall_per_class(truth, predicted) == {"a": 0.75, "b": 0.5}


def test_table_has_a_row_per_model_seed_fold_and_size():
    X, y, groups = made_data()
    models = {"linear": LogisticRegression(), "other": LogisticRegression(C=0.1)}
    table = scoring.cross_validate(
        models, X, y, groups, folds=3, seeds=(0, 1), fractions=(0.5, 1.0), task="t", setting="intact"
    )
    assert list(table.columns) == scoring.COLUMNS
    assert len(table) == 2 * 3 * 2 * 2
    assert set(table["task"]) == {"t"}
    assert table["value"].between(0.7, 1).all()
    assert (table["seconds"] > 0).all()
    full = scoring.at_full_size(table)
    assert len(full) == len(table) / 2
    assert full["n_train"].min() > table["n_train"].min()


def test_values_are_those_of_a_loop_by_hand():
    X, y, groups = made_data(shift=0.5)
    table = scoring.cross_validate({"m": LogisticRegression()}, X, y, groups, folds=4, seeds=(7,))
    expected = []
    for train, validation in GroupFolds(4, 7).split(X, y, groups):
        predicted = LogisticRegression().fit(X[train], y[train]).predict(X[validation])
        recalls = [(predicted[y[validation] == one] == one).mean() for one in "ab"]
        expected.append(np.mean(recalls))
    assert np.allclose(table["value"], expected)


def test_split_removal_uses_each_sides_own_labels_once_per_fold():
    X, y, groups = made_data()
    scoring.cross_validate({"m": Recorder()}, X, y, groups, folds=3, fractions=(0.3, 1.0), removal="split")
    pairs = list(GroupFolds(3, 0).split(X, y, groups))
    for i, (train, validation) in enumerate(pairs):
        small, full = Recorder.seen[2 * i : 2 * i + 2]
        removed = remove_linear_signal(X[train], y[train])
        assert np.array_equal(full.X_, removed)
        assert np.array_equal(full.X_validation_, remove_linear_signal(X[validation], y[validation]))
        rows = {row.tobytes() for row in removed}
        assert all(row.tobytes() in rows for row in small.X_)  # subset drawn after removal
        assert not np.isclose(*[small.X_[small.y_ == one].mean(axis=0)[0] for one in "ab"], atol=1e-9)


def test_removal_after_the_subset_equalises_the_subsets_means():
    X, y, groups = made_data()
    scoring.cross_validate(
        {"m": Recorder()}, X, y, groups, folds=3, fractions=(0.3,), removal="split", removal_scope="subset"
    )
    for one in Recorder.seen:
        means = [one.X_[one.y_ == name].mean(axis=0) for name in "ab"]
        assert np.allclose(*means)


def test_joint_removal_precedes_the_split():
    X, y, groups = made_data()
    scoring.cross_validate({"m": Recorder()}, X, y, groups, folds=3, removal="joint")
    removed = remove_linear_signal(X, y)
    train, validation = next(iter(GroupFolds(3, 0).split(X, y, groups)))
    assert np.array_equal(Recorder.seen[0].X_, removed[train])
    assert np.array_equal(Recorder.seen[0].X_validation_, removed[validation])


def test_linear_model_is_blind_after_removal():
    X, y, groups = made_data(n=400)
    model = {"m": LogisticRegression()}
    intact = scoring.cross_validate(model, X, y, groups)["value"]
    removed = scoring.cross_validate(model, X, y, groups, removal="split")["value"]
    assert intact.min() > 0.9
    assert abs(removed.mean() - 0.5) < 0.1


def test_shuffled_labels_are_a_control_at_chance():
    X, y, groups = made_data(n=400)
    table = scoring.cross_validate(
        {"m": LogisticRegression()}, X, y, groups, seeds=(0, 1), shuffle_labels=True, majority=True
    )
    assert set(table["control"]) == {scoring.SHUFFLED, "majority"}
    assert abs(table[table["model"] == "m"]["value"].mean() - 0.5) < 0.1


def test_majority_scores_chance_exactly():
    X, y, groups = made_data()
    table = scoring.cross_validate({}, X, y, groups, majority=True)
    assert set(table["value"]) == {0.5}
    assert set(table["control"]) == {"majority"}


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: make_pipeline(StandardScaler(), m)])
def test_groups_reach_the_model(wrap):
    X, y, groups = made_data()
    scoring.cross_validate({"m": wrap(Recorder())}, X, y, groups, folds=3)
    train, _ = next(iter(GroupFolds(3, 0).split(X, y, groups)))
    assert np.array_equal(Recorder.seen[0].groups_, groups[train])


def test_groups_reach_the_inner_folds_of_a_search():
    X, y, groups = made_data()
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=GroupKFold(3))
    table = scoring.cross_validate({"m": make_pipeline(StandardScaler(), search)}, X, y, groups, folds=3)
    assert table["value"].min() > 0.8  # without groups the inner folds raise


def test_recalls_and_own_metrics_become_rows():
    X, y, groups = made_data()
    table = scoring.cross_validate(
        {"m": LogisticRegression()}, X, y, groups, folds=2, recalls=True, metrics={"n": lambda t, p: len(t)}
    )
    assert set(table["metric"]) == {"n", "recall:a", "recall:b"}
    assert table.loc[table["metric"] == "n", "value"].sum() == len(y)


def test_subset_with_one_class_is_recorded_as_missing():
    X, y, groups = made_data()
    table = scoring.cross_validate({"m": LogisticRegression()}, X, y, groups, folds=2, fractions=(0.001, 1.0))
    assert table["value"].isna().tolist() == [True, False] * 2
    assert table["n_train"].iloc[0] == 1


def test_many_targets_pass_the_same_rooms():
    X, _, groups = made_data()
    Y = X @ np.random.default_rng(1).normal(size=(5, 3))

    def of_targets(truth, predicted):
        return dict(enumerate(np.abs(truth - predicted).mean(axis=0)))

    asked = {"mean_absolute_error": metrics.METRICS["mean_absolute_error"], "target_error": of_targets}
    table = scoring.cross_validate(
        {"linear": LinearRegression(), "mean": DummyRegressor()}, X, Y, groups, folds=3, metrics=asked
    )
    assert set(table.loc[table["model"] == "mean", "control"]) == {"mean"}
    errors = table.pivot_table(index="model", columns="metric", values="value")
    assert list(errors) == ["mean_absolute_error", "target_error:0", "target_error:1", "target_error:2"]
    assert errors.loc["linear"].max() < 1e-10 < 0.1 < errors.loc["mean"].min()


def test_anndata_with_column_names_and_given_folds():
    X, y, groups = made_data()
    adata = AnnData(
        X,
        obs=pd.DataFrame(
            {"tissue": pd.Categorical(y), "donor": groups}, index=[f"s{i}" for i in range(len(y))]
        ),
    )
    by_name = scoring.cross_validate({"m": LogisticRegression()}, adata, "tissue", "donor", folds=3)
    pairs = list(GroupFolds(3, 0).split(X, y, groups))
    given = scoring.cross_validate({"m": LogisticRegression()}, X, y, folds=pairs)
    assert np.allclose(by_name["value"], given["value"])
    assert set(given["split"]) == {"given"}


def test_group_folds_score_lower_than_leaky_sample_folds():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    y = np.repeat(generator.integers(0, 2, 40), 10)
    X = generator.normal(size=(40, 30))[groups] + 0.1 * generator.normal(size=(400, 30))  # donors, no classes
    model = {"m": LogisticRegression(max_iter=1000)}
    apart = scoring.cross_validate(model, X, y, groups)["value"].mean()
    leaky = scoring.cross_validate(model, X, y, groups, split="sample")["value"].mean()
    assert leaky > 0.9
    assert apart < 0.7


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"removal": "splitt"}, UnknownNameError, "did you mean 'split'"),
        ({"split": "donor"}, UnknownNameError, "unknown split 'donor'"),
        ({"removal_scope": "all"}, UnknownNameError, "removal_scope"),
        ({"metrics": ("balanced_acuracy",)}, UnknownNameError, "did you mean 'balanced_accuracy'"),
        ({"folds": 30}, DataError, "20 groups cannot be cut into 30 folds"),
    ],
)
def test_bad_options_are_named(options, error, message):
    X, y, groups = made_data()
    with pytest.raises(error, match=message):
        scoring.cross_validate({"m": LogisticRegression()}, X, y, groups, **options)


def test_bad_data_are_named():
    X, y, groups = made_data()
    models = {"m": LogisticRegression()}
    with pytest.raises(DataError, match="y has 119 entries for 120 samples"):
        scoring.cross_validate(models, X, y[1:], groups)
    with pytest.raises(DataError, match="single class 'a'"):
        scoring.cross_validate(models, X, np.repeat("a", len(X)), groups)
    with pytest.raises(UnknownNameError, match="unknown obs column 'tissu'"):
        scoring.cross_validate(models, AnnData(X, obs=pd.DataFrame({"tissue": y})), "tissu")
    with pytest.raises(ParameterError, match="no models"):
        scoring.cross_validate({}, X, y, groups)
    with pytest.raises(ParameterError, match="need class labels"):
        scoring.cross_validate(models, X, X[:, 0], groups, removal="split")


def test_before_and_after_runs_the_same_folds_in_every_mode():
    X, y, groups = made_data()
    models = {"linear": LogisticRegression()}
    modes = ("intact", "removed", "removed jointly")
    table = scoring.before_and_after(models, X, y, groups, modes=modes, folds=3, task="t")
    assert list(table["setting"].unique()) == list(modes)
    for mode, removal in zip(modes, ("none", "split", "joint"), strict=True):
        alone = scoring.cross_validate(models, X, y, groups, folds=3, removal=removal)
        assert list(table[table["setting"] == mode]["value"]) == list(alone["value"])


def test_removal_within_a_level_takes_what_removal_by_label_leaves():
    """In one cohort the classes differ by +3, in the other by -3: equal means overall, not in each cohort."""
    X, y, groups = made_data(shift=0.0, n=200)
    cohort = np.where(groups < 10, "one", "two")
    X[:, 0] += np.where(cohort == "one", 3.0, -3.0) * (y == "a")
    data = AnnData(np.column_stack([X, 5.0 * (cohort == "one")]), obs=pd.DataFrame({"cohort": cohort}))
    data.obs_names = [f"s{i}" for i in range(len(y))]
    forest = {"forest": RandomForestClassifier(50, random_state=0)}
    modes = ("removed", "removed within")
    table = scoring.before_and_after(forest, data, y, groups, modes=modes, within="cohort", folds=3)
    means = table.groupby("setting")["value"].mean()
    assert means["removed"] > 0.8
    assert means["removed within cohort"] < 0.62


def test_removal_within_leaves_equal_class_means_in_every_level():
    X, y, groups = made_data(n=80)
    Recorder.seen = []
    level = groups % 2
    scoring.cross_validate({"r": Recorder()}, X, y, groups, folds=2, removal="split", within=level)
    fold = next(iter(GroupFolds(2, 0).split(X, y, groups)))
    for one in (0, 1):
        rows = level[fold[0]] == one
        values, labels = Recorder.seen[0].X_[rows], Recorder.seen[0].y_[rows]
        np.testing.assert_allclose(values[labels == "a"].mean(0), values[labels == "b"].mean(0), atol=1e-12)


def test_level_with_a_single_class_is_named():
    X, y, groups = made_data()
    with pytest.raises(DataError, match="'a' holds the single class 'a'"):
        scoring.cross_validate({"r": Recorder()}, X, y, groups, folds=2, removal="split", within=y)


def test_fold_whose_shuffled_labels_leave_a_level_one_class_is_not_scored():
    X, y, groups = made_data()
    small = np.where(np.arange(len(y)) < 4, "few", "many")  # both classes are in it
    options = {"folds": 2, "split": "sample", "removal": "split", "within": small, "seeds": range(8)}
    table = scoring.cross_validate({"r": Recorder()}, X, y, groups, shuffle_labels=True, **options)
    scored = table[table["metric"] == "balanced_accuracy"]["value"].notna()
    assert 0 < scored.sum() < len(scored)


def test_settings_reach_their_own_fold_and_no_other():
    X, y, groups = made_data()
    settings = {("linear", 0, 1): {"C": 0.5}}
    table = scoring.cross_validate({"linear": Keeper()}, X, y, groups, folds=3, settings=settings)
    assert len(table) == 3
    assert [one.C for one in Recorder.seen] == [1.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modes": ("intcat",)}, "intcat"),
        ({"modes": ("removed within",)}, "needs `within`"),
        ({"modes": ("removed within",), "within": "cohrt"}, "cohrt"),
        ({"modes": ("removed within",), "within": np.arange(3)}, "3 entries for 120"),
        ({"modes": ("removed within",), "within": np.r_[np.nan, np.ones(119)]}, "1 samples have no level"),
    ],
)
def test_bad_modes_are_named(options, message):
    X, y, groups = made_data()
    with pytest.raises((ParameterError, UnknownNameError, DataError), match=message):
        scoring.before_and_after({"r": Recorder()}, AnnData(X), y, groups, folds=2, **options)


def test_full_size_is_that_of_each_curve():
    table = pd.DataFrame(
        {
            "model": ["a", "a", "b", "c"],
            "fold": 0,
            "n_train": [10, 20, 10, None],
            "value": [1.0, 2.0, 3.0, 4.0],
        }
    )
    assert list(scoring.at_full_size(table)["value"]) == [2.0, 3.0, 4.0]
    assert len(scoring.at_full_size(table.drop(columns="n_train"))) == 4


def test_removal_in_training_only_leaves_the_validation_fold_as_it_is():
    X, y, groups = made_data()
    scoring.cross_validate({"r": Recorder()}, X, y, groups, folds=2, removal="training")
    train, validation = next(iter(GroupFolds(2, 0).split(X, y, groups)))
    np.testing.assert_array_equal(Recorder.seen[0].X_, remove_linear_signal(X[train], y[train]))
    np.testing.assert_array_equal(Recorder.seen[0].X_validation_, X[validation])


def test_samples_without_a_label_are_refused_not_scored_as_a_class():
    X, y = np.eye(4), np.array(["Blood", "", "Brain", ""], dtype=object)
    with pytest.raises(DataError, match="2 of 4 samples have an empty label"):
        scoring.cross_validate({"model": LogisticRegression()}, X, y)


def test_models_are_told_where_signal_was_removed_and_within_what():
    class Told(Recorder):
        def fit(self, X, y, groups=None, *, removed_within=None):
            self.levels_ = removed_within
            return super().fit(X, y, groups)

    rng = np.random.default_rng(0)
    X, y, groups = rng.normal(size=(40, 3)), np.tile(["a", "b"], 20), np.arange(40)
    cohort = np.repeat(["one", "two"], 20)
    modes = ["intact", "removed", "removed within", "removed jointly"]
    Recorder.seen.clear()
    models = {"told": make_pipeline(StandardScaler(), Told())}
    scoring.before_and_after(models, X, y, groups, folds=2, folds_run=1, modes=modes, within=cohort)
    intact, removed, within, jointly = Recorder.seen
    assert intact.levels_ is None  # nothing was removed
    assert len(removed.levels_) == len(removed.y_)
    assert len(set(removed.levels_)) == 1
    assert set(within.levels_) == {"one", "two"}
    assert jointly.levels_ is None  # the training set's own means are not equal: that is the leak


def test_searches_tell_of_removal_too():
    rng = np.random.default_rng(0)
    samples = samples_of(rng.normal(size=(40, 3)), np.tile(["a", "b"], 20), np.arange(40))
    pairs = [(np.arange(20), np.arange(20, 40))]
    (intact,), (removed,) = (list(inner_parts(samples, pairs, removed=one)) for one in (False, True))
    assert intact.train.removed_within is None
    assert len(removed.train.removed_within) == 20
    assert len(removed.train.take(np.arange(5)).removed_within) == 5
