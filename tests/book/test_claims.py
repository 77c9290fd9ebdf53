"""The ledger of claims: every kind of check, the verdicts, and the committed sentences themselves."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from exprml.base.errors import DataError, UnknownNameError
from exprml.book import checks, claims, results
from exprml.book.checks import FAILS, HOLDS, MISSING, UNDECIDED
from exprml.evaluation import compare, scoring

ZERO = "control/predict-zero"


def rows(values, model="net", task="tissues", setting="removed", **columns):
    """Return results rows, one per value, each another fold."""
    table = pd.DataFrame({"value": values, "fold": range(len(values))})
    fixed = {
        "experiment": "one", "dataset": "gtex", "role": "stand-in", "control": "", "split": "group",
        "seed": 0, "n_train": 100, "metric": "balanced_accuracy", "device": "cpu", "threads": 1,
        "profile": "p", "run": "k",
    }  # fmt: skip
    table = table.assign(model=model, task=task, setting=setting, **(fixed | columns))
    integers = dict.fromkeys(results.INTEGERS, "Int64")
    return table[list(results.COLUMNS)].astype(integers)


def majority(values, **columns):
    return rows(values, model=scoring.MAJORITY, control="majority", **columns)


def check(kind, tolerance=0.05, model="net", setting="removed", **more):
    asked = {"model": model, "setting": setting} | more.pop("rows", {})
    return {"kind": kind, "tolerance": tolerance, "rows": asked, **more}


def found(check, *tables):
    """Return the outcome of every finding."""
    check = {"replicates": checks.BY_FOLD, **check}
    return [one.outcome for one in claims.evaluate_check(pd.concat(tables), check)]


INTACT = {"model": "net", "setting": "intact"}
JUDGED = [
    (check("at_least", value=0.8), [0.75] * 5, HOLDS),  # on the edge
    (check("at_least", value=0.8), [0.74] * 5, FAILS),
    (check("at_least", value=0.8), [0.74, 0.78, 0.73, 0.75, 0.77], UNDECIDED),  # the interval holds the edge
    (check("at_least", value=0.8), [1.0] * 4, UNDECIDED),  # four are too few, however alike
    (check("equals", value=0.8), [0.75] * 5, HOLDS),
    (check("equals", value=0.8), [0.9] * 5, FAILS),  # above is not equal either
    (check("above", value=0.5), [0.56] * 5, HOLDS),
    (check("above", value=0.5), [0.55] * 5, FAILS),  # by no more than the tolerance
    (check("below", value=1.0), [0.94] * 5, HOLDS),
    (check("below", value=1.0), [0.95] * 5, FAILS),
    (check("at_chance", chance=0.5), [0.55] * 5, HOLDS),  # 0.55 - 0.5 is above 0.05 in floats
    (check("at_chance", chance=0.5), [0.44] * 5, FAILS),  # below is not at chance
    (check("at_chance", chance=0.5), [0.56] * 5, FAILS),
    (
        check("at_chance", chance=0.5),
        [0.3, 0.7, 0.5, 0.4, 0.6],
        UNDECIDED,
    ),  # its mean is, its interval is not
    (check("not_above_chance", chance=0.5), [0.1] * 5, HOLDS),
    (check("not_above_chance", chance=0.5), [0.56] * 5, FAILS),
    (check("above_chance", chance=0.5), [1.0] * 5, HOLDS),  # no variance, and clear
    (check("above_chance", chance=0.5), [0.9, 0.91, 0.92, 0.9, 0.91], HOLDS),
    (check("above_chance", chance=0.5), [0.49, 0.9, 0.6, 0.5, 0.7], UNDECIDED),
    (check("above_chance", chance=0.5), [0.55] * 5, FAILS),
    (check("off_chance", chance=0.5), [0.0] * 5, HOLDS),  # below is off it too
    (check("off_chance", chance=0.5), [1.0] * 5, HOLDS),
    (check("off_chance", chance=0.5), [0.5] * 5, FAILS),
]


@pytest.mark.parametrize(("check", "values", "expected"), JUDGED)
def test_an_interval_is_judged_by_value_chance_and_tolerance(check, values, expected):
    assert found(check, rows(values)) == [expected]


def test_the_interval_is_that_of_the_comparisons():
    values = [0.6, 0.7, 0.65, 0.72, 0.61]
    known = compare.interval(np.array(values) - 0.5, 1 / 4)
    (finding,) = claims.evaluate_check(
        rows(values), check("above_chance", chance=0.5) | {"replicates": checks.BY_FOLD}
    )
    assert f"{known.mean:+.3f} [{known.low:+.3f}, {known.high:+.3f}]" in finding.sentence


def test_counts_have_no_interval():
    counted = check("equals", 0.0, value=943) | {"replicates": checks.NOTHING_VARIES}
    assert found(counted, rows([943])) == [HOLDS]
    assert found(counted, rows([944])) == [FAILS]


UP = [0.80, 0.81, 0.82, 0.80, 0.83]
DOWN = [0.70, 0.71, 0.73, 0.71, 0.72]


@pytest.mark.parametrize(
    ("better", "worse", "tolerance", "expected"),
    [
        (UP, DOWN, 0.0, HOLDS),
        (DOWN, UP, 0.0, FAILS),
        (UP, [0.81, 0.80, 0.83, 0.79, 0.84], 0.0, UNDECIDED),  # the interval holds zero
        (UP, UP, 0.0, FAILS),  # equal is not above
        (UP, [one - 0.01 for one in UP], 0.02, FAILS),  # ahead, within the band that counts as none
        (UP[:4], DOWN[:4], 0.0, UNDECIDED),
    ],
)
def test_ordered_compares_fold_by_fold(better, worse, tolerance, expected):
    asked = {"kind": "ordered", "tolerance": tolerance, "models": ["a", "b"], "rows": {"setting": "removed"}}
    assert found(asked, rows(better, "a"), rows(worse, "b")) == [expected]


def test_ordered_names_what_was_not_run_and_takes_each_task_alone():
    asked = {"kind": "ordered", "tolerance": 0.0, "models": ["a", "b", "c"], "rows": {}}
    assert found(asked, rows(UP, "a"), rows(DOWN, "b")) == [HOLDS, MISSING]
    on_another_fold = rows([0.8], "b").assign(fold=7)
    assert found(asked | {"models": ["a", "b"]}, rows([0.9], "a"), on_another_fold) == [MISSING]
    turned = [rows(UP, m, task=t) for m, t in (("a", "x"), ("b", "y"))]
    turned += [rows(DOWN, m, task=t) for m, t in (("a", "y"), ("b", "x"))]
    assert found(asked | {"models": ["a", "b"]}, *turned) == [HOLDS, FAILS]


@pytest.mark.parametrize(
    ("intact", "removed", "expected"),
    [
        ([0.9] * 5, [0.7] * 5, HOLDS),
        ([0.75] * 5, [0.7] * 5, FAILS),  # lower by no more than the tolerance
        ([0.6] * 5, [0.7] * 5, FAILS),
        ([1.0, 0.6, 0.9, 0.7, 0.8], [0.7] * 5, UNDECIDED),
        ([0.9] * 5, [*[0.7] * 5, 0.99], HOLDS),  # only what both have is compared
    ],
)
def test_lower_compares_the_same_folds(intact, removed, expected):
    asked = check("lower", than=INTACT)
    assert found(asked, rows(removed), rows(intact, setting="intact")) == [expected]


def test_lower_takes_two_kinds_of_folds_by_their_number():
    flattered = rows([0.8, 0.9] * 3, setting="intact", split="sample")
    assert found(check("lower", than=INTACT), rows([0.6, 0.7] * 3), flattered) == [HOLDS]
    assert found(check("lower", than=INTACT), rows([0.8, 0.9] * 3), flattered) == [FAILS]


def test_lower_compares_other_tasks_where_the_ledger_says_so():
    other = rows([0.9] * 5, task="centred"), rows([0.5] * 5, task="raw")
    asked = check("lower", rows={"task": "raw"}, than={"task": "centred", "model": "net"})
    assert found(asked, *other) == [MISSING]
    assert found(asked | {"same": ["dataset", "model"]}, *other) == [HOLDS]


def test_lower_without_the_other_rows_cannot_be_tested():
    assert found(check("lower", than=INTACT), rows([0.5])) == [MISSING]
    one_missing = check("lower", model=["net", "lr"], than=INTACT)
    tables = rows([0.5] * 5), rows([0.9] * 5, setting="intact"), rows([0.9], "lr", setting="intact")
    assert found(one_missing, *tables) == [HOLDS, MISSING]


@pytest.mark.parametrize(
    ("small", "large", "expected"),
    [
        ([0.5] * 5, [0.6, 0.7, 0.65, 0.62, 0.66], HOLDS),
        ([0.5, 0.7, 0.6, 0.5, 0.7], [0.9, 0.6, 0.7, 0.5, 0.8], UNDECIDED),
        ([0.5] * 5, [0.55] * 5, FAILS),
        ([0.5] * 4, [0.9] * 4, UNDECIDED),
        ([np.nan, 0.5, 0.5, 0.5, 0.5], [0.9] * 5, UNDECIDED),  # a curve of one point rises nowhere
    ],
)
def test_improves_follows_each_curve_from_its_smallest_to_its_largest_size(small, large, expected):
    middle = rows([0.0] * 5, n_train=50)  # what happens between does not count
    tables = [rows(small, n_train=10), rows(large, n_train=100), middle[: len(small)]]
    if np.isnan(small).any():
        tables.pop()
    assert found(check("improves"), *tables) == [expected]


def test_improves_needs_two_sizes_and_keeps_settings_apart():
    assert found(check("improves"), rows([0.5, 0.6])) == [MISSING]
    apart = rows([0.1], n_train=10, setting="removed"), rows([0.9], n_train=100, setting="intact")
    assert found(check("improves", setting=["removed", "intact"]), *apart) == [MISSING] * 2


def test_chance_is_the_majority_control_of_the_same_task_split_fold_and_seed():
    own = [0.50, 0.25, 0.3, 0.4, 0.2]
    table = [
        rows(own), majority(own), majority(own, setting="intact"),
        majority([0.0] * 5, task="pair"), majority([0.0] * 5, seed=1), majority([0.0] * 5, split="sample"),
        majority([0.0] * 5, metric="accuracy"), majority([np.nan] * 5, n_train=10),
    ]  # fmt: skip
    assert found(check("at_chance", 0.0), *table) == [HOLDS]
    turned = [rows(own[::-1]), *table[1:]]
    assert found(check("at_chance", 0.0), *turned) == [UNDECIDED]  # each fold has its own chance


def test_without_the_control_of_a_fold_chance_is_not_guessed():
    for kind in ("at_chance", "above_chance", "not_above_chance"):
        assert found(check(kind), rows([0.5, 0.5]), majority([0.5])) == [MISSING]
        assert found(check(kind), rows([0.5, 0.5]), majority([0.5, 0.5], task="other")) == [MISSING]


def test_the_control_is_found_in_a_table_made_by_cross_validation():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.repeat(["a", "b", "c"], 20)
    made = scoring.cross_validate(
        {"net": DummyClassifier(strategy="most_frequent")}, X, y, folds=5, majority=True
    )
    table = pd.concat([rows([0.0] * len(made)).assign(**made[list(set(made) & set(results.COLUMNS))])])
    table.loc[table["model"] == "net", "control"] = ""
    assert found(check("at_chance", 0.0, setting=""), table) == [HOLDS]


@pytest.mark.parametrize(
    "kind", ["at_least", "at_chance", "not_above_chance", "above_chance", "lower", "improves"]
)
def test_a_model_or_setting_asked_for_and_not_run_is_a_finding(kind):
    more = {"value": 0.0, "chance": 0.5, "than": INTACT}
    asked = check(kind, model=["net", "gone"], setting=["removed", "joint"], **more)
    tables = rows([0.6, 0.6], n_train=10), rows([0.9, 0.9]), rows([0.95, 0.95], setting="intact")
    outcomes = found(asked, *tables)
    assert outcomes[0] != MISSING
    assert outcomes[1:] == [MISSING] * 3
    assert found(check(kind, **more), rows([0.5], "other")) == [MISSING]
    assert found({**asked, "rows": {"task": "gone"}}, *tables) == [MISSING]
    of_two = found(check(kind, rows={"task": ["tissues", "gone"]}, **more), *tables)
    assert [one == MISSING for one in of_two] == [False, True]


def test_settings_are_not_averaged_with_each_other():
    asked = check("at_chance", chance=0.5, setting=["intact", "removed"])
    assert found(asked, rows([0.7] * 5), rows([0.3] * 5, setting="intact")) == [FAILS] * 2
    unnamed = asked | {"rows": {"model": "net"}}
    assert found(unnamed, rows([0.7] * 5), rows([0.3] * 5, setting="intact")) == [FAILS] * 2


@pytest.mark.parametrize(
    ("kind", "bad", "words"),
    [
        ("at_least", 0.5, "0.500"),
        ("at_chance", 0.1, "-0.400"),
        ("not_above_chance", 0.9, "+0.400"),
        ("above_chance", 0.5, "+0.000"),
    ],
)
def test_a_check_must_hold_on_each_of_several_tasks(kind, bad, words):
    good = {"at_least": 1.0, "above_chance": 1.0}.get(kind, 0.5)
    table = pd.concat([rows([good] * 5, task="x"), rows([bad] * 5, task="y")])
    asked = check(kind, value=0.7, chance=0.5) | {"replicates": checks.BY_FOLD}
    (finding,) = claims.evaluate_check(table, asked)
    assert finding.outcome == FAILS
    assert finding.sentence.endswith("on y, hardest of 2")
    assert words in finding.sentence
    few = pd.concat([rows([good] * 5, task="x"), rows([good] * 3, task="y")])
    assert found(asked, few) == [UNDECIDED]


def test_select_takes_the_largest_size_of_every_curve():
    several = [
        rows([0.1], n_train=10), rows([0.2], n_train=20), rows([0.3], n_train=5, seed=1),
        rows([0.4], n_train=5, split="sample"), rows([0.5], n_train=5, control="shuffled labels"),
        rows([0.6], n_train=5, task="pair"), rows([0.7], n_train=5, model="lr"),
        rows([0.8], n_train=5, setting="intact"), rows([0.9], n_train=90, metric="accuracy"),
        rows([np.nan], n_train=95),
    ]  # fmt: skip
    table = pd.concat(several)
    assert sorted(checks.select(table, {})["value"]) == [0.2, 0.3, 0.4, 0.6, 0.7, 0.8]
    controls = checks.select(table, {"control": ["", "shuffled labels"], "seed": 0, "model": ["net"]})
    assert sorted(controls["value"]) == [0.2, 0.4, 0.5, 0.6, 0.8]
    assert list(checks.select(table, {"metric": "accuracy"})["value"]) == [0.9]


def test_select_keeps_rows_without_a_size_and_reads_a_missing_control_as_none():
    table = rows([0.5, 0.6]).assign(n_train=pd.array([None, None], dtype="Int64"), control=np.nan)
    assert list(checks.select(table, {})["value"]) == [0.5, 0.6]


def test_a_fit_that_two_experiments_share_counts_once():
    twice = [rows([0.8, 0.9], "a", experiment=name) for name in ("one", "two")] + [rows([0.7, 0.7], "b")]
    assert list(checks.select(pd.concat(twice), {"model": "a"})["experiment"]) == ["one", "one"]


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'at_chance'"):
        claims.evaluate_check(rows([0.5]), check("at_chanse"))
    with pytest.raises(DataError, match="tisue"):
        checks.select(rows([0.5]), {"tisue": "Brain"})
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022/02-gtex-tissues'"):
        claims.ledger(notebook="heil2022/02-gtex-tisues")


def claim(*asked, kind="direction", **more):
    return claims.Claim("c", "p", "p/n", "book", kind, "text", "where", asked, **more)


HIGH, LOW = check("at_least", value=0.8), check("not_above_chance", chance=0.5)
ABOVE, OTHER = check("above_chance", chance=0.5), check("above_chance", chance=0.5, model="other")
APART = [0.1, 0.9, 0.2, 0.8, 0.5]


@pytest.mark.parametrize(
    ("asked", "values", "others", "expected"),
    [
        ([ABOVE], [0.9] * 5, [0.9] * 5, claims.REPRODUCED),
        ([ABOVE, LOW], [0.9] * 5, [0.9] * 5, claims.PARTLY),
        ([ABOVE, OTHER], [0.9] * 5, APART, claims.PARTLY),
        ([ABOVE], [0.9] * 4, [0.9] * 4, claims.UNDECIDED),
        ([ABOVE], APART, APART, claims.UNDECIDED),
        ([ABOVE, OTHER], APART, [0.4] * 5, claims.UNDECIDED),  # nothing speaks for it, not all against it
        ([ABOVE], [0.4] * 5, [0.4] * 5, claims.NOT_REPRODUCED),
        ([ABOVE, OTHER], [0.4] * 5, [0.3] * 5, claims.NOT_REPRODUCED),
        ([ABOVE, check("above", value=0, model="gone")], [0.9] * 5, [0.9] * 5, claims.CANNOT),
    ],
)
def test_verdict_follows_from_the_findings(asked, values, others, expected):
    table = pd.concat([rows(values), rows(others, "other")])
    assert claims.verdict(claim(*asked), table)[0] == expected


def ruled(one, *tables):
    found, findings = claims.verdict(one, pd.concat(tables))
    return found, findings[0].sentence


def test_sizes_are_judged_on_the_papers_own_data_alone():
    for kind in claims.SIZES:
        sized = claim(HIGH, kind=kind)
        assert ruled(sized, rows([0.9] * 5, role="own"))[0] == claims.REPRODUCED
        assert ruled(sized, rows([0.9] * 5, role="made"))[0] == claims.REPRODUCED
        found, findings = claims.verdict(sized, rows([0.9] * 5))
        assert found == claims.CANNOT
        assert "0.900" in findings[1].sentence  # our number stands beside it
        assert findings[1].outcome == "no verdict"
    assert ruled(claim(ABOVE), rows([0.9] * 5))[0] == claims.REPRODUCED  # a direction is not


@pytest.mark.parametrize(("kind", "least"), [("size", 90), ("direction", 2)])
def test_samples_bar_sizes_below_the_papers_and_directions_at_a_fiftieth(kind, least):
    asked = HIGH if kind == "size" else ABOVE
    one = claim(asked, kind=kind, samples=100)
    assert ruled(one, rows([0.9] * 5, role="own", n_train=least))[0] == claims.REPRODUCED
    assert ruled(one, rows([0.9] * 5, role="own", n_train=least - 1)) == (
        claims.CANNOT, f"{least - 1} samples train here, 100 in the paper"
    )  # fmt: skip
    derived = rows([0.9] * 5, role="own").assign(n_train=pd.array([None] * 5, dtype="Int64"))
    beside = rows([0.5], "other", role="own", n_train=1)  # says how many samples the data set has
    assert ruled(one, derived, beside)[0] == claims.CANNOT


def test_twins_and_what_data_lack_rule_a_claim_out():
    assert "twin" in ruled(claim(ABOVE), rows([0.9] * 5, role="twin"))[1]
    lacking = claim(ABOVE, cannot={"stand-in": "no Y chromosome"})
    assert ruled(lacking, rows([0.9] * 5)) == (claims.CANNOT, "no Y chromosome")
    assert ruled(lacking, rows([0.9] * 5, role="own"))[0] == claims.REPRODUCED
    beside = rows([0.9], "other", role="twin")
    assert ruled(claim(ABOVE), rows([0.9] * 5), beside)[0] == claims.REPRODUCED
    other_side = claim(check("lower", than=INTACT))
    both = rows([0.5] * 5), rows([0.9] * 5, setting="intact", role="twin")
    assert ruled(other_side, *both)[0] == claims.CANNOT


NET = "corrected/three-layer"


def of_net(values, **more):
    return rows(values, NET, **more)


def test_a_network_still_improving_decides_nothing():
    one = claim(check("above_chance", chance=0.5, model=NET))
    ended = of_net([0.0] * 5, metric="still_improving")
    assert ruled(one, of_net([0.9] * 5), ended)[0] == claims.REPRODUCED
    ended = of_net([0, 0, 0, 0, 1], metric="still_improving")
    assert ruled(one, of_net([0.9] * 5), ended) == (
        claims.UNDECIDED, f"{NET} was still improving in its last epoch in 1 of 5 fits"
    )  # fmt: skip
    elsewhere = of_net([1.0] * 5, metric="still_improving", setting="intact")
    assert ruled(one, of_net([0.9] * 5), elsewhere)[0] == claims.REPRODUCED


def test_a_network_that_guesses_on_intact_data_decides_nothing():
    one = claim(check("not_above_chance", chance=0.5, model=NET))
    asked, guess = of_net([0.41] * 5), majority([0.5] * 5)
    assert ruled(one, asked, guess, of_net([0.9] * 5, setting="intact"))[0] == claims.REPRODUCED
    found, why = ruled(one, asked, guess, of_net([0.49] * 5, setting="intact"))
    assert found == claims.UNDECIDED
    assert "no better than a guess on intact data" in why
    about_training = claim(*one.checks, untrained=True)
    assert ruled(about_training, asked, guess, of_net([0.4] * 5, setting="intact"))[0] == claims.REPRODUCED
    linear = claim(LOW)
    assert ruled(linear, rows([0.4] * 5), guess, rows([0.4] * 5, setting="intact"))[0] == claims.REPRODUCED


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
@pytest.mark.parametrize("net", ["mcdermott2020/gcnn", "mcdermott2020/ff-ann"])
def test_a_graph_network_that_guesses_decides_nothing_whatever_the_score(net, metric):
    one = claim(check("above_chance", chance=0.1, model=net, setting="intact", rows={"metric": metric}))
    guess = majority([0.5] * 5).assign(metric=metric)
    assert ruled(one, rows([0.6] * 5, net, setting="intact", metric=metric), guess)[0] == claims.REPRODUCED
    assert ruled(one, rows([0.4] * 5, net, setting="intact", metric=metric), guess)[0] == claims.UNDECIDED


def test_a_network_with_one_constant_answer_decides_nothing():
    one = claim(check("lower", model=NET, than={"model": NET, "setting": "intact"}))
    intact, guess = of_net([0.9] * 5, setting="intact"), majority([0.5] * 5)
    assert ruled(one, of_net([0.5, 0.5, 0.6, 0.6, 0.61]), intact, guess)[0] == claims.REPRODUCED
    found, why = ruled(one, of_net([0.5, 0.5, 0.5, 0.6, 0.6]), intact, guess)
    assert found == claims.UNDECIDED
    assert "one constant answer" in why


def test_of_patients_tenths_are_the_replicates_whatever_the_seeds():
    error = {"metric": "mean_absolute_error", "role": "own"}
    tenths = [
        rows([value + 0.01 * seed], model, seed=seed, **error | {"metric": f"{compare.PATIENTS}{tenth}"})
        for seed in (0, 1) for tenth in range(5) for model, value in (("a", 0.4), ("b", 0.5 + 0.001 * tenth))
    ]  # fmt: skip
    whole = [rows([value], model, **error) for model, value in (("a", 0.4), ("b", 0.5))]
    asked = {"kind": "lower_than", "tolerance": 0.0, "rows": {"model": "a"}, "than": {"model": "b"}}
    one = claim(asked, replicates=checks.BY_PATIENT)
    assert ruled(one, *whole, *tenths)[0] == claims.REPRODUCED
    assert ruled(one, *whole)[0] == claims.UNDECIDED  # a single number
    known = compare.interval([1 - 0.405 / (0.505 + 0.001 * tenth) for tenth in range(5)])
    assert f"[{known.low:+.1%}, {known.high:+.1%}]" in ruled(one, *whole, *tenths)[1]
    turned = claim(asked | {"rows": {"model": "b"}, "than": {"model": "a"}}, replicates=checks.BY_PATIENT)
    assert ruled(turned, *whole, *tenths)[0] == claims.NOT_REPRODUCED


def test_where_a_model_has_no_tenths_of_patients_folds_are_the_replicates():
    error = {"metric": "mean_absolute_error", "role": "own"}
    tenths = [rows([0.5], "b", **error | {"metric": f"{compare.PATIENTS}{tenth}"}) for tenth in range(10)]
    whole = rows([0.4, 0.41, 0.4, 0.39, 0.4], "a", **error), rows([0.5] * 5, "b", **error)
    asked = {"kind": "lower_than", "tolerance": 0.0, "rows": {"model": "a"}, "than": {"model": "b"}}
    one = claim(asked, replicates=checks.BY_PATIENT)
    assert ruled(one, *whole, *tenths) == ruled(claim(asked, replicates=checks.BY_FOLD), *whole)


def test_errors_of_tenths_do_not_tell_that_a_network_is_idle():
    error, net = {"metric": "mean_absolute_error", "role": "own"}, "chen2016/d-gex-1"
    of_tenths = [
        rows([value], model, control=control, **error | {"metric": f"{compare.PATIENTS}{tenth}"})
        for tenth in range(10) for model, control, value in ((net, "", 0.3), ("predict zero", ZERO, 0.8))
    ]  # fmt: skip
    errors = rows([0.3] * 5, net, **error), rows([0.8] * 5, "predict zero", control=ZERO, **error)
    asked = {"kind": "lower_than", "tolerance": 0.0, "rows": {"model": net}, "than": {"model": "b"}}
    assert ruled(claim(asked), *errors, *of_tenths, rows([0.4] * 5, "b", **error))[0] == claims.REPRODUCED


@pytest.fixture
def one_claim(project):
    (project.root / "data/claims.yml").write_text(
        "- {id: c, paper: p, notebook: p/n, ledger: book, kind: direction, text: It is high., where: Fig 1, "
        "checks: [{kind: above_chance, chance: 0.5, tolerance: 0.1, rows: {model: net}}]}"
    )


def test_verdicts_show_sentence_place_findings_and_the_reference_run_first(one_claim):
    (row,) = claims.verdicts(rows([0.9]), "p/n").to_dict("records")
    assert row == {
        "claim": "c", "ledger": "book", "kind": "direction", "text": "It is high.", "where": "Fig 1",
        "verdict": "undecided", "found": "net, from chance: +0.400, of 1 where 5 are needed (undecided)",
    }  # fmt: skip
    beside = claims.verdicts(rows([0.9]), "p/n", rows([0.9] * 5))
    assert list(beside)[-4:] == ["reference run", "reference found", "verdict", "found"]
    assert beside.loc[0, ["reference run", "verdict"]].tolist() == [claims.REPRODUCED, claims.UNDECIDED]
