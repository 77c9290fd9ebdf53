"""The data plan: which data set each notebook gets under a profile, decided before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from exprml.base.choices import PROFILES, REHEARSAL
from exprml.base.errors import DownloadError, ExprmlError, NotAvailableError, check_known
from exprml.base.files import as_json, data_folder, from_yaml, project_root, write_text_if_changed
from exprml.base.locks import held
from exprml.base.roles import TWIN
from exprml.data.catalogue.checking import DiskFullError
from exprml.data.catalogue.entries import WHERE, Entry, entry
from exprml.data.catalogue.fetching import fetch
from exprml.data.catalogue.hashing import entry_hash

POLICIES = ("auto", "real", "simulated")
_LISTED = "notebooks/profiles.yml"


def plan_for(profile: str) -> dict[str, Any]:
    """Return the plan of a profile as ``data/plan.json`` has it: policy and notebooks; {} if not made yet."""
    return _stored().get(profile, {})


def resolve(profile: str = "default", policy: str = "auto") -> dict[str, Any]:
    """Choose the best data set that can be had for every slot of every notebook; fetch it and verify it.

    Writes ``data/plan.json`` (only if that changes it), where other profiles stay as they are.

    Parameters
    ----------
    profile : str
        smoke, default or paper; the candidates of each stand in ``notebooks/profiles.yml``, best first. A
        rehearsal has those of paper.
    policy : str, optional
        "auto": the first candidate that can be had. "real": fail when only a twin can be had. "simulated":
        made data without files only, and neither network nor mirror is touched.

    Returns
    -------
    dict
        ``{"policy": ..., "notebooks": {notebook: {slot: {"dataset", "role", "hash", "why"}}}}``.

    Raises
    ------
    NotAvailableError
        If a slot's data cannot be had under the policy; the message says what was tried.
    """
    check_known("profile", [profile], (*PROFILES, REHEARSAL))
    check_known("policy", [policy], POLICIES)
    why_not_had = cache(_why_not_had)  # each data set is tried once
    made = {
        "policy": policy,
        "notebooks": {
            notebook: {
                slot: _choose(notebook, slot, names, policy, why_not_had) for slot, names in slots.items()
            }
            for notebook, slots in _candidates(profile).items()
        },
    }
    with held(data_folder("plan.json.lock")):
        write_text_if_changed(data_folder("plan.json"), as_json({**_stored(), profile: made}))
    return made


def _choose(
    notebook: str, slot: str, candidates: Iterable[str], policy: str, why_not_had: Callable
) -> dict[str, str]:
    """Return the plan's entry for one slot."""
    refused: list[str] = []
    for found in [entry(name) for name in candidates]:
        role = found.role_for(notebook)
        why_not = _why_not(found, role, policy, why_not_had)
        if why_not is None:
            why = "; ".join(refused) or "first choice"
            return {"dataset": found.name, "role": role, "hash": entry_hash(found), "why": why}
        refused.append(f"not {found.name}: {why_not}")
    raise NotAvailableError(
        f"{notebook}, {slot}: no data under policy {policy!r} ({'; '.join(refused)}). "
        "Set EXPRML_MIRROR to a folder with the files, go online, or choose policy auto"
    )


def _why_not(found: Entry, role: str, policy: str, why_not_had: Callable) -> str | None:
    if found.simulated and policy == "real" and role == TWIN:
        return "a twin is not real data"
    if found.simulated and not found.files:
        return None
    if policy == "simulated":  # made data too, where their structure is read from files
        return "policy simulated"
    return why_not_had(found.name)


def _why_not_had(name: str) -> str | None:
    try:
        fetch(name)
    except DiskFullError:
        raise
    except (NotAvailableError, DownloadError) as error:
        return str(error).removeprefix(f"{name}: ")
    return None


def _stored() -> dict[str, Any]:
    path = data_folder("plan.json")
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        return {}  # a plan is made again in seconds


def _candidates(profile: str) -> Mapping[str, Mapping[str, list[str]]]:
    """Return notebook -> slot -> names of data sets, best first."""
    path = project_root() / _LISTED
    if not path.is_file():
        raise ExprmlError(f"{_LISTED} is missing: it says which data each notebook takes")
    listed = from_yaml(path.read_text(encoding="utf-8")) or {}
    return {
        notebook: {slot: _names(notebook, slot, by_profile, profile) for slot, by_profile in data.items()}
        for notebook, about in listed.items()
        if (data := (about or {}).get("data") or {})
    }


def _names(notebook: str, slot: str, by_profile: Mapping[str, Any], profile: str) -> list[str]:
    asked = "paper" if profile == REHEARSAL else profile
    found = by_profile.get(asked, by_profile.get("default"))
    if not found:
        raise ExprmlError(f"{_LISTED}, {notebook}, {slot}: no data set of {WHERE} for profile {profile!r}")
    return [found] if isinstance(found, str) else list(found)
