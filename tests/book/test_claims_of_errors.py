"""Claims about errors, where lower is better."""

import pandas as pd
import pytest

from exprml.book import checks, claims, results
from exprml.book.checks import FAILS, HOLDS, MISSING, UNDECIDED

NET, LINEAR = "net", "linear"


def rows(values, model=NET, **columns):
    """Return results rows of an error, one per value, each another fold."""
    table = pd.DataFrame({"value": values, "fold": range(len(values))})
    fixed = {
        "experiment": "one", "dataset": "geo", "role": "own", "task": "targets", "setting": "",
        "control": "", "split": "group", "seed": 0, "n_train": 100, "metric": "mean_absolute_error",
        "device": "cpu", "threads": 1, "profile": "p", "run": "k",
    }  # fmt: skip
    table = table.assign(model=model, **(fixed | columns))
    return table[list(results.COLUMNS)].astype(dict.fromkeys(results.INTEGERS, "Int64"))


def check(kind="lower_than", tolerance=0.0, than=LINEAR, **more):
    return {"kind": kind, "tolerance": tolerance, "rows": {"model": NET}, "than": {"model": than}, **more}


def found(asked, *tables):
    """Return the outcome of every finding."""
    asked = {"replicates": checks.BY_FOLD, **asked}
    return [one.outcome for one in claims.evaluate_check(pd.concat(tables), asked)]


@pytest.mark.parametrize(
    ("asked", "net", "expected"),
    [
        (check(), [0.4] * 5, HOLDS),
        (check(), [0.5] * 5, FAILS),  # equal is not lower
        (check(), [0.6] * 5, FAILS),
        (check(), [0.4, 0.52, 0.45, 0.55, 0.5], UNDECIDED),
        (check(), [0.4] * 4, UNDECIDED),
        (check(tolerance=0.05), [0.47] * 5, HOLDS),  # 6 %
        (check(tolerance=0.05), [0.48] * 5, FAILS),  # 4 %, within the band that counts as none
        (check(relative=0.2, tolerance=0.05), [0.42] * 5, HOLDS),  # 16 % of 0.5
        (check(relative=0.2, tolerance=0.05), [0.43] * 5, FAILS),  # 14 %
        (check("not_lower_than", 0.01), [0.5] * 5, HOLDS),
        (check("not_lower_than", 0.01), [0.7] * 5, HOLDS),
        (check("not_lower_than", 0.01), [0.495] * 5, HOLDS),  # 1 %: on the edge
        (check("not_lower_than", 0.01), [0.49] * 5, FAILS),
        (check("not_lower_than", 0.01), [0.5, 0.48, 0.49, 0.51, 0.495], UNDECIDED),
    ],
)
def test_errors_are_compared_by_relative_size(asked, net, expected):
    assert found(asked, rows(net), rows([0.5] * len(net), LINEAR)) == [expected]


def test_the_hardest_of_several_others_decides_and_is_named():
    tables = rows([0.4] * 5), rows([0.8] * 5, LINEAR), rows([0.41] * 5, "ridge")
    asked = check(than=[LINEAR, "ridge"], relative=0.1) | {"replicates": checks.BY_FOLD}
    (finding,) = claims.evaluate_check(pd.concat(tables), asked)
    assert finding.outcome == FAILS
    words = "net: error 0.400, asked 10.0%, below others: +2.4% [+2.4%, +2.4%] on ridge, hardest of 2"
    assert finding.sentence == words


def test_several_others_are_no_more_replicates():
    tables = rows([0.4] * 3), rows([0.8] * 3, LINEAR), rows([0.9] * 3, "ridge")
    assert found(check(than=[LINEAR, "ridge"]), *tables) == [UNDECIDED]


def test_settings_of_the_other_side_need_not_agree_unless_asked():
    narrow = rows([0.5] * 5, setting="narrow"), rows([0.4] * 5, "deep", setting="narrow")
    wide = rows([0.3] * 5, setting="wide"), rows([0.35] * 5, "deep", setting="wide")
    asked = {"kind": "lower_than", "tolerance": 0.0, "rows": {"model": "deep"}, "than": {"model": NET}}
    assert found(asked, *narrow, *wide) == [FAILS] * 2
    assert found(asked | {"same": ["dataset", "setting"]}, *narrow, *wide) == [HOLDS, FAILS]


def test_two_data_sets_are_compared_where_the_ledger_says_so():
    tables = rows([0.4] * 5), rows([0.8] * 5, LINEAR, dataset="other")
    assert found(check(), *tables) == [MISSING]
    assert found(check(same=["task"]), *tables) == [HOLDS]


def test_what_was_not_run_cannot_be_tested():
    assert found(check(), rows([0.4])) == [MISSING]
    assert found(check(), rows([0.4], LINEAR)) == [MISSING]
    elsewhere = rows([0.5], LINEAR).assign(fold=7)
    assert found(check(), rows([0.4]), elsewhere) == [MISSING]
    assert found(check(), rows([0.4]), rows([0.5], LINEAR, metric="balanced_accuracy")) == [MISSING]
