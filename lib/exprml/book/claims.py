"""The ledger of claims: what a paper says, which rows would show it, and what our tables say to it.

A claim stands in ``data/claims.yml`` as one sentence and a list of *checks*. A check names rows of a results
table, what must hold for them, and its tolerance. Nobody types a verdict: it follows from the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import yaml

from exprml.base.errors import DataError, UnknownNameError
from exprml.base.files import data_folder
from exprml.evaluation import compare, scoring

REPRODUCED, PARTLY, NOT_REPRODUCED = "reproduced", "partly", "not reproduced"
CANNOT = "cannot be tested on this data"
_CURVE = ["dataset", "task", "model", "setting", "control", "split", "fold", "seed", "metric"]


@dataclass(frozen=True)
class Claim:
    """One sentence of a paper with the checks that decide on it.

    Attributes
    ----------
    id, paper, notebook : str
        Name in the ledger, key of the paper, notebook whose table is asked.
    text, where : str
        The claim in our words and where the paper makes it.
    checks : tuple of dict
        What must hold; see :func:`evaluate_check`.
    cannot : dict
        Role -> reason, for data on which the claim cannot be tested at all.
    """

    id: str
    paper: str
    notebook: str
    text: str
    where: str
    checks: tuple[Mapping[str, Any], ...]
    cannot: Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """What one check found: whether it holds (None: no rows), whether clearly, and the sentence for it."""

    holds: bool | None
    clear: bool
    sentence: str


def ledger(notebook: str | None = None, paper: str | None = None) -> list[Claim]:
    """Return the claims of the ledger, of one notebook or one paper if named.

    Raises
    ------
    UnknownNameError
        If the notebook or paper has no claim in the ledger.
    """
    entries = _parsed(data_folder("claims.yml").read_text(encoding="utf-8"))
    claims = [
        Claim(
            entry["id"],
            entry["paper"],
            entry["notebook"],
            entry["text"],
            entry["where"],
            tuple(entry["checks"]),
            entry.get("cannot", {}),
        )
        for entry in entries
    ]
    for kind, asked in (("notebook", notebook), ("paper", paper)):
        if asked is not None:
            kept = [claim for claim in claims if getattr(claim, kind) == asked]
            if not kept:
                raise UnknownNameError(
                    f"{kind} with claims", asked, {getattr(claim, kind) for claim in claims}
                )
            claims = kept
    return claims


@lru_cache(maxsize=1)
def _parsed(text: str) -> list[dict[str, Any]]:
    """Parse the ledger once: 0.2 s, and a page asks for it once for every seed."""
    return yaml.safe_load(text)


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _matching(table: pd.DataFrame, rows: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows with the wanted values at all sizes; a fit that experiments share counts once."""
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
    return scoring.at_full_size(_matching(table, rows))


