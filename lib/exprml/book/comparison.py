"""Published, reference and own numbers side by side: the table and figure that close a chapter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from IPython.display import display

from exprml.base.errors import DataError, UnknownNameError
from exprml.base.files import data_folder, from_yaml
from exprml.book import claims, figures, results, tables
from exprml.book.figures.look import model_label
from exprml.evaluation.scoring import at_full_size

if TYPE_CHECKING:
    from exprml.book.report import Run

PUBLISHED, REFERENCE, THIS_RUN = "published", "reference run", "this run"
START, END = "start of curve", "end of curve"
_KEYS = ["task", "setting", "model"]
_VALUES = ["source", "value", "low", "high"]
Rows = Callable[[pd.DataFrame], pd.DataFrame]


def end_of_curves(paper: str, dataset: str = "", *, point: str = END) -> pd.DataFrame:
    """Return a paper's scores at the largest (or smallest) training size, named as in our results tables.

    Parameters
    ----------
    paper : str
        Key of the paper, e.g. ``"heil2022"``.
    dataset : str
        How the paper's name of the data set begins ("GTEx"); all of them by default.
    point : {"end of curve", "start of curve"}
        Which point of each curve; only the end has a published spread.

    Returns
    -------
    DataFrame
        Columns task, setting, model, value, low, high (value ± the published spread), item.

    Raises
    ------
    UnknownNameError
        If no curves of that paper, or of that data set, are kept or named.
    """
    rows = results.published(paper)
    names = _names(paper)
    ends = rows[rows["setting"].str.contains(point)].copy()
    known = set(ends["dataset"])
    ends = ends[ends["dataset"].str.startswith(dataset)]
    if ends.empty:
        raise UnknownNameError(f"data set of {paper}", dataset, known, "data/published/results.csv")
    ends["task"] = [_task(row["dataset"], row["task"], names) for _, row in ends.iterrows()]
    setting = ends["setting"].map(lambda text: re.sub(r"; train_samples=.*", "", text))
    ends["setting"] = setting.replace(names["setting"])
    ends["model"] = ends["model"].replace(names["model"])
    spread = pd.to_numeric(ends["spread"]).fillna(0)
    ends = ends.assign(low=ends["value"] - spread, high=ends["value"] + spread)
    return ends[[*_KEYS, "value", "low", "high", "item"]].reset_index(drop=True)


def _names(paper: str) -> Mapping[str, Any]:
    """Return our words for a paper's words."""
    named = from_yaml(data_folder("published", "names.yml").read_text(encoding="utf-8"))
    if paper not in named:
        raise UnknownNameError("paper with named curves", paper, named, "data/published/names.yml")
    return named[paper]


def published_table(paper: str, item: str, metric: str | None = None) -> pd.DataFrame:
    """Return the numbers of one of a paper's tables (or figures, sections), named as in our results tables.

    Parameters
    ----------
    paper, item : str
        Key of the paper; how the item begins in ``data/published/results.csv`` ("Table 1").
    metric : str, optional
        Keep these rows alone ("mean_absolute_error"); all by default.

    Returns
    -------
    DataFrame
        Columns task, setting, model, metric, value, low, high (value ± the published spread), item, dataset
        (the paper's). ``names.yml`` lists the ``rows`` that have our names: a pattern for the paper's
        "model | setting", and model, setting and perhaps task in our words; other rows are left out. Shares
        printed in percent become shares of 1.

    Raises
    ------
    UnknownNameError
        If nothing of that item is kept and named.
    """
    names, rows = _names(paper), results.published(paper)
    found = [_named(row, names) for row in rows[rows["item"].str.startswith(item)].to_dict("records")]
    table = pd.DataFrame([row for row in found if row and metric in (None, row["metric"])])
    if table.empty:
        raise UnknownNameError(f"named table of {paper}", item, set(rows["item"]), "data/published/names.yml")
    return table


