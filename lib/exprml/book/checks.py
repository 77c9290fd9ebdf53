"""What must hold for the rows of a results table: the kinds of checks of the ledger of claims.

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

from exprml.base.errors import DataError, check_known
from exprml.evaluation import compare, scoring

Check = Mapping[str, Any]  # of the ledger, or the rows it asks for
_CURVE = ["dataset", "task", "model", "setting", "control", "split", "fold", "seed", "metric"]


@dataclass(frozen=True)
class Finding:
    """What one check found: whether it holds (None: no rows), whether clearly, and the sentence for it."""

    holds: bool | None
    clear: bool
    sentence: str


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def matching(table: pd.DataFrame, rows: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows as `select` does, at all training sizes."""
    wanted = {"metric": "balanced_accuracy", "control": "", **rows}
    missing = sorted(set(wanted) - set(table.columns))
    if missing:
        raise DataError(f"a claim asks for columns {missing} that the results table has not")
    mask = np.ones(len(table), dtype=bool)
    for column, values in wanted.items():
        filled = table[column].astype(object).where(table[column].notna(), "")
        mask &= filled.isin(_listed(values)).to_numpy()
    return table[mask].dropna(subset=["value"]).drop_duplicates([*_CURVE, "n_train"])


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


def _hardest(
    tasks: pd.Series, values: pd.Series, rank: Callable[[pd.Series], pd.Series] = lambda means: means
) -> tuple[float, str]:
    """Return the mean of the task that `rank` puts lowest, with words: a claim must hold on every task."""
    means = values.groupby(tasks).mean()
    task = rank(means).idxmin()
    over = f"over {len(values)} values" if len(values) > 1 else "in one value"
    words = f"on {task}, hardest of {len(means)} tasks" if len(means) > 1 else over
    return round(float(means[task]), 9), words  # 0.55 - 0.5 is no more than 0.05


def _is_clear(differences: pd.Series) -> bool:
    """Tell whether there are several differences and every one of them is positive."""
    return len(differences) > 1 and bool((differences > 0).all())


