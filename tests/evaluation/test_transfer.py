import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.evaluation import experiment, scoring, transfer

LINEAR = {"linear": LogisticRegression(C=0.1)}


def compendium(seed=0, n=120, prefix="s", classes=("a", "b")):
    """Return made data: gene 0 is high in the first class, the others are noise; three samples a group."""
    generator = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(n) % len(classes)]
    X = generator.normal(size=(n, 6))
    X[:, 0] += 4 * (y == classes[0])
    group = [f"{prefix}{i // 3}" for i in range(n)]
    names = pd.Index([f"gene{i}" for i in range(6)])
    index = [f"{prefix}{i}" for i in range(n)]
    return AnnData(X, pd.DataFrame({"label": y, "person": group}, index=index), pd.DataFrame(index=names))


def moved(data, by, times=1.0):
    """Return the data in other units."""
    changed = data.copy()
    changed.X = changed.X * times + by
    return changed


def by_setting(predictions):
    return experiment.scores_of(predictions).groupby("setting")["value"].mean()


def predict(source, target, models=LINEAR, **options):
    return transfer.predict_across(models, source, target, "label", "person", **options)


@pytest.mark.parametrize(
    ("by", "times", "enough"),
    [
        (0.0, 1.0, "source scaling"),
        (9.0, 1.0, "one shift"),
        (np.array([9.0, -9.0, 3.0, 0.0, -3.0, 5.0]), 1.0, "own means"),
        (np.array([9.0, -9.0, 3.0, 0.0, -3.0, 5.0]), np.array([0.05, 60, 60, 1, 1, 1]), "own scaling"),
    ],
)
def test_each_scaling_puts_right_what_it_says_and_no_more(by, times, enough):
    target = moved(compendium(1, prefix="t"), by, times)
    found = by_setting(predict(compendium(), target, scalings=transfer.SCALINGS))
    assert found["intact, held out"] > 0.95
    place = transfer.SCALINGS.index(enough)
    for way in transfer.SCALINGS[place:]:
        assert found[f"intact, {way}"] > 0.95
    for way in transfer.SCALINGS[:place]:
        assert found[f"intact, {way}"] < 0.9


def test_rescale_by_hand():
    source, target = np.array([[0.0, 0.0], [2.0, 4.0]]), np.array([[10.0, 1.0], [30.0, 1.0]])
    fitted = StandardScaler().fit(source)  # means 1 and 2, deviations 1 and 2; grand mean 1.5, target's 10.5
    expected = {
        "source scaling": [[9, -0.5], [29, -0.5]],
        "one shift": [[0, -5], [20, -5]],
        "own means": [[-10, 0], [10, 0]],
        "own scaling": [[-1, 0], [1, 0]],
    }
    for way, values in expected.items():
        np.testing.assert_allclose(transfer.rescale(target, source, fitted, way), values)


def test_own_scaling_sees_no_label_of_the_target():
    source, target = compendium(), moved(compendium(1, prefix="t"), 9.0)
    other = target.copy()
    other.obs["label"] = target.obs["label"].to_numpy()[::-1]
    a, b = (predict(source, one)["predicted"].to_numpy() for one in (target, other))
    assert (a == b).all()


def test_a_person_in_both_is_never_trained_and_tested_on():
    source = compendium()
    target = compendium(1)  # the same persons
    found = predict(source, target, folds=4)
    tested = found[found["setting"] == "intact, own scaling"]
    held = found[found["setting"] == "intact, held out"]
    for fold in range(4):
        assert set(tested.loc[tested["fold"] == fold, "group"]) == set(
            held.loc[held["fold"] == fold, "group"]
        )
    assert len(tested) == target.n_obs


def test_removal_takes_both_sides_apart_and_leaves_a_linear_model_at_chance():
    target = moved(compendium(1, prefix="t"), 9.0)
    found = by_setting(predict(compendium(), target, modes=("intact", "removed")))
    assert found["intact, own scaling"] > 0.95
    for way in ("held out", "source scaling", "own scaling"):
        assert found[f"removed, {way}"] == pytest.approx(0.5, abs=0.07)


def test_what_is_not_linear_survives_removal_on_the_target():
    source, target = compendium(n=300), compendium(1, n=300, prefix="t")
    for one in (source, target):
        one.X[:, 2] *= np.where(one.obs["label"] == "a", 0.1, 5.0)  # same mean, another spread
    forest = {"forest": RandomForestClassifier(50, random_state=0)}
    assert by_setting(predict(source, target, forest, modes=("removed",)))["removed, own scaling"] > 0.75


def test_controls_are_at_chance():
    options = {"majority": True, "folds_run": 1}
    found = experiment.scores_of(predict(compendium(), compendium(1, prefix="t"), **options))
    assert (found.loc[found["control"] == "majority", "value"] == 0.5).all()
    shuffled = predict(compendium(), compendium(1, prefix="t"), shuffle_labels=True, seeds=range(4))
    assert set(shuffled["control"]) == {scoring.SHUFFLED}
    assert by_setting(shuffled)["intact, own scaling"] == pytest.approx(0.5, abs=0.25)