def _parts(
    chosen: pd.DataFrame, asked: Mapping[str, Any], columns: Sequence[str] = ("model", "setting")
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a name and the rows of each combination of `columns` asked for, none if it was not run."""
    columns = [*columns, "task"] if "task" in asked and "task" not in columns else [*columns]
    sought = {name: _listed(asked[name]) if name in asked else sorted(set(chosen[name])) for name in columns}
    for values in product(*sought.values()):
        name = ", ".join(
            v for c, v in zip(columns, values, strict=True) if c == "model" or len(sought[c]) > 1
        )
        yield name, chosen[(chosen[columns] == list(values)).all(axis=1)]


def _hardest(
    tasks: pd.Series, values: pd.Series, rank: Callable[[pd.Series], pd.Series] = lambda means: means
) -> tuple[float, str]:
    """Return the mean of the task that `rank` puts lowest, with words: a claim must hold on every task."""
    means = values.groupby(tasks).mean()
    task = rank(means).idxmin()
    words = f"on {task}, hardest of {len(means)} tasks" if len(means) > 1 else f"over {len(values)} values"
    return round(float(means[task]), 9), words  # 0.55 - 0.5 is no more than 0.05


def _is_clear(differences: pd.Series) -> bool:
    """Tell whether there are several differences and every one of them is positive."""
    return len(differences) > 1 and bool((differences > 0).all())


def _check_at_least(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean score is at least ``value``, less the tolerance, on every task."""
    mean, words = _hardest(rows["task"], rows["value"])
    holds = bool(mean >= round(check["value"] - check["tolerance"], 9))
    return Finding(holds, True, f"{name}: {mean:.3f} {words}, asked at least {check['value']}")


def _check_at_chance(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean score is within the tolerance of chance, from above and below, on every task."""
    far, words = _hardest(rows["task"], _from_chance(table, check, rows), lambda means: -means.abs())
    return Finding(bool(abs(far) <= check["tolerance"]), True, f"{name}: {far:+.3f} from chance {words}")


def _check_not_above(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean score is above chance by no more than the tolerance, on every task."""
    above, words = _hardest(rows["task"], _from_chance(table, check, rows), lambda means: -means)
    return Finding(bool(above <= check["tolerance"]), True, f"{name}: {above:+.3f} from chance {words}")


def _check_above(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
    """Find whether the mean score is above chance by more than the tolerance; clear if every fold's is."""
    distance = _from_chance(table, check, rows)
    above, words = _hardest(rows["task"], distance)
    holds = bool(above > check["tolerance"])
    return Finding(holds, _is_clear(distance), f"{name}: {above:+.3f} from chance {words}")


def _from_chance(table: pd.DataFrame, check: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
    """Return each score less ``chance``, else less the majority class's score on the same validation fold."""
    if "chance" in check:
        return rows["value"] - check["chance"]
    fold = ["dataset", "task", "split", "fold", "seed", "metric"]
    majority = table[table["model"] == scoring.MAJORITY].groupby(fold, as_index=False)["value"].mean()
    chance = rows[fold].merge(majority, on=fold, how="left")["value"].to_numpy()
    return (rows["value"] - chance).dropna()


def _check_ordered(table: pd.DataFrame, check: Mapping[str, Any]) -> list[Finding]:
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


def _check_lower(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
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


def _check_improves(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
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


_CHANCE_CHECKS = {
    "at_chance": _check_at_chance,
    "not_above_chance": _check_not_above,
    "above_chance": _check_above,
}
_EACH = {"at_least": _check_at_least, **_CHANCE_CHECKS, "lower": _check_lower, "improves": _check_improves}
CHECKS = ("ordered", *_EACH)


def evaluate_check(table: pd.DataFrame, check: Mapping[str, Any]) -> list[Finding]:
    """Evaluate one check of the ledger on a results table.

    Parameters
    ----------
    table : DataFrame
        Results table.
    check : mapping
        ``kind`` (one of :data:`CHECKS`), ``rows`` (see :func:`select`), ``tolerance`` and what it needs:
        ``value``, ``chance`` (else the majority-class control of the same fold), ``models``, ``than``.

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
    kind, asked = check["kind"], check["rows"]
    if kind not in CHECKS:
        raise UnknownNameError("kind of check", kind, CHECKS, "exprml.book.claims.CHECKS")
    if kind == "ordered":
        found = _check_ordered(table, check)
    else:
        chosen = (_matching if kind == "improves" else select)(table, asked)
        found = [_judge(table, check, name, rows) for name, rows in _parts(chosen, asked)]
    return found or [Finding(None, False, "no such rows in this table")]


def _judge(table: pd.DataFrame, check: Mapping[str, Any], name: str, rows: pd.DataFrame) -> Finding:
    if rows.empty:
        return Finding(None, False, f"{name} was not run")
    if check["kind"] in _CHANCE_CHECKS and len(_from_chance(table, check, rows)) < len(rows):
        return Finding(None, False, f"{name}: no {scoring.MAJORITY} control on the same folds")
    return _EACH[check["kind"]](table, check, name, rows)


def verdict(claim: Claim, table: pd.DataFrame) -> tuple[str, list[Finding]]:
    """Return the verdict on a claim and the findings it follows from.

    *Reproduced*: every finding holds and every difference is clear. *Not reproduced*: none holds. *Cannot be
    tested*: the role of the rows asked for rules it out, or some were not run. Everything else is *partly*.
    """
    asked = [check[name] for check in claim.checks for name in ("rows", "than") if name in check]
    roles = {role for rows in asked for role in _matching(table, rows)["role"]} & set(claim.cannot)
    if roles:
        return CANNOT, [Finding(None, False, claim.cannot[role]) for role in sorted(roles)]
    findings = [one for check in claim.checks for one in evaluate_check(table, check)]
    holds = [one.holds for one in findings]
    if None in holds:
        return CANNOT, findings
    if not any(holds):
        return NOT_REPRODUCED, findings
    return (REPRODUCED if all(one.holds and one.clear for one in findings) else PARTLY), findings


def _word(finding: Finding) -> str:
    if finding.holds is None:
        return "cannot be tested"
    if finding.holds and not finding.clear:
        return "holds, but not clearly"
    return "holds" if finding.holds else "fails"


def verdicts(table: pd.DataFrame, notebook: str) -> pd.DataFrame:
    """Return one row per claim of a notebook: text, place in the paper, tolerance, findings, verdict.

    Parameters
    ----------
    table : DataFrame
        Results table of one run (this run's, or the reference run's).
    notebook : str
        ``"<paper>/<notebook>"``.
    """
    rows = []
    for claim in ledger(notebook=notebook):
        found, findings = verdict(claim, table)
        rows.append(
            {
                "claim": claim.id,
                "text": claim.text,
                "where": claim.where,
                "tolerance": ", ".join(sorted({str(check["tolerance"]) for check in claim.checks})),
                "found": "; ".join(f"{one.sentence} ({_word(one)})" for one in findings),
                "verdict": found,
            }
        )
    return pd.DataFrame(rows)


def verdicts_by_seed(table: pd.DataFrame, notebook: str) -> pd.DataFrame:
    """Return each claim's verdict on every seed alone, to show whether another seed would have changed it.

    The column ``another seed`` says so in words, of the seeds on which the claim could be tested.
    """
    seeds = sorted(table["seed"].dropna().unique())
    columns = {
        f"seed {seed:g}": verdicts(table[table["seed"] == seed], notebook).set_index("claim")["verdict"]
        for seed in seeds
    }
    names = pd.Index([claim.id for claim in ledger(notebook)], name="claim")
    answer = pd.DataFrame(columns, index=names, dtype=object)
    answer["another seed"] = [_another_seed(row) for row in answer.to_numpy()]
    return answer.reset_index()


def _another_seed(found: Sequence[str]) -> str:
    tested = [one for one in found if one != CANNOT]
    if len(tested) < 2:
        return "only one seed was run" if tested else "tested on no seed"
    return "the same verdict" if len(set(tested)) == 1 else "another verdict"
