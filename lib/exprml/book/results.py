"""The results table: one long table per notebook, checked, sorted, written whole or not at all.

The same run on the same machine gives the same bytes; seconds, which never repeat, lie in a table beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from exprml.base.errors import DataError, NotAvailableError, ParameterError, UnknownNameError, check_known
from exprml.base.files import atomic_path, data_folder
from exprml.base.roles import MADE
from exprml.book import context
from exprml.book.context import results_path

if TYPE_CHECKING:
    from pathlib import Path

    from exprml.book.context import Session

COLUMNS = (
    "experiment", "dataset", "role", "task", "model", "setting", "control", "split", "fold", "seed",
    "n_train", "metric", "value", "device", "threads", "profile", "run",
)  # fmt: skip
INTEGERS = ("fold", "seed", "n_train", "threads")
ENDED = "still_improving"  # metric: 1 where a network's validation had not stopped improving
_SAME_ROW = [name for name in COLUMNS if name != "value"]


def write(
    table: pd.DataFrame,
    run: Session,
    experiment: str | Mapping[str, str] | None = None,
    *,
    dataset: str | None = None,
) -> None:
    """Add rows to the notebook's results table, replacing what an earlier session wrote of the experiments.

    Parameters
    ----------
    table : DataFrame
        Long table with any of :data:`COLUMNS`, ``metric`` and ``value`` at least; ``seconds`` if measured;
        ``still_improving`` of networks, which becomes a row of that metric for each fit.
    run : Session
        What :func:`exprml.book.report.start` returned; fills device, threads, profile and run.
    experiment : str or mapping, optional
        Id from ``data/experiments.csv`` (the paper's prefix may be left out) for rows that have none; or
        the id of each setting, where the settings of a table answer different experiments.
    dataset : str, optional
        Slot or data set name for rows that have none; needed only with several slots, or with none.

    Raises
    ------
    DataError
        If a column is unknown or missing, a value is infinite or no number, or two rows cannot be told apart.
    UnknownNameError
        If there is no such experiment, or a setting has none.
    """
    rows = _filled(table, run, experiment, dataset)
    _check(rows)
    path = run.results_path
    timed = rows[[*_SAME_ROW, "seconds"]].dropna(subset=["seconds"])
    _merge(rows[list(COLUMNS)], path, run)
    if len(timed):
        _merge(timed, path.with_suffix(".seconds.csv"), run)
    run.written.update(rows["experiment"])


def read(notebook: str, profile: str | None = None) -> pd.DataFrame:
    """Return the results table of a notebook.

    Parameters
    ----------
    notebook : str
        Name as in ``profiles.yml`` ("heil2022/02-gtex-tissues").
    profile : str, optional
        Default: the profile of the run that asks, "default" in a live kernel.

    Raises
    ------
    NotAvailableError
        If the notebook has not run under that profile, or failed in the build that asks.
    ParameterError
        If the asking notebook does not list `notebook` under ``needs``: its page could go stale unseen.
    """
    run = context.current()
    if run and notebook not in (run.notebook, *run.needs):
        raise ParameterError(
            f"{run.notebook!r} reads the results of {notebook!r} without saying so: add it under `needs:` "
            f"of {run.notebook!r} in notebooks/profiles.yml"
        )
    if run and notebook in run.missing:
        raise NotAvailableError(f"no results of {notebook!r}: it failed, and its page says why")
    profile = profile or (run.profile if run else "default")
    own = run is not None and run.notebook == notebook and profile == run.profile
    path = run.table if own else results_path(notebook, profile)
    if not path.is_file():
        raise NotAvailableError(
            f"no results of {notebook!r} under profile {profile!r}: "
            f"run `exprml run {notebook} --profile {profile}`"
        )
    return parse_table(path)


def read_reference(notebook: str) -> pd.DataFrame:
    """Return the committed reference run of a notebook.

    No rows where a notebook reads its own before the first one is kept: it could never
    be made otherwise.

    Raises
    ------
    NotAvailableError
        If no reference run of another notebook is kept in the project.
    """
    path = data_folder("reference", notebook + ".csv")
    run = context.current()
    if not path.is_file() and run is not None and run.notebook == notebook:
        return _typed(pd.DataFrame(columns=list(COLUMNS)))
    if not path.is_file():
        raise NotAvailableError(f"no reference run of {notebook!r}: {path.name} is not in data/reference")
    return parse_table(path)


def published(paper: str) -> pd.DataFrame:
    """Return every number a paper published, in the columns of a results table.

    Further columns: ``item`` (figure or table), ``source`` (how it was read), ``spread``, ``spread_kind``,
    ``note``.

    Raises
    ------
    UnknownNameError
        If the paper is not among those quoted in ``data/published/results.csv``.
    """
    quoted = pd.read_csv(data_folder("published", "results.csv"), dtype={"note": str})
    rows = quoted[quoted["paper_key"] == paper].reset_index(drop=True)
    if rows.empty:
        raise UnknownNameError("paper", paper, quoted["paper_key"].unique(), "data/published/results.csv")
    rows["value"] = pd.to_numeric(rows["value"], errors="coerce")  # a few are texts such as "0.4/0.4/0.2"
    return _typed(rows.reindex(columns=[*COLUMNS, "item", "source", "spread", "spread_kind", "note"]))


def experiment_ids() -> list[str]:
    """Return the ids of ``data/experiments.csv``; empty if the project keeps no such list."""
    path = data_folder("experiments.csv")
    return list(pd.read_csv(path)["id"]) if path.is_file() else []


def full_experiment_id(name: str, notebook: str) -> str:
    """Return the full id of an experiment, adding the notebook's paper where it was left out."""
    if notebook.startswith(f"{context.OWN_FOLDER}/"):
        return name  # a reader's own experiments stand in no list
    known = experiment_ids()
    longer = f"{notebook.split('/')[0]}-{name}"
    if not known or name in known:
        return name
    if longer in known:
        return longer
    raise UnknownNameError("experiment", name, known, "data/experiments.csv")


def _filled(table: pd.DataFrame, run: Session, experiment: Any, dataset: str | None) -> pd.DataFrame:
    known = [*COLUMNS, "seconds", ENDED]
    unknown = [name for name in table.columns if name not in known]
    if unknown:
        raise DataError(f"a results table has no column {unknown[0]!r}; columns: {', '.join(known)}")
    rows = table.reset_index(drop=True).copy()
    if isinstance(experiment, Mapping):
        check_known(
            "setting", rows["setting"].unique(), experiment, "the experiments handed to results.write"
        )
        experiment = rows["setting"].map(experiment)
    if experiment is not None:
        rows["experiment"] = rows["experiment"].fillna(experiment) if "experiment" in rows else experiment
    if rows.reindex(columns=["dataset", "role"]).isna().any(axis=None):
        rows = _with_dataset(rows, run, dataset)
    fixed = {"device": run.device, "threads": run.threads}
    rows = rows.assign(**{name: value for name, value in fixed.items() if name not in rows})
    rows = rows.assign(profile=run.label, run=run.key)
    for name in ("experiment", "metric", "value"):
        if name not in rows or rows[name].isna().all():
            raise DataError(f"a results table needs the column {name!r}")
    rows["experiment"] = rows["experiment"].map(lambda name: full_experiment_id(name, run.notebook))
    rows = _typed(rows.reindex(columns=known))
    ended = rows.dropna(subset=[ENDED]).assign(metric=ENDED, seconds=np.nan, value=lambda one: one[ENDED])
    return pd.concat([rows, ended.drop_duplicates(_SAME_ROW)], ignore_index=True)


def _with_dataset(rows: pd.DataFrame, run: Session, dataset: str | None) -> pd.DataFrame:
    if dataset is None and len(run.plan) != 1:
        known = ", ".join(run.plan) or "the data sets in data/catalogue.yml"
        remedy = f"results.write(..., dataset=...), one of {known}"
        raise DataError(f"say which data these rows come from: {remedy}")
    slot = next(iter(run.plan.values())) if dataset is None else run.plan.get(dataset)
    by_name = {entry["dataset"]: entry for entry in run.plan.values()}
    entry = slot or by_name.get(dataset) or {"dataset": dataset, "role": MADE}
    given = rows.reindex(columns=["dataset", "role"]).astype(object)
    return rows.assign(**{name: column.fillna(entry[name]) for name, column in given.items()})


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    for name in COLUMNS:
        if name in INTEGERS or name == "value":
            try:
                numbers = pd.to_numeric(rows[name].mask(rows[name].astype(str) == ""))
                rows[name] = numbers.astype(float) if name == "value" else numbers.astype("Int64")
            except (TypeError, ValueError) as error:
                kind = "numbers" if name == "value" else "whole numbers"
                raise DataError(f"column {name!r} of a results table holds {kind} only: {error}") from error
        else:
            rows[name] = rows[name].astype(object).where(rows[name].notna(), "").astype(str)
    return rows


def _check(rows: pd.DataFrame) -> None:
    infinite = rows.loc[np.isinf(rows["value"]), ["metric", "model", "experiment"]].to_numpy()
    if len(infinite):
        metric, model, experiment = infinite[0]
        raise DataError(f"infinite {metric!r} of model {model!r} in {experiment!r}")
    twice = rows[rows.duplicated(_SAME_ROW, keep=False)]
    if len(twice):
        named = {name: value for name, value in twice.iloc[0][_SAME_ROW[:11]].dropna().items() if value != ""}
        remedy = "add task, setting or seed"
        raise DataError(f"{len(twice)} results rows cannot be told apart, e.g. {named}; {remedy}")


def _merge(rows: pd.DataFrame, path: Path, run: Session) -> None:
    """Write `rows` to `path` beside those of the same run.

    Rows of an experiment that an earlier session wrote go when the first new ones come; rows of this session
    stay unless a new one says the same of the same thing.
    """
    if path.is_file():
        earlier = parse_table(path)
        old = earlier["experiment"].isin(set(rows["experiment"]) - run.written)
        kept = earlier[(earlier["run"] == run.key) & ~old]
        rows = pd.concat([kept, rows]) if len(kept) else rows
        rows = rows.drop_duplicates(_SAME_ROW, keep="last")
    rows = rows.sort_values([name for name in COLUMNS if name in rows], kind="stable", na_position="first")
    with atomic_path(path) as part:
        rows.to_csv(part, index=False, float_format="%.6g", lineterminator="\n")


def parse_table(path: Path) -> pd.DataFrame:
    """Return the results table in a file, every column typed."""
    numbers = dict.fromkeys(INTEGERS, "Int64") | {"value": float, "seconds": float}
    texts = {name: str for name in COLUMNS if name not in numbers}
    empty = {name: [""] for name in numbers}
    table = pd.read_csv(path, dtype=numbers | texts, keep_default_na=False, na_values=empty)
    missing = [name for name in COLUMNS if name not in table and name != "value"]
    if missing:
        raise DataError(f"{path.name} is no results table: column {missing[0]!r} is missing")
    return table
