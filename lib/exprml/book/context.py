"""What the runner tells a notebook about the run it is in."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from exprml.base.choices import REHEARSAL
from exprml.base.files import as_json, data_folder, write_text

LIVE, CUSTOM, OWN = "live", "custom", "own"
OWN_FOLDER, OWN_RESULTS = "my", "-results.csv"  # a reader's own notebooks, and the tables beside them


@dataclass(frozen=True)
class Context:
    """One run of one notebook, as the runner decided it.

    Attributes
    ----------
    notebook, profile : str
        Name as in ``profiles.yml`` and the profile the values come from.
    parameters, changed : dict
        Every parameter with its value; those that were overridden by hand, with their usual value.
    key : str
        Hash of everything the run depends on; ``"live"`` in a kernel that the runner did not start.
    plan : dict
        Slot -> data set, role, hash, why.
    published : dict
        Slot -> name of the data set in the paper's own table.
    needs : tuple of str
        Notebooks whose results this one reads.
    missing : tuple of str
        Those of them that failed in this build: whatever table they left is not read.
    threads : int
        Threads of the numerical libraries.
    results : str
        Where this run's results table goes.
    """

    notebook: str
    profile: str = "default"
    parameters: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    key: str = LIVE
    plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    threads: int = 1
    results: str = ""

    @property
    def live(self) -> bool:
        """Whether this is a reader's own kernel."""
        return self.key == LIVE

    @property
    def label(self) -> str:
        """The profile its results count under: no changed, live or rehearsed run passes for the book's."""
        if self.live or self.profile == REHEARSAL:
            return LIVE if self.live else REHEARSAL
        return CUSTOM if self.changed else self.profile

    @property
    def table(self) -> Path:
        """Where this run's results table goes, whether said or not."""
        return Path(self.results) if self.results else results_path(self.notebook, self.label)

    def save(self, path: Path) -> None:
        """Write the context where ``EXPRML_RUN`` will point."""
        write_text(path, as_json(asdict(self)))


@dataclass
class Session:
    """What the results table needs to know of a run; :class:`exprml.book.report.Run` knows more."""

    context: Context
    written: set[str] = field(default_factory=set, kw_only=True)  # experiments with rows from this session

    notebook = property(lambda self: self.context.notebook)
    profile = property(lambda self: self.context.profile)
    label = property(lambda self: self.context.label)
    key = property(lambda self: self.context.key)
    plan = property(lambda self: self.context.plan)
    parameters = property(lambda self: self.context.parameters)
    threads = property(lambda self: self.context.threads)
    results_path = property(lambda self: self.context.table)

    @property
    def device(self) -> str:
        """Return "cuda" if the notebook imported torch and it sees a GPU, else "cpu"."""
        torch = sys.modules.get("torch")
        return "cuda" if torch is not None and torch.cuda.is_available() else "cpu"


plan_here: dict[str, dict[str, Any]] = {}  # the plan of the notebook that runs, as `report.start` found it


def only_role() -> str:
    """Return the role of the running notebook's data, if it has a single slot."""
    return next(iter(plan_here.values()))["role"] if len(plan_here) == 1 else ""


def results_path(notebook: str, profile: str, suffix: str = ".csv") -> Path:
    """Return where the results table of a notebook lies: ``data/results/<profile>/<notebook>.csv``."""
    return data_folder("results", profile, notebook + suffix)


def current() -> Context | None:
    """Return the context the runner passed in ``EXPRML_RUN``, or None in a live kernel."""
    path = os.environ.get("EXPRML_RUN")
    if not path:
        return None
    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    return Context(**{**stored, **{name: tuple(stored[name]) for name in ("needs", "missing")}})


def rehearsing() -> bool:
    """Tell whether the run is a rehearsal, whose numbers mean nothing."""
    run = current()
    return run is not None and run.profile == REHEARSAL
