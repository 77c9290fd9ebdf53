"""The ledger of claims: what papers say, and we; which rows would show it, and what our tables say to it.

A claim stands in ``data/claims.yml`` as one sentence and a list of *checks*. A check names rows of a results
table, what must hold for them, and its tolerance. Nobody types a verdict: it follows from the checks, from
the role and size of the data, and from whether the networks had trained.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from exprml.base.errors import check_known
from exprml.base.files import data_folder, from_yaml
from exprml.base.roles import MADE, OWN, TWIN
from exprml.book import checks, results
from exprml.book.checks import UNDECIDED, Finding, evaluate_check
from exprml.evaluation.scoring import MAJORITY

REPRODUCED, PARTLY, NOT_REPRODUCED = "reproduced", "partly", "not reproduced"
CANNOT = "cannot be tested here"
SIZES = ("size", "count")  # kinds that only the paper's own data, or data made by its recipe, can confirm
_ENOUGH = {True: 0.9, False: 0.02}  # of the paper's training samples: for a size, for a matter of sample size
_NETWORK = re.compile("layer|d-gex|mlp|autoencoder|network|gcnn|ff-ann")
_UNFINISHED = 0.1  # share of fits that may still be improving in their last epoch
_ERRORS = ["mean_absolute_error", "mean_squared_error", "relative_squared_error"]
_FITS = ["experiment", "dataset", "task", "model", "setting", "split", "fold", "seed"]


@dataclass(frozen=True)
class Claim:
    """One sentence of a paper, or of this book, with the checks that decide on it.

    Attributes
    ----------
    id, paper, notebook : str
        Name in the ledger, key of the paper, notebook whose table is asked.
    ledger : {"paper", "book"}
        Whose sentence it is.
    kind : str
        "direction", "order", "size" or "count". Sizes and counts are judged on the paper's own data alone.
    text, where : str
        The claim in our words and where the paper makes it.
    checks : tuple of dict
        What must hold; see :func:`evaluate_check`.
    replicates : str
        What the interval goes over: "folds and seeds", "patients" or "none".
    samples : int, optional
        Training samples of the paper, where they matter: to every size, and to what hangs on sample size.
    untrained : bool
        Whether networks that did not train count, because the claim is about that.
    cannot : dict
        Role -> reason, for data that lack what the claim speaks of.
    """

    id: str
    paper: str
    notebook: str
    ledger: str
    kind: str
    text: str
    where: str
    checks: tuple[Mapping[str, Any], ...]
    replicates: str = checks.BY_FOLD
    samples: int | None = None
    untrained: bool = False
    cannot: Mapping[str, str] | None = None


def ledger(notebook: str | None = None) -> list[Claim]:
    """Return the claims of the ledger, of one notebook if named.

    Raises
    ------
    UnknownNameError
        If the notebook has no claim in the ledger.
    """
    entries = _parsed(data_folder("claims.yml").read_text(encoding="utf-8"))
    claims = [Claim(**{**entry, "checks": tuple(entry["checks"])}) for entry in entries]
    if notebook is None:
        return claims
    check_known("notebook with claims", [notebook], {claim.notebook for claim in claims})
    return [claim for claim in claims if claim.notebook == notebook]


@lru_cache(maxsize=1)
def _parsed(text: str) -> list[dict[str, Any]]:
    """Parse the ledger once: 0.2 s, and the front page asks for it once for every chapter."""
    return from_yaml(text)


def verdict(claim: Claim, table: pd.DataFrame) -> tuple[str, list[Finding]]:
    """Return the verdict on a claim and the findings it follows from.

    *Cannot be tested here*: the data rule it out by role or size, or some rows were not run. *Undecided*: a
    network had not trained, or no check is decided in the claim's favour and one is open. *Reproduced* and
    *not reproduced*: all checks say so. Everything else is *partly*.
    """
    asked = [one for check in claim.checks for one in checks.asked_rows(check).values()]
    rows = pd.concat(checks.matching(table, one) for one in asked)
    used, ways = table, claim.replicates
    if ways == checks.BY_PATIENT:
        used, ways = checks.by_patient(table, rows)
    findings = [one for check in claim.checks for one in evaluate_check(used, {**check, "replicates": ways})]
    barred = _barred(claim, table, rows)
    if barred:
        told = findings if TWIN not in set(rows["role"]) else []
        return CANNOT, [Finding("ruled out", barred), *(Finding("no verdict", one.sentence) for one in told)]
    outcomes = {one.outcome for one in findings}
    if checks.MISSING in outcomes:
        return CANNOT, findings
    idle = "" if claim.untrained else _not_trained(table, rows)
    if idle:
        return UNDECIDED, [Finding(UNDECIDED, idle), *findings]
    if len(outcomes) == 1:
        alike = {checks.HOLDS: REPRODUCED, checks.FAILS: NOT_REPRODUCED}
        return alike.get(*outcomes, UNDECIDED), findings
    return (PARTLY if checks.HOLDS in outcomes else UNDECIDED), findings


def _barred(claim: Claim, table: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Return why these data can say nothing about the claim, by rule or by the ledger's reason, or ""."""
    roles, sized = set(rows["role"]), claim.kind in SIZES
    if TWIN in roles:
        return "A simulated twin shows that the code runs, not what real data are like"
    for role in sorted(roles & set(claim.cannot or {})):
        return claim.cannot[role]
    if sized and roles - {OWN, MADE}:
        return f"A {claim.kind} is judged on the paper's own data alone; our number stands beside it"
    here = table.loc[table["dataset"].isin(rows["dataset"]), "n_train"].max()
    if claim.samples and pd.notna(here) and here < _ENOUGH[sized] * claim.samples:
        return f"{here:,} samples train here, {claim.samples:,} in the paper"
    return ""


