"""How a notebook begins and ends: seeds, data with its role, the banner; the run report.

A notebook says ``run = report.start("heil2022/02-gtex-tissues", seed=seed)`` once, and ``run.finish()`` last.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from IPython.display import HTML, display

from exprml.base.choices import REHEARSAL
from exprml.base.errors import ParameterError, check_known
from exprml.base.roles import OWN, ROLES
from exprml.book import context, profiles, results
from exprml.book.context import Context, Session, results_path
from exprml.book.machine import hardware, versions
from exprml.book.tables import plain

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass
class Run(Session):
    """One run of a notebook: what it knows about its data, settings and machine.

    Attributes
    ----------
    notebook, profile, seed, key, threads : str or int
        Name, profile of the values, seed, key of the run ("live" in a reader's own kernel), threads.
    parameters : dict
        Every parameter of the notebook with the value of this run.
    plan : dict
        Slot -> data set, role, hash, why.
    """

    seed: int = 0
    started: float = field(default_factory=time.perf_counter)
    folds: list[pd.DataFrame] = field(default_factory=list)
    loaded: dict[str, AnnData] = field(default_factory=dict)
    sizes: dict[str, tuple[str, int, int]] = field(default_factory=dict)

    def kept_file(self, name: str) -> Path:
        """Return where the notebook may keep something beside its results, a fitted model for example.

        Parameters
        ----------
        name : str
            Letters, digits, ``-``, ``_``, ``.``. What a changed or live run keeps lies apart from the book's.
        """
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise ParameterError(f"kept file {name!r}: use letters, digits, '-', '_' and '.' in its name")
        if self.label == context.OWN:
            return Path.cwd() / f"{Path(self.notebook).name}-{name}"
        beside = results_path(self.notebook, self.label, "")
        return beside.with_name(f"{beside.name}-{name}")

    def table(self) -> pd.DataFrame:
        """Return what this run has written to its results table so far."""
        return results.parse_table(self.results_path)

    def role(self, slot: str, *others: str) -> str:
        """Return how the data stand to the paper: "own", "stand-in", "made" or "twin".

        Parameters
        ----------
        slot, *others : str
            Data slots. Of several, the role least like the paper's own, in the order above: a figure that
            draws them together may promise no more than its least real part.

        Raises
        ------
        UnknownNameError
            If the notebook has no such slot in ``notebooks/profiles.yml``.
        """
        where = f"notebooks/profiles.yml, {self.notebook}, data"
        check_known("data slot", [slot, *others], self.plan, where)
        return max((self.plan[one]["role"] for one in (slot, *others)), key=list(ROLES).index)

    def load(self, slot: str) -> AnnData:
        """Return the data set that the plan chose for a slot, its role in ``uns["provenance"]``.

        Raises
        ------
        UnknownNameError
            If the notebook has no such slot in ``notebooks/profiles.yml``.
        """
        role = self.role(slot)
        if slot in self.loaded:
            return self.loaded.pop(slot)  # handed over, not kept: a notebook may change it
        from exprml.data import catalogue

        data = catalogue.load(self.plan[slot]["dataset"])
        provenance = data.uns.setdefault("provenance", {})
        provenance["role"] = role
        title = str(provenance.get("title", self.plan[slot]["dataset"]))
        self.sizes[slot] = (title, data.n_obs, data.n_vars)
        return data

    def note_folds(
        self,
        labels: Sequence,
        groups: Sequence,
        folds: Iterable[tuple[np.ndarray, np.ndarray]],
        name: str = "",
    ) -> pd.DataFrame:
        """Register folds, so that the run report shows samples and groups per class and fold.

        Parameters
        ----------
        labels, groups : sequence, shape (n_samples,)
            Class and group of each sample.
        folds : iterable of (train indices, test indices)
            As a scikit-learn splitter yields them.
        name : str, optional
            What the folds are for, when a notebook has several tasks.

        Returns
        -------
        DataFrame
            Columns task, fold, class, samples, groups of the test parts.
        """
        labels, groups = np.asarray(labels), np.asarray(groups)
        counted = [
            {"task": name, "fold": fold, "class": one, "samples": int(of_class.sum()),
             "groups": len(np.unique(groups[test][of_class]))}
            for fold, (_, test) in enumerate(folds)
            for one in np.unique(labels)
            for of_class in [labels[test] == one]
        ]  # fmt: skip
        table = pd.DataFrame(counted)
        self.folds.append(table)
        return table

    @property
    def banner(self) -> HTML:
        """What data this page rests on, under which profile, and how its size compares with the paper's."""
        rows = "".join(_slot_row(self, slot) for slot in self.plan)
        marks = _badge(f"profile: {self.profile}", "#444444") + _badge(f"seed {self.seed}", "#444444")
        return HTML(
            f'<div class="exprml-banner" role="note" aria-label="Data and profile of this page">'
            f"{marks}{_changed(self.context)}{rows}</div>"
        )

    @property
    def data_words(self) -> str:
        """What this page rests on: title, size and (if the title does not say it) role of every data set."""
        from exprml.data import catalogue

        words = []
        for slot, entry in self.plan.items():
            name = entry["dataset"]
            known = catalogue.entry(name).title if name in catalogue.names() else name
            title, samples, genes = self.sizes.get(slot, (known, 0, 0))
            size = f"{samples:,} samples, {genes:,} genes" if samples else ""
            role = "" if "simulat" in title.lower() else ROLES[entry["role"]].short
            words.append(f"{plain(title)} ({'; '.join(filter(None, (size, role)))})".removesuffix(" ()"))
        if self.profile == REHEARSAL:
            words.append("a rehearsal: its numbers mean nothing")
        return "; ".join(dict.fromkeys(words)) or "results of other pages"

    def finish(self) -> None:
        """Show the run report: parameters, data, groups per class and fold, versions, machine, seconds."""
        seconds = time.perf_counter() - self.started
        display(HTML(run_report(self, seconds)))


def start(notebook: str, *, seed: int = 0, load: bool = True) -> Run:
    """Begin a notebook: seed the generators, look up its data, show the banner.

    Parameters
    ----------
    notebook : str
        Name as in ``notebooks/profiles.yml``.
    seed : int
        Seed of ``random``, NumPy and (if imported) torch.
    load : bool
        Read the data now, so that the banner can say its size; False for data read piece by piece.
    """
    run = Run(_context(notebook), seed)
    _seed_everything(seed)
    context.plan_here = run.plan
    if load:
        for slot in run.plan:
            run.loaded[slot] = run.load(slot)
    display(run.banner)
    return run


def start_own(name: str, data: AnnData, parameters: Mapping[str, Any] | None = None, *, seed: int = 0) -> Run:
    """Begin a notebook of the reader's own, which no profile knows: seed the generators, show the banner.

    Parameters
    ----------
    name : str
        Name of the notebook's file without ``.ipynb``; its results go to ``<name>-results.csv`` beside it.
    data : AnnData
        From :func:`exprml.data.user_files.load`.
    parameters : dict, optional
        What the run report lists in a live kernel; under ``exprml run`` the runner knows them.
    seed : int
        As in :func:`start`.
    """
    live = Context(
        notebook=f"{context.OWN_FOLDER}/{name}",
        profile=context.OWN,
        parameters=dict(parameters or {}),
        results=str(Path.cwd() / f"{name}{context.OWN_RESULTS}"),
    )
    plan = {"data": dict(data.uns["user_files"]["source"])}
    run = Run(replace(context.current() or live, plan=plan), seed)
    run.sizes["data"] = (plan["data"]["dataset"], *data.shape)
    _seed_everything(seed)
    display(run.banner)
    return run


def run_report(run: Run, seconds: float) -> str:
    """Return the run report as collapsed HTML."""
    data = {
        slot: f"{entry['dataset']} ({entry['role']}), {entry['hash'][:16]}"
        for slot, entry in run.plan.items()
    }
    changed = {
        name: f"{run.parameters.get(name)!r} instead of {usual!r}"
        for name, usual in run.context.changed.items()
    }
    tables = [
        _table("Parameters", {name: repr(value) for name, value in run.parameters.items()}),
        _table("Changed by hand", changed),
        _table("Data", data),
        *(_fold_table(folds) for folds in run.folds),
        _table("Versions", versions()),
        _table("Machine", {**hardware(), "threads": str(run.threads), "device": run.device}),
        _table("Run", {"profile": run.profile, "key": run.key[:16], "seconds": f"{seconds:.1f}"}),
    ]
    return (
        '<details class="exprml-report"><summary>Run report: parameters, data, folds, versions, machine'
        f"</summary>{''.join(tables)}</details>"
    )


def _context(notebook: str) -> Context:
    """Return what the runner decided or, in a kernel it did not start, the default profile's settings."""
    if given := context.current():
        check_known("notebook", [notebook], [given.notebook], "the runner's order for this run")
        return given
    found = profiles.find(notebook)
    return Context(
        notebook=found.name,
        parameters=found.values("default"),
        plan=profiles.plan_of(found, "default"),
        published=dict(found.entry.get("published") or {}),
        needs=found.needs,
        threads=found.threads,
    )


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries below us still draw from the global generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _badge(text: str, colour: str) -> str:
    style = f"background:{colour};color:#fff;border-radius:.6em;padding:.1em .6em;margin-right:.4em"
    return f'<span class="exprml-badge" style="{style}">{escape(text)}</span>'


def _changed(run: Context) -> str:
    if run.profile == REHEARSAL:
        words = "REHEARSAL \N{EN DASH} generated files in the form of the papers' own; numbers mean nothing"
        return _badge(words, "#9a0000")
    if run.live:
        return _badge("live kernel", "#444444")
    if not run.changed:
        return ""
    names = ", ".join(
        f"{name} = {run.parameters.get(name)!r} (usually {usual!r})" for name, usual in run.changed.items()
    )
    return _badge("changed by hand \N{EN DASH} not the book's run", "#9a0000") + escape(names)


def _slot_row(run: Run, slot: str) -> str:
    entry = run.plan[slot]
    words, colour = ROLES[entry["role"]].words, ROLES[entry["role"]].colour
    if run.profile == REHEARSAL and entry["role"] == OWN:
        words = "generated, in the form of the paper's own data"
    title, samples, genes = run.sizes.get(slot, (entry["dataset"], 0, 0))
    size = f": {samples:,} samples \N{MULTIPLICATION SIGN} {genes:,} genes" if samples else ""
    paper = _published_size(run, slot)
    return (
        f'<p class="exprml-role exprml-role-{re.sub(r"[^a-z]", "-", entry["role"])}">{_badge(words, colour)}'
        f"<strong>{escape(slot)}</strong>: {escape(title)}{size}{paper}</p>"
    )


def _published_size(run: Run, slot: str) -> str:
    name = run.context.published.get(slot)
    if not name:
        return ""
    rows = results.published(run.notebook.split("/")[0])
    rows = rows[(rows["dataset"] == name) & (rows["task"] == "") & (rows["model"] == "")]
    found = []
    for prefix, what in (("n_samples", "samples"), ("n_genes", "genes")):
        value = rows.loc[rows["metric"].str.startswith(prefix), "value"]
        found += [f"{value.iloc[0]:,.0f} {what}"] if len(value) else []
    times = " \N{MULTIPLICATION SIGN} "
    return f" (the paper: {escape(name)}, {times.join(found)})" if found else f" (the paper: {escape(name)})"


def _table(title: str, values: dict[str, str]) -> str:
    return _html(title, {name: [value] for name, value in values.items()}) if values else ""


def _fold_table(folds: pd.DataFrame) -> str:
    """Return groups (samples) of the test part, one row a class, one column a fold."""
    cells = folds.assign(cell=folds["groups"].astype(str) + " (" + folds["samples"].astype(str) + ")")
    wide = cells.pivot_table(index="class", columns="fold", values="cell", aggfunc="first")
    head = "".join(f'<th scope="col">fold {fold}</th>' for fold in wide.columns)
    title = ": ".join(filter(None, ["Groups (samples) per class in each test fold", folds["task"].iloc[0]]))
    return _html(title, wide.T.to_dict("list"), f"<thead><tr><td></td>{head}</tr></thead>")


def _html(title: str, rows: Mapping[str, Sequence], head: str = "") -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th>'
        f"{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
        for name, cells in rows.items()
    )
    return f"<table><caption>{escape(title)}</caption>{head}<tbody>{lines}</tbody></table>"