def test_scores_are_a_results_table():
    found = experiment.scores_of(
        predict(compendium(), compendium(1, prefix="t"), task="t"), ("balanced_accuracy", "recall")
    )
    assert list(found.columns) == scoring.COLUMNS
    assert set(found["metric"]) == {"balanced_accuracy", "recall:a", "recall:b"}
    assert set(found["split"]) == {"transfer"}
    assert not found.duplicated([*experiment.KEYS, "metric"]).any()
    wide = found.pivot_table(index=experiment.KEYS, columns="metric", values="value")
    recalls = wide[["recall:a", "recall:b"]].mean(axis=1)
    np.testing.assert_allclose(wide["balanced_accuracy"], recalls)


def made_predictions(truth, predicted, group):
    row = {"task": "t", "model": "m", "setting": "s", "control": "", "split": "transfer"}
    return pd.DataFrame({"truth": truth, "predicted": predicted, "group": group}).assign(**row)


def test_intervals_draw_persons_not_samples():
    truth, predicted = np.array(["a", "b"] * 50), np.array(["a", "a"] * 50)
    predicted[50:] = truth[50:]
    single = transfer.intervals(made_predictions(truth, predicted, np.arange(100)))
    ten = transfer.intervals(made_predictions(truth, predicted, np.arange(100) // 10))
    for found in (single, ten):
        assert found.loc[0, "mean"] == pytest.approx(0.75)
        assert found.loc[0, "low"] < 0.75 < found.loc[0, "high"]
    assert ten.loc[0, "groups"] == 10
    width = [float(one.loc[0, "high"] - one.loc[0, "low"]) for one in (single, ten)]
    assert width[1] > 2 * width[0]


def test_a_drop_joins_two_intervals_by_the_roots_of_their_sides():
    row = {"task": "t", "model": "m", "control": "", "split": "transfer", "groups": 9}
    held = {"setting": "intact, held out", "mean": 0.9, "low": 0.86, "high": 0.93}
    own = {"setting": "intact, own scaling", "mean": 0.7, "low": 0.62, "high": 0.73}
    other = {"setting": "removed, held out", "mean": 0.1, "low": 0.0, "high": 0.2}
    (found,) = transfer.drops(pd.DataFrame([row | one for one in (held, own, other)])).itertuples()
    assert (found.setting, found.mode) == ("intact, own scaling", "intact")
    assert (found.mean, found.low, found.high) == pytest.approx((0.2, 0.15, 0.2 + 0.0073**0.5))


def test_an_uneven_target_misleads_its_own_statistics():
    source, target = compendium(n=240), moved(compendium(1, n=120, prefix="t"), 9.0)
    found = transfer.predict_by_share(
        LINEAR, source, target, "label", "person", positive="a", shares=(0.05, 0.5, 0.95), draws=2
    )
    drawn = found.dropna(subset="share")
    assert (drawn.groupby(["share", "fold"]).size() == target.n_obs).all()
    assert (np.where(found["lead"] > 0, "b", "a") == found["predicted"]).all()
    score = by_setting(found)
    assert score["source scaling"] < 0.7
    assert score["statistics at 50% a"] > 0.95
    assert score[["statistics at 5% a", "statistics at 95% a"]].max() < 0.9


def test_the_draw_has_the_share_asked_for():
    positive = np.array([True] * 20 + [False] * 50)
    for share in (0.0, 0.3, 1.0):
        chosen = transfer.drawn_with_share(positive, share, [0, 1])
        assert len(set(chosen)) == len(chosen) == 20
        assert positive[chosen].mean() == share


def test_a_share_of_nothing_is_refused():
    source, target = compendium(), compendium(1, prefix="t")
    for given, error, message in (
        ({"positive": "tumour"}, UnknownNameError, "'tumour'"),
        ({"positive": "a", "shares": (0.5, 1.5)}, ParameterError, "share 1.5 of 'a'"),
    ):
        with pytest.raises(error, match=message):
            transfer.predict_by_share(LINEAR, source, target, "label", "person", **given)
    one_class = target[target.obs["label"] == "a"].copy()
    with pytest.raises(DataError, match="the target has 1 classes"):
        transfer.predict_by_share(LINEAR, source, one_class, "label", "person", positive="a")


def test_what_does_not_fit_is_named():
    source, target = compendium(), compendium(1, prefix="t")
    with pytest.raises(DataError, match="share 6 genes"):
        predict(source, target[:, ::-1])
    with pytest.raises(DataError, match="'c'"):
        predict(source, compendium(1, prefix="t", classes=("a", "c")))
    with pytest.raises(UnknownNameError, match="own scalling"):
        predict(source, target, scalings=("own scalling",))
    with pytest.raises(UnknownNameError, match="gone"):
        predict(source, target, modes=("gone",))


def test_a_target_wholly_trained_on_is_refused():
    source = compendium()
    few = source[source.obs["person"].isin(["s0", "s1"])]
    with pytest.raises(DataError, match="trained on too"):
        predict(source, few, folds=5)


def test_models_are_told_where_signal_was_removed_before_a_transfer():
    told = {}

    class Told(LogisticRegression):
        def fit(self, X, y, removed_within=None):
            told[len(told)] = removed_within
            return super().fit(X, y)

    options = {"modes": ("intact", "removed"), "folds": 2, "folds_run": 1}
    predict(compendium(), compendium(1, prefix="t"), {"told": Told()}, **options)
    intact, removed = told.values()
    assert intact is None
    assert len(removed) == 60
