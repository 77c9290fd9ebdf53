"""What must hold for the rows of a results table: the kinds of checks of the ledger of claims.

A check turns rows into one number for each replicate and names a region of such numbers. The claim holds if
the interval over replicates lies within the region, fails if it lies outside, and is undecided in between.
Scores are better when higher (balanced accuracy), errors when lower (mean absolute error): `lower_than` and
`not_lower_than` are the kinds for errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd

from exprml.base.errors import check_known, require_columns
from exprml.evaluation import compare, scoring

Check = Mapping[str, Any]  # of the ledger, or the rows it asks for
Region = tuple[float, float]  # the numbers that speak for a claim, ends included
HOLDS, FAILS, UNDECIDED, MISSING = "holds", "fails", "undecided", "was not run"
BY_FOLD, BY_PATIENT, NOTHING_VARIES = "folds and seeds", "patients", "none"
_CURVE = ["dataset", "task", "model", "setting", "control", "split", "fold", "seed", "metric"]
_ERROR = "mean_absolute_error"


@dataclass(frozen=True)
class Finding:
    """What one check found, one of `HOLDS`, `FAILS`, `UNDECIDED` and `MISSING`, and the sentence for it."""

    outcome: str
    sentence: str


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def matching(table: pd.DataFrame, rows: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows as `select` does, at all training sizes."""
    wanted = {"metric": "balanced_accuracy", "control": "", **rows}
    require_columns(table, wanted, "the results table that a claim looks at")
    for column, values in wanted.items():  # each looks at what the one before has left
        held = table[column].isin(_listed(values))
        table = table[held | table[column].isna() if "" in _listed(values) else held]
    return table.dropna(subset=["value"]).drop_duplicates([*_CURVE, "n_train"])