def _check_at_least(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean score is at least ``value``, less the tolerance, on every task."""
    mean, words = _hardest(rows["task"], rows["value"])
    holds = bool(mean >= round(check["value"] - check["tolerance"], 9))
    return Finding(holds, True, f"{name}: {mean:.3f} {words}, asked at least {check['value']}")


def _check_equals(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean is ``value``, give or take the tolerance, on every task: for counts."""
    far, words = _hardest(rows["task"], rows["value"] - check["value"], lambda means: -means.abs())
    sentence = f"{name}: {check['value'] + far:,.6g} {words}, asked {check['value']:,.6g}"
    return Finding(bool(abs(far) <= check["tolerance"]), True, sentence)


def _check_chance(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean score is at chance, not above it, or above it by the tolerance, on every task.

    Above chance is clear if every fold's score is.
    """
    gaps, rank, above = (
        _from_chance(table, check, rows),
        _CHANCE[check["kind"]],
        check["kind"] == "above_chance",
    )
    if len(gaps) < len(rows):
        return Finding(None, False, f"{name}: no {scoring.MAJORITY} control on the same folds")
    far, words = _hardest(rows["task"], gaps, rank)
    holds = far > check["tolerance"] if above else rank(far) >= -check["tolerance"]
    return Finding(bool(holds), not above or _is_clear(gaps), f"{name}: {far:+.3f} from chance {words}")


def _from_chance(table: pd.DataFrame, check: Check, rows: pd.DataFrame) -> pd.Series:
    """Return each score less ``chance``, else less the majority class's score on the same validation fold."""
    if "chance" in check:
        return rows["value"] - check["chance"]
    fold = ["dataset", "task", "split", "fold", "seed", "metric"]
    majority = table[table["model"] == scoring.MAJORITY].groupby(fold, as_index=False)["value"].mean()
    chance = rows[fold].merge(majority, on=fold, how="left")["value"].to_numpy()
    return (rows["value"] - chance).dropna()


def _check_ordered(table: pd.DataFrame, check: Check) -> list[Finding]:
    """Find whether each model is ahead of the next, fold by fold; clear if the interval leaves zero."""
    return [
        _difference(rows, better, worse, check["tolerance"], f"{name}: " if name else "")
        for name, rows in _parts(select(table, check["rows"]), check["rows"], ("task", "setting"))
        for better, worse in pairwise(check["models"])
    ]


def _difference(rows: pd.DataFrame, better: str, worse: str, tolerance: float, lead: str) -> Finding:
    """Compare two models fold by fold; with one fold alone no difference is clear."""
    pair, fold = f"{lead}{better} - {worse}", ["split", "seed", "fold"]
    folds = [set(map(tuple, rows.loc[rows["model"] == name, fold].to_numpy())) for name in (better, worse)]
    if not folds[0] & folds[1]:
        return Finding(None, False, f"{pair}: not run on the same folds")
    values = compare.paired_values(rows, better, worse)
    if len(values) < 2:
        return Finding(bool(values.mean() > -tolerance), False, f"{pair}: {values.mean():+.3f}")
    found = compare.paired_difference(rows, better, worse)
    sentence = f"{pair}: {found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    return Finding(bool(found.mean > -tolerance), bool(found.low > 0), sentence)


def _check_lower(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether scores in ``rows`` lie below those in ``than`` by more than the tolerance."""
    than = select(table, check["than"])
    same = ["dataset", "task", "model", "fold", "seed"]
    same += ["split"] if set(rows["split"]) & set(than["split"]) else []  # two kinds of folds: by number
    both = rows.merge(than, on=same, suffixes=("", "_than"))
    if both.empty:
        return Finding(None, False, f"{name}: nothing to compare with on the same folds")
    gaps = both["value_than"] - both["value"]
    gap, words = _hardest(both["task"], gaps)
    return Finding(bool(gap > check["tolerance"]), _is_clear(gaps), f"{name}: lower by {gap:.3f} {words}")


def _check_improves(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the score rises from smallest to largest training size by more than the tolerance."""
    curves = rows.sort_values("n_train").groupby(_CURVE, dropna=False)
    ends = curves.agg(first=("value", "first"), last=("value", "last"), sizes=("n_train", "nunique"))
    ends = ends[ends["sizes"] > 1].reset_index()
    if ends.empty:
        return Finding(None, False, f"{name}: only one training size was run")
    gains = ends["last"] - ends["first"]
    gain, words = _hardest(ends["task"], gains)
    holds = bool(gain > check["tolerance"])
    return Finding(holds, _is_clear(gains), f"{name}: {gain:+.3f} with more data {words}")


def _reductions(table: pd.DataFrame, check: Check, rows: pd.DataFrame) -> pd.DataFrame:
    """Return by what share each error in ``rows`` is below those in ``than`` on the same fold and seed."""
    than = select(table, asked_rows(check)["than"])
    same = ["dataset", "task", "fold", "seed", *check.get("same", [])]
    both = rows.merge(than, on=same, suffixes=("", "_than"))
    sides = [name for name in ("model", "setting") if name not in same]
    columns = ["task"] * (both["task"].nunique() > 1) + [f"{name}_than" for name in sides]
    words = [", ".join(filter(None, one)) for one in both[columns].astype(str).to_numpy()]
    return both.assign(line=words, reduction=1 - both["value"] / both["value_than"])


def _check_error(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the error is below every one in ``than`` by more than ``relative`` less the tolerance.

    Or, of kind "not_lower_than", below none by more than ``relative`` plus the tolerance.
    """
    found = _reductions(table, check, rows)
    if found.empty:
        return Finding(None, False, f"{name}: nothing to compare with on the same folds")
    means, asked = found.groupby("line")["reduction"].mean(), check.get("relative", 0.0)
    lead = f"{name}: error {found['value'].mean():.3f}"
    if check["kind"] == "not_lower_than":
        most = round(float(means.max()), 9)
        holds = bool(most <= round(asked + check["tolerance"], 9))
        return Finding(holds, True, f"{lead}, {most:+.1%} below the other")
    least, hardest = round(float(means.min()), 9), means.idxmin()
    holds = bool(least > round(asked - check["tolerance"], 9))
    where = f"{hardest}, hardest of {len(means)}" if len(means) > 1 else hardest or "the other"
    clear = _is_clear(found.loc[found["line"] == hardest, "reduction"])
    return Finding(holds, clear, f"{lead}, {least:+.1%} below {where}, asked {asked:.1%}")


_CHANCE: dict[str, Callable] = {  # kind -> rank of a distance from chance: the lowest is the hardest
    "at_chance": lambda gap: -abs(gap),
    "not_above_chance": lambda gap: -gap,
    "above_chance": lambda gap: gap,
}
_ERRORS = ("lower_than", "not_lower_than")
_EACH = {
    "at_least": _check_at_least,
    "equals": _check_equals,
    **dict.fromkeys(_CHANCE, _check_chance),
    "lower": _check_lower,
    "improves": _check_improves,
    **dict.fromkeys(_ERRORS, _check_error),
}
CHECKS = ("ordered", *_EACH)


def asked_rows(check: Check) -> dict[str, Mapping[str, Any]]:
    """Return the rows a check asks for ("rows", and "than" if it compares); of errors, the mean absolute."""
    default = {"metric": "mean_absolute_error"} if check["kind"] in _ERRORS else {}
    return {name: {**default, **check[name]} for name in ("rows", "than") if name in check}


def evaluate_check(table: pd.DataFrame, check: Check) -> list[Finding]:
    """Evaluate one check of the ledger on a results table.

    Parameters
    ----------
    table : DataFrame
        Results table.
    check : mapping
        ``kind`` (one of :data:`CHECKS`), ``rows`` (see :func:`select`), ``tolerance`` and what it needs:
        ``value``, ``chance`` (else the majority-class control of the same fold), ``models``, ``than``. Of
        errors: ``relative``, the share by which the error is lower (default 0), and ``same``, columns besides
        data set, task, fold and seed in which both sides must agree.

    Returns
    -------
    list of Finding
        One per model (or pair of models) and setting; where several tasks are asked together, the hardest
        decides. What was asked for and not run is a finding too.

    Raises
    ------
    UnknownNameError
        If the check is of a kind the ledger does not know.
    """
    kind = check["kind"]
    check_known("kind of check", [kind], CHECKS, "exprml.book.claims.CHECKS")
    asked = asked_rows(check)["rows"]
    if kind == "ordered":
        found = _check_ordered(table, check)
    else:
        chosen = (matching if kind == "improves" else select)(table, asked)
        found = [_judge(table, check, name, rows) for name, rows in _parts(chosen, asked)]
    return found or [Finding(None, False, "no such rows in this table")]


def _judge(table: pd.DataFrame, check: Check, name: str, rows: pd.DataFrame) -> Finding:
    if rows.empty:
        return Finding(None, False, f"{name} was not run")
    return _EACH[check["kind"]](table, check, name, rows)