def _not_trained(table: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Return which network of these rows had not trained, and how that shows, or ""."""
    scored = rows["metric"].isin(["balanced_accuracy", "accuracy", "macro_f1", *_ERRORS])
    rows = rows[rows["model"].str.contains(_NETWORK) & scored]
    fits = table[table["metric"] == results.ENDED].merge(rows[_FITS].drop_duplicates())
    for model, part in fits.groupby("model"):
        if part["value"].mean() > _UNFINISHED:
            late = f"{part['value'].sum():.0f} of {len(part)} fits"
            return f"{model} was still improving in its last epoch in {late}"
    alike = ["dataset", "task", "metric"]
    guess = table[table["model"].isin([MAJORITY, "control/predict-zero", "predict zero"])]
    guess = guess.groupby(alike)["value"].mean().rename("guess").reset_index()
    tried = table[(table["control"] == "") & table["model"].isin(rows["model"])]
    tried = tried[tried["metric"].isin(rows["metric"])].merge(guess, on=alike)
    better = tried["metric"].isin(_ERRORS).map({True: -1, False: 1})
    tried["gain"] = (tried["value"] - tried["guess"]) * better
    intact = tried[~tried["setting"].str.contains("removed")]
    best = intact.groupby(["model", "task", "setting"])["gain"].mean().groupby("model").max()
    for model in best.index[best <= 0]:
        return f"{model} is no better than a guess on intact data, so that it had not trained"
    asked = tried.merge(rows[[*_FITS, "n_train", "metric"]].drop_duplicates())
    still = asked["gain"].abs().lt(1e-6).groupby([asked["model"], asked["task"], asked["setting"]]).mean()
    for model, task, _ in still.index[still > 0.5]:
        return f"{model} gives one constant answer in most fits on {task}, so that it had not trained there"
    return ""


def verdicts(table: pd.DataFrame, notebook: str, reference: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one row per claim of a notebook, with the verdict on it and the findings it follows from.

    Parameters
    ----------
    table : DataFrame
        Results table of this run.
    notebook : str
        ``"<paper>/<notebook>"``.
    reference : DataFrame, optional
        Results table of the reference run, whose verdicts then stand before this run's.

    Returns
    -------
    DataFrame
        claim, ledger, kind, text, where, then "reference run" and "reference found" if asked for, then
        "verdict" and "found" of this run.
    """
    runs = {"verdict": table} if reference is None else {"reference run": reference, "verdict": table}
    rows = []
    for claim in ledger(notebook=notebook):
        row = {
            "claim": claim.id,
            **{name: getattr(claim, name) for name in ("ledger", "kind", "text", "where")},
        }
        for name, run in runs.items():
            row[name], findings = verdict(claim, run)
            words = "; ".join(f"{one.sentence} ({one.outcome})" for one in findings)
            row["found" if name == "verdict" else "reference found"] = words
        rows.append(row)
    return pd.DataFrame(rows)
