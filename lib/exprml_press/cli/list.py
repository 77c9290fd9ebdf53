"""``exprml list``: the notebooks; ``exprml list --experiments``: which experiment lives where."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from exprml.base.errors import ExprmlError, check_known

_HOMELESS = "no home yet"


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("list", help="list notebooks, or experiments with their notebook")
    command.add_argument("--experiments", action="store_true", help="every experiment and where it lives")
    command.set_defaults(run=_list)


def homes(covered: Mapping[str, Sequence[str]], known: Sequence[str]) -> dict[str, str | None]:
    """Return experiment id -> the notebook that covers it, None if none does yet.

    Parameters
    ----------
    covered : dict
        Notebook -> ids in its metadata ``exprml.experiments``.
    known : sequence of str
        All ids of ``data/experiments.csv``.

    Raises
    ------
    UnknownNameError
        If a notebook names an id that is not listed.
    ExprmlError
        If two notebooks claim the same id.
    """
    found: dict[str, str | None] = dict.fromkeys(known)
    for notebook, ids in covered.items():
        for one in ids:
            check_known(f"experiment in {notebook}", [one], known, "data/experiments.csv")
            if found[one] is not None:
                raise ExprmlError(f"experiment {one!r} lives in two notebooks: {found[one]} and {notebook}")
            found[one] = notebook
    return found


def _list(given: argparse.Namespace) -> None:
    rows = _experiments() if given.experiments else _notebooks()
    print(tabulate(rows, "firstrow", tablefmt="plain", disable_numparse=True))
    if given.experiments:
        housed = sum(home != _HOMELESS for _, home in rows[1:])
        print(f"\n{housed} of {len(rows) - 1} experiments have a notebook")


def _experiments() -> list[tuple[str, ...]]:
    from exprml.book import profiles, results

    covered = {
        name: [results.full_experiment_id(one, name) for one in one_notebook.experiments]
        for name, one_notebook in profiles.notebooks().items()
    }
    found = homes(covered, results.experiment_ids())
    return [("experiment", "notebook"), *((one, home or _HOMELESS) for one, home in found.items())]


def _notebooks() -> list[tuple[str, ...]]:
    from exprml.book import profiles
    from exprml.data import catalogue

    rows: list[tuple[str, ...]] = [("notebook", *(f"{one} min" for one in profiles.PROFILES), "data")]
    plan = catalogue.plan_for("default").get("notebooks", {})
    for name, notebook in profiles.notebooks().items():
        minutes = [f"{notebook.minutes(one):g}" for one in profiles.PROFILES]
        rows.append((name, *minutes, _roles(notebook.slots, plan.get(name, {}))))
    return rows


def _roles(slots: Iterable[str], plan: Mapping[str, Mapping[str, str]]) -> str:
    chosen = {slot: f"{one['dataset']} ({one['role']})" for slot, one in plan.items()}
    return ", ".join(f"{slot}: {chosen.get(slot, 'not resolved yet')}" for slot in slots) or "none"
