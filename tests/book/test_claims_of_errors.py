"""Claims about errors, where lower is better; figures of chen2016 and bhukya2021 pass their own claims."""

import pandas as pd
import pytest

from exprml.book import claims, comparison, results

NET, LINEAR = "net", "linear"

# Experiment -> the items of the paper that hold its numbers (as data/published/results.csv names them).
ITEMS = {
    "chen2016-table1": ["Table 1", "sec 3.1", "Abstract / sec 3.1"],
    "chen2016-fig3a": ["sec 3.1 / Fig 3a"],
    "chen2016-fig3b": ["sec 3.1 / Fig 3b"],
    "chen2016-knn-k": ["Table 1"],
    "chen2016-lr-regularisation": ["Table 1"],
    "chen2016-table2": ["Table 2", "sec 3.2", "Abstract / sec 3.2"],
    "chen2016-fig4": ["Abstract / Fig 4a", "Fig 4b"],
    "chen2016-sfig2-adjusted-r2": ["sec 3.3 / Supp Fig S2"],
    "bhukya2021-table1-autoencoder": ["Table 1"],
    "bhukya2021-table2": ["Table 2", "Abstract"],
    "bhukya2021-fig4-genewise": ["Fig 4"],
    "bhukya2021-table3-1000g": ["Table 3", "sec 3.4"],
    "bhukya2021-table4-geo": ["Table 4", "sec 3.5"],
}
# Sizes of the data and of the network (chen2016, Methods), as chapter 1 writes them.
COUNTS = [
    ("chen2016-data-audit", "the lists", "", "n_landmark_genes", 943),
    ("chen2016-data-audit", "the lists", "", "n_target_genes", 9520),
    ("chen2016-data-audit", "targets", "100 clusters", "share_dropped", 1 - 111_009 / 129_158),
    ("chen2016-sfig1-architecture", "both halves", "", "n_parameters", 427.0e6),
]
# How ids begin that are ours, or of figures without numbers: nothing published to pass.
UNPUBLISHED = (
    "bhukya2021-1-",
    "bhukya2021-6-deeper",
    "bhukya2021-x-",
    "chen2016-6-leak",
    "chen2016-6-level",
    "chen2016-6-limit",
    "chen2016-6-statistics",
    "chen2016-8",
    "chen2016-our-",
    "chen2016-x-",
)
PAPERS = ("chen2016", "bhukya2021")


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
    """Return (holds, clear) of every finding."""
    return [(one.holds, one.clear) for one in claims.evaluate_check(pd.concat(tables), asked)]


@pytest.mark.parametrize(
    ("asked", "net", "expected"),
    [
        (check(), [0.4, 0.4], (True, True)),
        (check(), [0.5, 0.5], (False, False)),  # equal is not lower
        (check(), [0.6, 0.6], (False, False)),
        (check(), [0.4, 0.52], (True, False)),  # on one fold of two it is not
        (check(), [0.4], (True, False)),  # one fold alone
        (check(relative=0.2, tolerance=0.05), [0.42, 0.42], (True, True)),  # 16 % of 0.5
        (check(relative=0.2, tolerance=0.05), [0.43, 0.43], (False, True)),  # 14 %
        (check(relative=0.2, tolerance=0.05), [0.425, 0.425], (False, True)),  # 15 %: more is asked
        (check("not_lower_than", 0.01), [0.5, 0.5], (True, True)),
        (check("not_lower_than", 0.01), [0.7, 0.7], (True, True)),
        (check("not_lower_than", 0.01), [0.495, 0.495], (True, True)),  # 1 %: on the edge
        (check("not_lower_than", 0.01), [0.49, 0.49], (False, True)),
    ],
)
def test_errors_are_compared_by_relative_size(asked, net, expected):
    assert found(asked, rows(net), rows([0.5] * len(net), LINEAR)) == [expected]


def test_the_hardest_of_several_others_decides_and_is_named():
    tables = rows([0.4, 0.4]), rows([0.8, 0.8], LINEAR), rows([0.41, 0.41], "ridge")
    asked = check(than=[LINEAR, "ridge"], relative=0.1)
    (finding,) = claims.evaluate_check(pd.concat(tables), asked)
    assert not finding.holds
    assert "net: error 0.400, +2.4% below ridge, hardest of 2, asked 10.0%" in finding.sentence


def test_several_others_on_one_fold_make_nothing_clear():
    tables = rows([0.4]), rows([0.8], LINEAR), rows([0.9], "ridge")
    assert found(check(than=[LINEAR, "ridge"]), *tables) == [(True, False)]


def test_settings_of_the_other_side_need_not_agree_unless_asked():
    narrow = rows([0.5, 0.5], setting="narrow"), rows([0.4, 0.4], "deep", setting="narrow")
    wide = rows([0.3, 0.3], setting="wide"), rows([0.35, 0.35], "deep", setting="wide")
    asked = {"kind": "lower_than", "tolerance": 0.0, "rows": {"model": "deep"}, "than": {"model": NET}}
    assert found(asked, *narrow, *wide) == [(False, False)] * 2
    assert found(asked | {"same": ["setting"]}, *narrow, *wide) == [(True, True), (False, False)]


def test_what_was_not_run_cannot_be_tested():
    assert found(check(), rows([0.4])) == [(None, False)]
    assert found(check(), rows([0.4], LINEAR)) == [(None, False)]
    elsewhere = rows([0.5], LINEAR).assign(fold=7)
    assert found(check(), rows([0.4]), elsewhere) == [(None, False)]
    assert found(check(), rows([0.4]), rows([0.5], LINEAR, metric="balanced_accuracy")) == [(None, False)]


def test_the_role_of_errors_can_rule_a_claim_out():
    one = claims.Claim("c", "p", "p/n", "text", "where", (check(),), {"twin": "made up"})
    tables = rows([0.4, 0.4], role="twin"), rows([0.5, 0.5], LINEAR, role="twin")
    assert claims.verdict(one, pd.concat(tables))[0] == claims.CANNOT
    real = [table.assign(role="stand-in") for table in tables]
    assert claims.verdict(one, pd.concat(real))[0] == claims.REPRODUCED


def published(paper):
    """Return a paper's own numbers as a results table, two folds each, under their experiments."""
    parts = [
        rows([value] * 2, "", experiment=experiment, task=task, setting=setting, metric=metric)
        for experiment, task, setting, metric, value in COUNTS
        if experiment.startswith(paper)
    ]
    for experiment, items in ITEMS.items():
        for item in items if experiment.startswith(paper) else []:
            table = comparison.published_table(paper, item)
            for row in table[table["item"] == item].itertuples():
                same = {name: getattr(row, name) for name in ("task", "setting", "metric")}
                parts.append(rows([row.value] * 2, row.model, experiment=experiment, **same))
    return pd.concat(parts)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_papers_own_figures_pass_the_checks_of_its_claims(paper):
    asked = [one for one in claims.ledger() if one.paper == paper]
    asked = [one for one in asked if not one.id.startswith(UNPUBLISHED)]
    table = published(paper)
    answers = {one.id: claims.verdict(one, table) for one in asked}
    assert {name: answer for name, answer in answers.items() if answer[0] != claims.REPRODUCED} == {}
