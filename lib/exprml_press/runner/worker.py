"""One notebook, run by papermill in a process of its own, published only when it is complete.

The run graph starts it as ``python -m exprml_press.runner``; ``exprml run`` calls :func:`run_notebook`.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from exprml.base.choices import REHEARSAL
from exprml.base.errors import ExprmlError
from exprml.base.files import as_json, atomic_path, project_root, write_text
from exprml.base.locks import held
from exprml.book import machine, profiles
from exprml.book.context import CUSTOM, Context, results_path
from exprml.book.profiles import Notebook
from exprml.data import catalogue
from exprml_press import keys, postprocess, processes
from exprml_press.runner.folders import Folders, explain, require_writable

_THREAD_VARIABLES = ("OMP", "MKL", "OPENBLAS", "NUMBA", "NUMEXPR")


@dataclass(frozen=True)
class Order:
    """One notebook to run: with which values, on which data, under which key."""

    notebook: Notebook
    profile: str
    values: Mapping[str, Any]
    plan: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, Any]  # of the key
    changed: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()  # needed notebooks that failed
    results: Path | None = None  # where rows go as soon as they are written; None: into place with the page

    @property
    def key(self) -> str:
        """The hash of the parts."""
        return keys.key_of(self.parts)

    @property
    def custom(self) -> bool:
        """Whether a reader changed values by hand."""
        return bool(self.changed) and self.profile != REHEARSAL

    @property
    def folders(self) -> Folders:
        """Where it goes: what was changed by hand never lies among the book's own, nor does a rehearsal."""
        return Folders(CUSTOM if self.custom else self.profile)

    @property
    def cell_seconds(self) -> int | None:
        """After how long a cell is given up; never where a reader chose the size and can stop it."""
        return None if self.custom else self.notebook.timeout_seconds(self.profile)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the page (of the failure, if it failed), a sentence, seconds."""

    ok: bool
    page: Path
    message: str
    seconds: float


def make_order(
    notebook: Notebook,
    profile: str,
    plan: Mapping[str, Mapping[str, Any]],
    earlier: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    missing: tuple[str, ...] = (),
) -> Order:
    """Return the order to run a notebook.

    Parameters
    ----------
    notebook, profile
        What to run.
    plan : dict
        Slot -> data set, role, hash.
    earlier : dict
        Keys of the notebooks it needs.
    overrides : dict, optional
        Values set by hand; those that change nothing do not count.
    missing : tuple of str
        Needed notebooks that failed: it is run without their results.
    """
    usual, values = notebook.values(profile), notebook.values(profile, overrides)
    changed = {name: usual[name] for name in values if values[name] != usual[name]}
    parts = keys.key_parts(notebook, profile, values, plan, earlier, missing)
    return Order(notebook, profile, values, plan, parts, changed, missing)


def orders(profile: str, policy: str) -> dict[str, Order]:
    """Return the order of every notebook, each after those it needs."""
    known = profiles.notebooks()
    plan = catalogue.resolve(profile, policy)["notebooks"]
    made: dict[str, Order] = {}
    for name in profiles.in_order(known):
        earlier = {needed: made[needed].key for needed in known[name].needs}
        made[name] = make_order(known[name], profile, plan.get(name, {}), earlier)
    return made


def run_notebook(name: str, profile: str = "default", overrides: Mapping[str, Any] | None = None) -> Outcome:
    """Run one notebook and publish its page and results table if it is complete.

    Parameters
    ----------
    name : str
        Name as in ``notebooks/profiles.yml``; a unique part is enough.
    profile : str
        smoke, default or paper.
    overrides : dict, optional
        Parameters to change; the page then goes to ``_build/custom`` and says so.

    Returns
    -------
    Outcome
    """
    notebook = profiles.find(name)
    notebook.values(profile, overrides)  # refuse wrong values before fetching anything
    plan = profiles.plan_of(notebook, profile)
    pages = {needed: Folders(profile).page(needed) for needed in notebook.needs}
    earlier = {needed: keys.key_of_output(page) or "none" for needed, page in pages.items()}
    order = make_order(notebook, profile, plan, earlier, overrides)
    keys.write_key(order.folders.key(notebook.name), order.parts)
    return execute(order)


def execute(order: Order) -> Outcome:
    """Run an order; what it makes appears whole, results table first and page last, or not at all.

    Whatever fails, rows that were written by then are kept, and the outcome or the error says where.

    Raises
    ------
    ExprmlError
        If a folder cannot be written to: before anything is run.
    """
    folders, name = order.folders, order.notebook.name
    require_writable(folders.root, (order.results or results_path(name, folders.label)).parent)
    part = folders.part(name)
    with held(folders.part_lock(name), wait=True):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        started = time.perf_counter()
        try:
            _prepare(order, part)
            trouble = _run_papermill(order, part)
            seconds = time.perf_counter() - started
            outcome = _fail(order, part, trouble, seconds) if trouble else _publish(order, part, seconds)
        except OSError as error:
            raise ExprmlError(explain(error) + _results_left(order, part)) from error
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_results_left(order, part)) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return outcome


def _prepare(order: Order, part: Path) -> None:
    """Write what the notebook is told, and set what its kernel inherits."""
    told = Context(
        notebook=order.notebook.name,
        profile=order.profile,
        parameters=dict(order.values),
        changed=dict(order.changed),
        key=order.key,
        plan={slot: dict(entry) for slot, entry in order.plan.items()},
        published=dict(order.notebook.entry.get("published") or {}),
        needs=order.notebook.needs,
        missing=order.missing,
        threads=order.notebook.threads,
        results=str(order.results or part / "results.csv"),
    )
    told.save(part / "run.json")
    os.environ.update(
        {f"{library}_NUM_THREADS": str(order.notebook.threads) for library in _THREAD_VARIABLES},
        EXPRML_RUN=str(part / "run.json"),
        EXPRML_PAGE="1",
        EXPRML_ROOT=str(project_root()),
        PYTHONHASHSEED="0",
        PYDEVD_DISABLE_FILE_VALIDATION="1",
    )


def _run_papermill(order: Order, part: Path) -> str | None:
    """Execute into `part`; return None, or in one sentence what went wrong."""
    processes.spare_slow_imports()
    import papermill

    from exprml_press.runner.engine import SavingAtTheEnd
    from exprml_press.runner.kernel import PrivateKernelManager, private_folder

    usual = {name: one.value for name, one in order.notebook.parameters.items()}
    injected = {name: value for name, value in order.values.items() if value != usual[name]}
    words = ""
    try:
        with private_folder() as folder:
            PrivateKernelManager.folder = folder
            os.environ["IPYTHONDIR"] = str(folder / "ipython")
            try:
                papermill.execute_notebook(
                    order.notebook.path,
                    part / "executed.ipynb",
                    injected,
                    engine_name=SavingAtTheEnd.name,
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                    cwd=order.notebook.path.parent,
                    execution_timeout=order.cell_seconds,
                    kernel_manager_class=PrivateKernelManager,
                )
            finally:
                words = PrivateKernelManager.last_words()
                PrivateKernelManager.kill_all()
    except papermill.PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    except OSError as error:
        return explain(error)
    except Exception as error:
        said = str(error) if isinstance(error, ExprmlError) else f"{type(error).__name__}: {error}"
        return f"{said}\n{words}".strip()
    return None


def _publish(order: Order, part: Path, seconds: float) -> Outcome:
    folders, name = order.folders, order.notebook.name
    if order.results is None:
        _move_results(order, part, seconds)
    document = json.loads((part / "executed.ipynb").read_text(encoding="utf-8"))
    write_text(folders.page(name), _as_notebook(postprocess.to_page(document, _about(order, "complete"))))
    for suffix in (".ipynb", ".csv"):
        folders.failed(name).with_suffix(suffix).unlink(missing_ok=True)
    return Outcome(True, folders.page(name), "complete", seconds)


def _move_results(order: Order, part: Path, seconds: float) -> None:
    """Put the tables where readers look; a run that wrote none leaves none of an earlier run."""
    target = results_path(order.notebook.name, order.folders.label)
    for suffix in (".csv", ".seconds.csv"):
        made, place = (part / "results.csv").with_suffix(suffix), target.with_suffix(suffix)
        if made.is_file():
            with atomic_path(place) as copy:
                shutil.copyfile(made, copy)
        else:
            place.unlink(missing_ok=True)
    if target.is_file():
        write_text(target.with_suffix(".json"), as_json(_stamp(order, seconds)))


def _stamp(order: Order, seconds: float) -> dict[str, Any]:
    """Return how a results table was made."""
    return {
        **_about(order, "complete"),
        "parameters": dict(order.values),
        "data": {slot: dict(entry) for slot, entry in order.plan.items()},
        "threads": order.notebook.threads,
        "versions": machine.versions(),
        "hardware": machine.hardware(),
        "seconds": round(seconds, 1),
        "date": date.today().isoformat(),
    }


def _fail(order: Order, part: Path, trouble: str, seconds: float) -> Outcome:
    """Leave a page that says what failed and where, and the rows so far; a finished table stays as it was."""
    folders, name = order.folders, order.notebook.name
    executed = part / "executed.ipynb"
    try:
        document = json.loads(executed.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = order.notebook.document
    found = postprocess.failed_cell(document)
    trouble = postprocess.path_scrubber()(trouble)
    where = f"in code cell {found}" if found else "before its first cell"
    document = postprocess.to_page(document, _about(order, "failed"))
    write_text(folders.failed(name), _as_notebook(postprocess.mark_failed(document, where, trouble)))
    message = f"{where}: {trouble}{_results_left(order, part)}"
    return Outcome(False, folders.failed(name), message, seconds)


def _results_left(order: Order, part: Path) -> str:
    """Keep the rows of a run that did not end well; return in words where they lie."""
    left, made = order.results, part / "results.csv"
    if left is None and made.is_file():
        left = order.folders.failed(order.notebook.name).with_suffix(".csv")
        left.parent.mkdir(parents=True, exist_ok=True)
        os.replace(made, left)  # not copied: the disk may be full
    if left is None or not left.is_file() or order.key not in left.read_text(encoding="utf-8"):
        return ""  # an earlier run's table, or none
    return f"\nThe results written by then are kept in {left}"


def _about(order: Order, status: str) -> dict[str, Any]:
    return {
        "notebook": order.notebook.name,
        "profile": order.profile,
        "roles": {slot: entry["role"] for slot, entry in order.plan.items()}
        | roles_behind([one for one in order.notebook.needs if one not in order.missing], order.profile),
        "changed": sorted(order.changed),
        "key": order.key,
        "status": status,
    }


def roles_behind(needs: Iterable[str], profile: str) -> dict[str, str]:
    """Return the roles of the data behind the results a notebook reads: its page rests on them too."""
    stamps = {need: results_path(need, profile, ".json") for need in needs}
    return {
        f"{need} {slot}": role
        for need, stamp in stamps.items()
        if stamp.is_file()
        for slot, role in json.loads(stamp.read_text(encoding="utf-8")).get("roles", {}).items()
    }


def _as_notebook(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