def _named(row: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a published row in our words, None if there are none for it."""
    metric, words = names["metric"].get(row["metric"]), f"{row['model']} | {row['setting']}"
    ours = next((one for one in names["rows"] if re.fullmatch(one["is"], words)), None)
    if metric is None or ours is None:
        return None
    scale = 0.01 if "%" in row["metric"] else 1.0
    value, spread = scale * row["value"], scale * np.nan_to_num(float(row["spread"] or 0))
    task = ours.get("task", names["task"].get(row["task"], row["task"]))
    setting, model = map(re.fullmatch(ours["is"], words).expand, (ours["setting"], ours["model"]))
    line = {"task": task, "setting": setting, "model": model, "metric": metric}
    numbers = {"value": value, "low": value - spread, "high": value + spread}
    return line | numbers | {"item": row["item"], "dataset": row["dataset"]}


def _task(dataset: str, task: str, names: Mapping[str, Any]) -> str:
    if dataset in names["dataset_as_task"]:
        return names["dataset_as_task"][dataset]
    return names["task"].get(task, task.removeprefix(names["task_prefix"]))


def mean_scores(table: pd.DataFrame, metric: str = "balanced_accuracy") -> pd.DataFrame:
    """Return mean, lowest and highest score over folds and seeds at the largest training size.

    Parameters
    ----------
    table : DataFrame
        Results table; control rows are left out.

    Returns
    -------
    DataFrame
        Columns task, setting, model, value, low, high.
    """
    rows = table[(table["metric"] == metric) & (table["control"] == "")].dropna(subset=["value"])
    curve = [*_KEYS, "split", "fold", "seed"]
    rows = rows.drop_duplicates([*curve, "n_train"])  # a fit that several experiments share counts once
    return at_full_size(rows).groupby(_KEYS)["value"].agg(value="mean", low="min", high="max").reset_index()


def beside_published(
    run: Run, dataset: str = "", *, point: str = END, rows: Rows = pd.DataFrame.copy
) -> pd.DataFrame:
    """Return published, reference-run and this run's scores in one long table with a column ``source``.

    Only what the paper published is kept; a source that has no such row is left out of that line.

    Parameters
    ----------
    run : Run
        Says which paper and chapter, and has this run's results table.
    dataset, point : str
        As in `end_of_curves`. For the start of curves, `rows` must keep the smallest training sizes alone.
    rows : function, optional
        Takes a results table, returns the rows to compare: some of them, or under the paper's names.

    Raises
    ------
    DataError
        If the paper's data sets share a line (all tissues of GTEx and of Recount3): name one.
    """
    published = end_of_curves(run.notebook.partition("/")[0], dataset, point=point)
    return _beside(run, published, lambda table: mean_scores(rows(table)))


def beside_protocols(
    run: Run, protocols: Mapping[str, Mapping[str, str]], dataset: str = "", *, rows: Rows = pd.DataFrame.copy
) -> pd.DataFrame:
    """Return `beside_published` once for each protocol of ours, with a column ``protocol``.

    Parameters
    ----------
    run, dataset, rows
        As in `beside_published`.
    protocols : mapping of str to mapping
        Words for a protocol → its models, each with the paper's model on whose line it stands.
    """

    def beside(models: Mapping[str, str]) -> pd.DataFrame:
        def renamed(table: pd.DataFrame) -> pd.DataFrame:
            table = rows(table)[lambda one: one["model"].isin(list(models))]
            return table.assign(model=table["model"].map(models))

        return beside_published(run, dataset, rows=renamed)

    found = [beside(models).assign(protocol=words) for words, models in protocols.items()]
    return pd.concat(found, ignore_index=True)


def beside_table(run: Run, item: str) -> pd.DataFrame:
    """Return a published table of errors beside the reference run and this run, with a column ``source``.

    What is drawn as ± around a mean error is, as the paper prints it, the standard deviation over genes;
    where the runs have none, the range over folds and seeds.

    Parameters
    ----------
    run : Run
        As in `beside_published`.
    item : str
        As in `published_table`.

    Raises
    ------
    DataError
        If the item says two things of one line.
    """

    def scores(table: pd.DataFrame) -> pd.DataFrame:
        found, around = mean_scores(table, "mean_absolute_error"), mean_scores(table, "sd_over_genes")
        width = found[_KEYS].merge(around, on=_KEYS, how="left")["value"]
        low, high = found["value"] - width, found["value"] + width
        return found.assign(low=low.fillna(found["low"]), high=high.fillna(found["high"]))

    return _beside(run, published_table(run.notebook.partition("/")[0], item, "mean_absolute_error"), scores)


def beside_numbers(
    run: Run, published: pd.Series, measured: Callable[[pd.DataFrame], pd.Series]
) -> pd.DataFrame:
    """Return numbers of any kind beside the reference run's and this run's, with a column ``source``.

    Parameters
    ----------
    run : Run
        As in `beside_published`.
    published : Series
        A number for each line; the levels of its index, named, become columns.
    measured : function
        Takes a results table, returns a Series with such an index; other lines are left out.
    """
    ours = {name: measured(table).reindex(published.index) for name, table in _runs(run).items()}
    return pd.concat({PUBLISHED: published, **ours}, names=["source"]).rename("value").reset_index()


def _runs(run: Run) -> dict[str, pd.DataFrame]:
    return {REFERENCE: results.read_reference(run.notebook), THIS_RUN: run.table()}


def _beside(run: Run, published: pd.DataFrame, scores: Rows) -> pd.DataFrame:
    """Return the three sources below each other: what the paper published and we have run."""
    twice = published[published.duplicated(_KEYS)]
    if len(twice):
        line = ", ".join(twice.iloc[0][_KEYS])
        raise DataError(f"the paper published {line!r} for several data sets: give `dataset`")
    sources = {PUBLISHED: published} | {name: scores(table) for name, table in _runs(run).items()}
    table = pd.concat([part.assign(source=name) for name, part in sources.items()], ignore_index=True)
    ours = table[table["source"] != PUBLISHED][_KEYS].drop_duplicates()
    wanted = published[_KEYS].merge(ours)
    return table[[*_KEYS, *_VALUES]].merge(wanted.drop_duplicates(), on=_KEYS)


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Return the long table of `beside_published` and its kin as one line for each thing compared."""
    lines = [name for name in table if name not in _VALUES]
    wide = table.pivot_table(index=lines, columns="source", values="value", sort=False)
    return wide.reindex(columns=[PUBLISHED, REFERENCE, THIS_RUN]).rename_axis(columns=None).reset_index()


def close(
    run: Run, beside: pd.DataFrame | None = None, *, digits: int = 3, name: str = "", caption: str = "",
    what: str = "balanced accuracy", role: str | None = None, **drawing: Any,
) -> None:  # fmt: skip
    """Show what closes a chapter: published beside our numbers as figure and table, then the verdicts.

    Parameters
    ----------
    run : Run
        What :func:`exprml.book.report.start` returned; everything else is looked up by its notebook.
    beside : DataFrame, optional
        From `beside_published` or its kin; none where the paper has no number to set ours beside.
    digits : int
        Decimals of the table.
    name, caption, role : str
        As in `figures.show`; without a name, no figure.
    what, **drawing
        What the numbers are, and whatever else `figures.published_and_reproduced` takes.
    """
    if beside is not None:
        beside = beside.assign(model=beside["model"].map(model_label)) if "model" in beside else beside
        if name:
            drawing = {"label": ("setting", "model"), "what": what} | drawing
            drawn = figures.published_and_reproduced(beside, **drawing)
            figures.show(drawn, name=name, caption=caption, role=role)
        display(tables.show(side_by_side(beside), digits=digits))
    runs = _runs(run)
    judged = claims.verdicts(runs[THIS_RUN], run.notebook, runs[REFERENCE])
    judged = judged.rename(columns={"claim": "id", "text": "claim", "verdict": THIS_RUN})
    display(tables.show(judged[["id", "claim", "where", "ledger", "kind", REFERENCE, THIS_RUN]]))
    display(tables.say("What the checks found, in the reference run and in this run:"))
    display(tables.show(judged[["id", "reference found", "found"]]))