def select(table: pd.DataFrame, rows: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows whose columns have the wanted values, at the largest training size of each curve.

    Parameters
    ----------
    table : DataFrame
        Results table (columns of ``exprml.book.results``).
    rows : mapping
        Column -> value or list of values. Without ``metric``, balanced accuracy; without ``control``, none.

    Returns
    -------
    DataFrame
        A fit that several experiments share is there once, under the first of them.

    Raises
    ------
    DataError
        If a column does not exist in the table.
    """
    return scoring.at_full_size(matching(table, rows))


def by_patient(table: pd.DataFrame, asked: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return a table with the errors of tenths of the patients, over seeds, in place of those of folds.

    With it what its replicates are: folds, and the table as it is, where one of the models and settings of
    the rows `asked` has no such errors; those of the others are no match for its folds.
    """
    tenths = table[table["metric"].str.startswith(compare.PATIENTS) & (table["n_train"] > 0)]
    whole = table["experiment"].isin(tenths["experiment"]) & (table["metric"] == _ERROR)
    names = ["experiment", "model", "setting"]
    if set(asked[names].itertuples(index=False)) - set(tenths[names].itertuples(index=False)):
        return table, BY_FOLD
    tenths = tenths.assign(
        fold=tenths["metric"].str.removeprefix(compare.PATIENTS).astype(int), metric=_ERROR
    )
    keys = [name for name in table.columns if name not in ("value", "seed", "n_train", "run")]
    means = tenths.groupby(keys, dropna=False, as_index=False).agg(
        value=("value", "mean"), n_train=("n_train", "max")
    )
    return pd.concat([table[~whole], means.assign(seed=0)], ignore_index=True), BY_PATIENT


def _parts(
    chosen: pd.DataFrame, asked: Check, columns: Sequence[str] = ("model", "setting")
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a name and the rows of each combination of `columns` asked for, none if it was not run."""
    columns = [*columns, "task"] if "task" in asked and "task" not in columns else [*columns]
    sought = {name: _listed(asked[name]) if name in asked else sorted(set(chosen[name])) for name in columns}
    for values in product(*sought.values()):
        told = [value for column, value in zip(columns, values, strict=True)
                if column == "model" or len(sought[column]) > 1]  # fmt: skip
        name = ", ".join(told) or str(asked.get("metric", "")).replace("_", " ")
        yield name, chosen[(chosen[columns] == list(values)).all(axis=1)]


def _judged(check: Check, name: str, rows: pd.DataFrame, region: Region, form: str = "+.3f") -> Finding:
    """Hold the interval over the replicates of each line (task, other side) against the region.

    ``rows`` has the columns line, fold and value. The claim must hold on every line: the one that speaks
    most against it is told.
    """
    found = []
    for line, part in rows.groupby("line"):
        outcome, words, margin = _of_line(check, part, region, form)
        found.append(((FAILS, UNDECIDED, HOLDS).index(outcome), margin, outcome, words, line))
    _, _, outcome, words, line = min(found)
    where = f" on {line}, hardest of {len(found)}" if len(found) > 1 else ""
    return Finding(outcome, f"{name}: {words}{where}")


def _of_line(check: Check, part: pd.DataFrame, region: Region, form: str) -> tuple[str, str, float]:
    """Return outcome, words, and how far the mean lies within the region."""
    values, (least, most) = part["value"].astype(float), region
    mean = round(float(values.mean()), 9)
    margin = min(mean - least, most - mean)
    if check["replicates"] == NOTHING_VARIES:
        return (HOLDS if margin >= 0 else FAILS), format(mean, form), margin
    words = f"{mean:{form}}"
    if len(values) > 1:
        ratio = 0.0 if check["replicates"] == BY_PATIENT else 1 / max(1, part["fold"].nunique() - 1)
        found = compare.interval(values, ratio)
        low, high = round(found.low, 9), round(found.high, 9)
        words += f" [{low:{form}}, {high:{form}}]"
    if len(values) < compare.FEWEST_REPLICATES:
        return UNDECIDED, f"{words}, of {len(values)} where {compare.FEWEST_REPLICATES} are needed", margin
    within, outside = least <= low and high <= most, high < least or low > most
    return (HOLDS if within else FAILS if outside else UNDECIDED), words, margin


def _beyond(tolerance: float) -> Region:
    """Return what is more than the tolerance."""
    return float(np.nextafter(tolerance, np.inf)), np.inf


def _check_level(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Hold values against ``value``.

    Sizes: at least that, less the tolerance; or that, give or take it (equals). Directions: above or below
    it by more than the tolerance, where ``value`` is a natural bound (no gain, half of the genes, all).
    """
    value, kind = check["value"], check["kind"]
    form = ",.6g" if kind == "equals" else ".3f"
    asked = f"asked {kind.replace('_', ' ').replace('equals', '')} {value:,.6g}".replace("  ", " ")
    region = _LEVELS[kind](value, check["tolerance"])
    return _judged(check, f"{name}, {asked}", rows.assign(line=rows["task"]), region, form)


_LEVELS: dict[str, Callable[[float, float], Region]] = {
    "at_least": lambda value, tolerance: (round(value - tolerance, 9), np.inf),
    "equals": lambda value, tolerance: (round(value - tolerance, 9), round(value + tolerance, 9)),
    "above": lambda value, tolerance: _beyond(value + tolerance),
    "below": lambda value, tolerance: (-np.inf, float(np.nextafter(value - tolerance, -np.inf))),
}


def _check_chance(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Hold scores, less those of a guess, against chance give or take the tolerance."""
    gaps = _from_chance(table, check, rows)
    if len(gaps) < len(rows):
        return Finding(MISSING, f"{name}: no {scoring.MAJORITY} control on the same folds")
    if check["kind"] == "off_chance":  # on either side
        gaps = gaps.assign(value=gaps["value"] * np.sign(gaps["value"].mean()))
    return _judged(check, f"{name}, from chance", gaps, _CHANCE[check["kind"]](check["tolerance"]))


_CHANCE: dict[str, Callable[[float], Region]] = {  # kind -> region of a distance from chance
    "at_chance": lambda tolerance: (-tolerance, tolerance),
    "not_above_chance": lambda tolerance: (-np.inf, tolerance),
    "above_chance": _beyond,
    "off_chance": _beyond,
}


def _from_chance(table: pd.DataFrame, check: Check, rows: pd.DataFrame) -> pd.DataFrame:
    """Return each score less ``chance``, else less the majority class's score on the same validation fold."""
    chance = check.get("chance")
    if chance is None:
        fold = ["dataset", "task", "split", "fold", "seed", "metric"]
        majority = table[table["model"] == scoring.MAJORITY].groupby(fold, as_index=False)["value"].mean()
        chance = rows[fold].merge(majority, on=fold, how="left")["value"].to_numpy()
    return rows.assign(line=rows["task"], value=(rows["value"] - chance).round(9)).dropna(subset=["value"])


def _check_ordered(table: pd.DataFrame, check: Check) -> list[Finding]:
    """Find whether each model is ahead of the next on the same fold."""
    chosen, asked = select(table, check["rows"]), check["rows"]
    return [
        _beside(check, f"{name}: {better} - {worse}".removeprefix(": "), *sides, ["dataset", "task"])
        for name, rows in _parts(chosen, asked, ("task", "setting"))
        for better, worse in pairwise(check["models"])
        for sides in [[rows[rows["model"] == one] for one in (worse, better)]]
    ]


def _check_lower(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether scores in ``rows`` lie below those in ``than`` by more than the tolerance."""
    same = check.get("same", ["dataset", "task", "model"])
    return _beside(check, f"{name}, lower by", rows, select(table, check["than"]), same)


def _beside(
    check: Check, name: str, lower: pd.DataFrame, higher: pd.DataFrame, same: Sequence[str]
) -> Finding:
    """Find whether scores lie below others of the same fold and seed by more than the tolerance."""
    same = ["fold", "seed", *same]
    same += ["split"] * bool(set(lower["split"]) & set(higher["split"]))  # two kinds of folds: by number
    both = lower.merge(higher, on=same, suffixes=("", "_than"))
    if both.empty:
        return Finding(MISSING, f"{name}: not run on the same folds")
    both = both.assign(line=both["task"], value=both["value_than"] - both["value"])
    return _judged(check, name, both, _beyond(check["tolerance"]))


def _check_improves(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the score rises from smallest to largest training size by more than the tolerance."""
    curves = rows.sort_values("n_train").groupby(_CURVE, dropna=False)
    ends = curves.agg(first=("value", "first"), last=("value", "last"), sizes=("n_train", "nunique"))
    ends = ends[ends["sizes"] > 1].reset_index()
    if ends.empty:
        return Finding(MISSING, f"{name}: only one training size was run")
    gains = ends.assign(line=ends["task"], value=(ends["last"] - ends["first"]).round(9))
    return _judged(check, f"{name}, with more data", gains, _beyond(check["tolerance"]))


def _check_error(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Hold against the region by what share the error is below those in ``than`` of the same fold and seed.

    Without ``relative``: by more than the tolerance. With it: by that share less the tolerance. Of kind
    "not_lower_than": by no more than the tolerance.
    """
    than = select(table, asked_rows(check)["than"])
    same = ["fold", "seed", *check.get("same", ["dataset", "task"])]
    both = rows.merge(than, on=same, suffixes=("", "_than"))
    if both.empty:
        return Finding(MISSING, f"{name}: nothing to compare with on the same folds")
    sides = [side for side in ("model", "setting") if side not in same]
    columns = ["task"] * (both["task"].nunique() > 1) + [f"{side}_than" for side in sides]
    lines = [", ".join(filter(None, one)) for one in both[columns].astype(str).to_numpy()]
    both = both.assign(line=lines, value=1 - both["value"] / both["value_than"])
    region, asked = _beyond(check["tolerance"]), ""
    if check["kind"] == "not_lower_than":
        region = (-np.inf, check["tolerance"])
    elif "relative" in check:
        share = check["relative"]
        region, asked = (round(share - check["tolerance"], 9), np.inf), f", asked {share:.1%}"
    lead = f"{name}: error {rows['value'].mean():.3f}{asked}"
    other = lines[0] if len(set(lines)) == 1 else "others"
    return _judged(check, f"{lead}, below {other}", both, region, "+.1%")


_ERRORS = ("lower_than", "not_lower_than")
_EACH = {
    **dict.fromkeys(_LEVELS, _check_level),
    **dict.fromkeys(_CHANCE, _check_chance),
    "lower": _check_lower,
    "improves": _check_improves,
    **dict.fromkeys(_ERRORS, _check_error),
}
CHECKS = ("ordered", *_EACH)


def asked_rows(check: Check) -> dict[str, Mapping[str, Any]]:
    """Return the rows a check asks for ("rows", and "than" if it compares); of errors, the mean absolute."""
    default = {"metric": _ERROR} if check["kind"] in _ERRORS else {}
    models = {"model": check["models"]} if "models" in check else {}
    return {name: {**default, **models, **check[name]} for name in ("rows", "than") if name in check}


def evaluate_check(table: pd.DataFrame, check: Check) -> list[Finding]:
    """Evaluate one check of the ledger on a results table.

    Parameters
    ----------
    table : DataFrame
        Results table.
    check : mapping
        ``kind`` (one of :data:`CHECKS`), ``rows`` (see :func:`select`), ``tolerance``, ``replicates`` and
        what it needs: ``value``, ``chance`` (else the majority-class control of the
        same fold), ``models``, ``than``. Of errors: ``relative``, the published share by which the error is
        lower. Of two sides: ``same``, columns besides fold and seed in which they must agree.

    Returns
    -------
    list of Finding
        One per model (or pair of models) and setting; where several tasks are asked together, each must hold.
        What was asked for and not run is a finding too.

    Raises
    ------
    UnknownNameError
        If the check is of a kind the ledger does not know.
    """
    kind = check["kind"]
    check_known("kind of check", [kind], CHECKS, "exprml.book.checks.CHECKS")
    asked = asked_rows(check)["rows"]
    if kind == "ordered":
        found = _check_ordered(table, check)
    else:
        chosen = (matching if kind == "improves" else select)(table, asked)
        found = [_judge(table, check, name, rows) for name, rows in _parts(chosen, asked)]
    return found or [Finding(MISSING, "no such rows in this table")]


def _judge(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    if rows.empty:
        return Finding(MISSING, f"{name} was not run")
    return _EACH[check["kind"]](table, check, name, rows)
