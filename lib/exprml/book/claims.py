"""The ledger of claims: what a paper says, which rows would show it, and what our tables say to it.

A claim stands in ``data/claims.yml`` as one sentence and a list of *checks*. A check names rows of a results
table, what must hold for them, and its tolerance. Nobody types a verdict: it follows from the checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
import yaml

from exprml.base.errors import check_known
from exprml.base.files import data_folder
from exprml.book.checks import CHECKS, Finding, asked_rows, evaluate_check, matching, select

__all__ = [
    "CANNOT", "CHECKS", "NOT_REPRODUCED", "PARTLY", "REPRODUCED", "Claim", "Finding", "evaluate_check",
    "ledger", "select", "verdict", "verdicts", "verdicts_by_seed",
]  # fmt: skip

REPRODUCED, PARTLY, NOT_REPRODUCED = "reproduced", "partly", "not reproduced"
CANNOT = "cannot be tested on this data"
NO_RESULT = "no result"  # with that seed


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


def ledger(notebook: str | None = None) -> list[Claim]:
    """Return the claims of the ledger, of one notebook if named.

    Raises
    ------
    UnknownNameError
        If the notebook has no claim in the ledger.
    """
    entries = _parsed(data_folder("claims.yml").read_text(encoding="utf-8"))
    claims = [Claim(**{"cannot": {}, **entry, "checks": tuple(entry["checks"])}) for entry in entries]
    if notebook is None:
        return claims
    check_known("notebook with claims", [notebook], {claim.notebook for claim in claims})
    return [claim for claim in claims if claim.notebook == notebook]


@lru_cache(maxsize=1)
def _parsed(text: str) -> list[dict[str, Any]]:
    """Parse the ledger once: 0.2 s, and a page asks for it once for every seed."""
    return yaml.safe_load(text)


def verdict(claim: Claim, table: pd.DataFrame) -> tuple[str, list[Finding]]:
    """Return the verdict on a claim and the findings it follows from.

    *Reproduced*: every finding holds and every difference is clear. *Not reproduced*: none holds. *Cannot be
    tested*: the role of the rows asked for rules it out, or some were not run. Everything else is *partly*.
    """
    asked = [rows for check in claim.checks for rows in asked_rows(check).values()]
    roles = {role for rows in asked for role in matching(table, rows)["role"]} & set(claim.cannot)
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
        tolerance = ", ".join(sorted({str(check["tolerance"]) for check in claim.checks}))
        words = "; ".join(f"{one.sentence} ({_word(one)})" for one in findings)
        rows.append((claim.id, claim.text, claim.where, tolerance, words, found))
    return pd.DataFrame(rows, columns=["claim", "text", "where", "tolerance", "found", "verdict"])


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
    whole = verdicts(table, notebook).set_index("claim")["verdict"].reindex(names)
    answer = answer.mask(answer.eq(CANNOT).mul(whole.ne(CANNOT), axis=0), NO_RESULT)
    answer["another seed"] = [_another_seed(row) for row in answer.to_numpy()]
    return answer.reset_index()


def _another_seed(found: Sequence[str]) -> str:
    tested = [one for one in found if one not in (CANNOT, NO_RESULT)]
    if len(tested) < 2:
        return "only one seed was run" if tested else "tested on no seed"
    return "the same verdict" if len(set(tested)) == 1 else "another verdict"
