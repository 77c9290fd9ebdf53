"""The committed ledger: whose sentences, of which kind, and that numbers can pass and fail each check."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from exprml.book import checks, claims, results
from exprml.evaluation import scoring

HOME = claims.data_folder().parent
LEDGER = claims.ledger()
LEDGERS = {"paper", "book"}
KINDS = {"direction", "order", *claims.SIZES}
REPLICATES = {checks.BY_FOLD, checks.BY_PATIENT, checks.NOTHING_VARIES}
CHECKS = [
    pytest.param({**check, "replicates": one.replicates}, id=f"{one.id}-{number}")
    for one in LEDGER
    for number, check in enumerate(one.checks)
]
SIGNED = (
    "gain",
    "likeness_gain",
    "relative_drop",
    "linear gain less net gain",
    "error_reduction",
    "adjusted_r2",
    "r2",
)  # from -1 to 1
UNBOUNDED = (
    "mean_absolute_error", "mean_squared_error", "relative_squared_error",
    "n_landmark_genes", "n_target_genes", "n_parameters", "sum_of_parts",
    "mean_shift_sd", "largest_component", "n_edges", "n_alone", "n_samples", "n_cell_line", "n_site",
    "n_subtype", "n_moa", "n_series", "n_kept", "n_terms", "terms_a_list",
)  # fmt: skip


def possible(check):
    """Return values that the metric of a check can take: no others may be needed to pass or fail it."""
    metric = checks.asked_rows(check)["rows"].get("metric", "balanced_accuracy")
    value = check.get("value") or 1.0
    if metric in UNBOUNDED:
        return [value, 0.5 * value, 2.0 * value, 0.0]
    return sorted({-1.0 if metric in SIGNED else 0.0, 0.5, 1.0, min(value, 1.0)})


def cells(check, side):
    """Return the rows a side of a check asks for, one dict for each combination of what it names."""
    asked = {"control": "", "metric": "balanced_accuracy", "task": "t", "setting": "", "model": ""}
    asked |= checks.asked_rows(check)[side]
    lists = [one if isinstance(one, list) else [one] for one in asked.values()]
    return [dict(zip(asked, one, strict=True)) for one in product(*lists)]


def made(check, first, second):
    """Return a table of five folds whose asked rows have one value and those beside them the other."""
    fixed = {"dataset": "d", "role": "own", "split": "group", "seed": 0, "n_train": 100, "device": "cpu"}
    rows = {}
    for cell in cells(check, "rows"):
        ahead = "models" not in check or cell["model"] == check["models"][0]
        rows[tuple(cell.items())] = first if ahead else second
    for cell in cells(check, "than") if "than" in check else []:
        rows.setdefault(tuple(cell.items()), second)
    if len(check.get("models", "")) > 2:  # from the first to the last in even steps
        steps = dict(zip(check["models"], np.linspace(first, second, len(check["models"])), strict=True))
        rows = {cell: steps[dict(cell)["model"]] for cell in rows}
    if "than" in check and check["rows"] == check["than"]:  # each against each other
        rows = dict(zip(rows, np.linspace(first, second, len(rows)), strict=True))
    table = pd.DataFrame([fixed | dict(cell) | {"value": value} for cell, value in rows.items()])
    sizes = [table.assign(value=second, n_train=10)] if check["kind"] == "improves" else []
    guess = table.drop_duplicates(["task", "metric"]).assign(
        model=scoring.MAJORITY, value=0.5, control="majority"
    )
    return pd.concat([table, guess, *sizes]).merge(pd.DataFrame({"fold": range(5)}), how="cross")


def examples(check):
    """Return a pair of values with which every finding of the check holds, and one with which some fail."""
    found = {}
    for pair in product(possible(check), repeat=2):
        outcomes = {one.outcome for one in claims.evaluate_check(made(check, *pair), check)}
        found.setdefault(checks.FAILS if checks.FAILS in outcomes else max(outcomes), pair)
        if {checks.HOLDS, checks.FAILS} <= set(found):
            return found[checks.HOLDS], found[checks.FAILS]
    raise AssertionError(f"possible numbers make this check only {sorted(found)}: {check}")


@pytest.mark.parametrize("check", CHECKS)
def test_numbers_can_pass_and_fail_each_check(check):
    good, bad = examples(check)
    assert good != bad


@pytest.mark.parametrize(
    "check",
    [
        {"kind": "at_least", "value": 0.0, "tolerance": 0.1},  # no accuracy is below nothing
        {"kind": "at_least", "value": 1.2, "tolerance": 0.1},  # none is above one
        {"kind": "at_chance", "chance": 0.5, "tolerance": 0.5},
        {"kind": "lower", "tolerance": 0.0, "than": {"model": "net"}},  # than itself
    ],
)
def test_a_check_that_no_numbers_can_pass_or_fail_is_refused(check):
    with pytest.raises(AssertionError, match="possible numbers make this check only"):
        examples({"rows": {"model": "net"}, "replicates": checks.BY_FOLD, **check})


def asked_rows(one):
    return [asked for check in one.checks for asked in checks.asked_rows(check).values()]


@pytest.mark.parametrize("one", LEDGER, ids=[one.id for one in LEDGER])
def test_every_claim_names_what_exists_and_says_of_what_kind_it_is(one):
    assert (HOME / "notebooks" / f"{one.notebook}.ipynb").is_file()
    assert one.id.startswith(one.paper)
    assert one.ledger in LEDGERS
    assert one.text.endswith(".")
    assert one.where
    assert one.checks
    assert {check["kind"] for check in one.checks} <= set(checks.CHECKS)
    assert all(check["tolerance"] >= 0 for check in one.checks)
    asked_for = [asked["experiment"] for asked in asked_rows(one)]
    ids = {name for ids in asked_for for name in (ids if isinstance(ids, list) else [ids])}
    assert ids <= set(results.experiment_ids())
    assert all(set(asked) <= set(results.COLUMNS) for asked in asked_rows(one))
    assert set(one.cannot or {}) <= {"own", "stand-in", "made"}  # twins are ruled out by the code


@pytest.mark.parametrize("one", LEDGER, ids=[one.id for one in LEDGER])
def test_kinds_fit_the_checks_and_replicates_the_kind(one):
    sized = [check["kind"] in ("at_least", "equals") and check["value"] != 0 for check in one.checks]
    sized = [size or "relative" in check for size, check in zip(sized, one.checks, strict=True)]
    assert one.kind in KINDS
    assert all(sized) if one.kind in claims.SIZES else not any(sized)
    bounds = [check.get("value", 0.0) for check in one.checks if not sized[0]]
    assert set(bounds) <= {0.0, 0.5, 1.0}, "a direction is from a natural bound: none, half, all"
    assert one.replicates in REPLICATES
    assert one.kind in claims.SIZES or one.replicates != checks.NOTHING_VARIES


def test_ids_are_unique_and_both_ledgers_are_kept():
    assert len({one.id for one in LEDGER}) == len(LEDGER)
    assert {one.ledger for one in LEDGER} == LEDGERS


def test_what_a_theorem_grants_is_no_claim():
    """That a converged linear model knows nothing after removal is a test of code: test_linear.py has it."""
    linear = ("corrected/logistic-regression", "linear converged")
    for one in LEDGER:
        for check in one.checks:
            asked = check["rows"]
            granted = check["kind"] in ("at_chance", "not_above_chance") and asked.get("model") in linear
            assert not (granted and "removed" in str(asked["setting"])), one.id


def test_checks_of_chance_cannot_agree_with_both_sides():
    found = [
        (check["rows"]["experiment"], str(check["rows"]["setting"]), check["kind"], check["tolerance"])
        for one in LEDGER for check in one.checks if check["kind"].endswith("above_chance")
    ]  # fmt: skip
    above = {(e, s): t for e, s, kind, t in found if kind == "above_chance"}
    below = {(e, s): t for e, s, kind, t in found if kind == "not_above_chance"}
    assert all(above[name] >= tolerance for name, tolerance in below.items() if name in above)
