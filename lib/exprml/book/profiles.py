"""Which notebooks there are, their parameters, and what the profiles change: read, checked, never guessed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from exprml.base.choices import PROFILES, REHEARSAL
from exprml.base.errors import ExprmlError, ParameterError, UnknownNameError, check_known
from exprml.base.files import from_yaml, project_root
from exprml.book.context import OWN
from exprml.book.parameters import Parameter, fit, parse

WHERE = "notebooks/profiles.yml"
_ENTRY_KEYS = ("data", "published", "needs", "threads", "minutes", "memory_mb", "smoke", "paper", "rehearse")


@dataclass(frozen=True)
class Notebook:
    """One notebook: its file and its entry in ``profiles.yml``."""

    name: str
    path: Path
    entry: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Notebooks whose results this one reads."""
        return tuple(self.entry.get("needs") or ())

    @property
    def threads(self) -> int:
        """Threads of the numerical libraries; part of the run, since it changes bytes."""
        return int(self.entry.get("threads", 1))

    @property
    def slots(self) -> Mapping[str, Any]:
        """Data slots with the candidates of each profile."""
        return self.entry.get("data") or {}

    def minutes(self, profile: str) -> float:
        """Return the expected minutes under a profile (1 if nothing is said)."""
        return float((self.entry.get("minutes") or {}).get(profile, 1))

    def memory_mb(self, profile: str) -> int:
        """Return the memory a run may need under a profile, in megabytes (4000 if nothing is said)."""
        return int((self.entry.get("memory_mb") or {}).get(profile, 4000))

    def timeout_seconds(self, profile: str) -> int:
        """Return after how long one cell is given up: ten times the expected whole, at least ten minutes."""
        return int(max(600, 600 * self.minutes(profile)))

    @cached_property
    def document(self) -> dict[str, Any]:
        """The notebook file as JSON."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ExprmlError(f"notebooks/{self.name}.ipynb is no notebook: {error}") from error

    @property
    def experiments(self) -> list[str]:
        """Ids of the experiments this notebook covers (metadata ``exprml.experiments``)."""
        return list(self.document["metadata"].get("exprml", {}).get("experiments", []))

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The typed literals of the cell tagged ``parameters``."""
        for cell in self.document["cells"]:
            if "parameters" in cell["metadata"].get("tags", []):
                return parse("".join(cell["source"]), self.name)
        return {}

    @property
    def code(self) -> str:
        """All code cells as one text; lines of notebook magic left out."""
        cells = ["".join(cell["source"]) for cell in self.document["cells"] if cell["cell_type"] == "code"]
        lines = "\n".join(cells).splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))

    def values(self, profile: str, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return every parameter with its value under a profile, overrides applied and checked.

        Raises
        ------
        UnknownNameError
            If the profile, or a parameter that the profile or an override names, does not exist.
        ParameterError
            If a value is not of the parameter's type.
        """
        check_profile(profile)
        values = {name: one.value for name, one in self.parameters.items()}
        blocks = {"default": (), REHEARSAL: ("paper", "rehearse")}.get(profile, (profile,))
        changes = [*(self.entry.get(block) or {} for block in blocks), overrides or {}]
        for name, value in [pair for one in changes for pair in one.items()]:
            values[name] = self.checked(name, value)
        return values

    def checked(self, name: str, value: Any) -> Any:
        """Return `value` as the parameter `name` takes it: an int given for a float becomes one."""
        check_known("parameter", [name], self.parameters, f"the parameters cell of {self.name}")
        return fit(value, self.parameters[name].kind, f"parameter {name!r} of {self.name}")


def notebooks() -> dict[str, Notebook]:
    """Return every notebook of the project by name, each with a checked entry in ``profiles.yml``.

    Raises
    ------
    ExprmlError
        If a notebook has no entry, an entry no notebook, or an entry contradicts its notebook.
    """
    folder = project_root() / "notebooks"
    paths = sorted(path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    found = {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
    listed = _read_profiles(folder / "profiles.yml")
    check_known("notebook", listed, found, WHERE)
    for name in found:
        if name not in listed:
            remedy = "add one with at least `smoke: {}`"
            raise ExprmlError(f"notebook {name!r} has no entry in {WHERE}: {remedy}")
    all_of_them = {name: Notebook(name, path, listed[name] or {}) for name, path in found.items()}
    for notebook in all_of_them.values():
        _check_entry(notebook, all_of_them)
    in_order(all_of_them)
    return all_of_them


def find(name: str) -> Notebook:
    """Return one notebook; a unique part of its name is enough ("02-gtex").

    Raises
    ------
    UnknownNameError
        If no notebook, or more than one, answers to `name`.
    """
    known = notebooks()
    name = name.removesuffix(".ipynb").removeprefix("notebooks/")
    near = [name] if name in known else [one for one in known if name and name in one]
    if len(near) > 1:
        raise UnknownNameError(f"notebook (it fits {len(near)})", name, near, WHERE)
    if not near:
        raise UnknownNameError("notebook", name, known, WHERE)
    return known[near[0]]


def plan_of(notebook: Notebook, profile: str) -> dict[str, dict[str, Any]]:
    """Return the data plan of a notebook: slot -> data set, role, hash; made now if there is none.

    Raises
    ------
    NotAvailableError
        If the data cannot be had.
    """
    if not notebook.slots:
        return {}
    from exprml.data import catalogue

    plan = catalogue.plan_for(profile).get("notebooks", {}).get(notebook.name, {})
    if set(plan) != set(notebook.slots):
        plan = catalogue.resolve(profile)["notebooks"].get(notebook.name, {})
    return plan


def in_order(known: Mapping[str, Notebook]) -> list[str]:
    """Return the names so that each comes after those it needs.

    Raises
    ------
    ExprmlError
        If notebooks need each other in a circle.
    """
    try:
        return list(TopologicalSorter({name: one.needs for name, one in known.items()}).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ExprmlError(f"notebooks need each other in a circle: {circle} ({WHERE})") from error


def check_profile(profile: str) -> None:
    """Raise UnknownNameError unless `profile` is smoke, default, paper, its rehearsal, or a reader's own."""
    if profile not in (REHEARSAL, OWN):
        check_known("profile", [profile], PROFILES)


def _read_profiles(path: Path) -> dict[str, Any]:
    try:
        listed = from_yaml(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ExprmlError(f"{WHERE} is missing: it lists every notebook") from None
    except yaml.YAMLError as error:
        raise ExprmlError(f"{WHERE} is no valid YAML: {error}") from error
    if not isinstance(listed, dict):
        raise ExprmlError(f"{WHERE} must map notebook names to entries")
    return listed


def _check_entry(notebook: Notebook, known: Iterable[str]) -> None:
    entry, name = notebook.entry, notebook.name
    for block in ("smoke", "rehearse"):
        if not isinstance(entry.get(block), dict):
            remedy = f"write `{block}: {{}}` if nothing changes"
            raise ExprmlError(f"{WHERE}, {name}: `{block}:` is missing; {remedy}")
    check_known(f"key in the entry of {name!r}", entry, _ENTRY_KEYS, WHERE)
    check_known(f"notebook needed by {name!r}", notebook.needs, known, WHERE)
    check_known(f"data slot of {name!r}", entry.get("published") or {}, notebook.slots, WHERE)
    for slot, candidates in notebook.slots.items():
        check_known(f"profile of {name!r}, slot {slot!r}", candidates, PROFILES, WHERE)
    for profile in (*PROFILES, REHEARSAL):
        notebook.values(profile)
    _check_sizes(notebook)


def _check_sizes(notebook: Notebook) -> None:
    """Raise unless a rehearsal differs from the paper profile in sizes alone, and these are smaller."""
    paper, rehearsed = notebook.values("paper"), notebook.values(REHEARSAL)
    for name in notebook.entry["rehearse"]:
        if not _is_smaller(rehearsed[name], paper[name], part="fraction" in name or "share" in name):
            raise ParameterError(
                f"{WHERE}, {notebook.name}, rehearse: {name} = {rehearsed[name]!r} is no smaller size than "
                f"{paper[name]!r} under paper. A rehearsal may lower whole numbers, fractions and shares, "
                "and shorten lists, nothing else"
            )


def _is_smaller(value: Any, paper: Any, *, part: bool) -> bool:
    if isinstance(value, list):
        beside = zip(value, paper, strict=False)
        fewer = len(value) <= len(paper) and all(_is_smaller(one, of, part=part) for one, of in beside)
        return fewer or all(one in paper for one in value)
    counts = isinstance(value, int | float if part else int) and not isinstance(value, bool)
    return counts and 0 < value <= paper
