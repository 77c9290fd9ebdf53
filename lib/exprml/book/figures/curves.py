"""Accuracy against a number: training samples, features, distance; every fold a dot, the mean a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from exprml.base.errors import DataError
from exprml.book.figures.look import (
    INK,
    control_label,
    control_style,
    finish,
    honest_note,
    in_order,
    look,
    model_label,
    model_style,
    panel_grid,
    with_kinds,
)

_UNITS = ["split", "fold", "seed"]
_SETTING_ORDER = {"intact": 0, "none": 0, "before": 0, "split": 1, "removed": 1, "after": 1, "joint": 2}


def rows_of(table: pd.DataFrame, metric: str | None) -> pd.DataFrame:
    """Return the rows of one metric; all rows where the table has no such column.

    Raises
    ------
    DataError
        If nothing is left to draw.
    """
    rows = table[table["metric"] == metric] if metric and "metric" in table else table
    rows = rows[rows["value"].notna()].astype({name: float for name in ("n_train", "value") if name in table})
    if rows.empty:
        there = sorted(set(table["metric"])) if "metric" in table else []
        raise DataError(f"no values of metric {metric!r} to draw; the table has {there or 'no rows'}")
    return with_kinds(rows)


def panels_of(
    rows: pd.DataFrame, column: str | None, order: Sequence[str] | None
) -> list[tuple[str, pd.DataFrame]]:
    """Return ``(name, rows)`` for each panel: in the order given, else intact before removed."""
    if column is None or column not in rows:
        return [("", rows)]
    names = list(order or sorted(rows[column].unique(), key=lambda name: _SETTING_ORDER.get(str(name), 9)))
    missing = [name for name in names if not (rows[column] == name).any()]
    if missing:
        raise DataError(
            f"nothing to draw for {column} {missing[0]!r}: the table has {sorted(rows[column].unique())}"
        )
    return [(str(name), rows[rows[column] == name]) for name in names]


def spread_words(rows: pd.DataFrame, labels: Mapping[str, str] | None = None) -> str:
    """Return what one dot is and how many there are, e.g. ``dots: 5 folds × 3 seeds``."""
    labels = labels or {}
    counts = [(labels.get(unit, unit), rows[unit].nunique()) for unit in ("fold", "seed") if unit in rows]
    words = " × ".join(f"{count} {unit}{'s' if count > 1 else ''}" for unit, count in counts if count > 1)
    return f"dots: {words}; lines: their mean" if words else "one run, no spread"


def _steps(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    """Return the rows with a column ``step``: which point of its own curve each is, counted from the largest.

    Folds differ a little in size, so the k-th size of every fold belongs to one step of the mean curve;
    counting from the largest keeps them aligned when a fold skipped its smallest size (one class only).
    """
    units = [unit for unit in [*_UNITS, "task"] if unit in rows]
    rows = rows.copy()
    rank = rows.groupby(units, dropna=False)[x] if units else rows[x]
    rows["step"] = rank.rank(method="dense", ascending=False)
    return rows


def _line(panel: Axes, rows: pd.DataFrame, x: str, label: str, style: dict[str, Any], dots: bool) -> None:
    """Draw one model: its dots and the mean of each step."""
    mean = _steps(rows, x).groupby("step")[[x, "value"]].mean().sort_values(x)
    panel.plot(mean[x], mean["value"], label=label, zorder=3, **style)
    if dots and len(rows) > len(mean):
        panel.plot(
            rows[x],
            rows["value"],
            ls="",
            marker="o",
            ms=3.5,
            mew=0,
            color=style["color"],
            alpha=0.45,
            zorder=2,
        )


def draw_chance(panel: Axes, chance: float | None) -> None:
    """Draw and name the level of a guess."""
    if chance is None:
        return
    panel.axhline(chance, color=INK, lw=1.0, ls=(0, (1, 2)), zorder=1, label=f"chance ({chance:.2g})")


def chance_in(chance: float | Mapping[str, float] | None, panel: str) -> float | None:
    """Return the chance level of a panel: one number for all, or one per panel name."""
    return chance.get(panel) if isinstance(chance, Mapping) else chance


def _scale(panel: Axes, rows: pd.DataFrame, x: str, log_x: bool, marks: Mapping[str, float]) -> None:
    """Set scale and ticks of the horizontal axis and draw the places named on it."""
    for words, place in marks.items():
        panel.axvline(place, color=INK, lw=0.9, ls=(0, (7, 3)), alpha=0.7, zorder=1, label=words)
    if not log_x:
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=bool((rows[x] % 1 == 0).all())))
        return
    panel.set_xscale("log")
    ticks = sorted(rows[x].unique())
    if len(ticks) <= 7:
        panel.set_xticks(ticks)
        panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def accuracy_against(
    table: pd.DataFrame,
    x: str,
    *,
    metric: str | None = "balanced_accuracy",
    facet: str | None = "setting",
    facets: Sequence[str] | None = None,
    chance: float | Mapping[str, float] | None = None,
    log_x: bool = True,
    labels: Mapping[str, str] | None = None,
    marks: Mapping[str, float] | None = None,
    dots: bool = True,
    across: int = 3,
) -> Figure:
    """Draw a score against a numeric column, a line per model, a panel per setting.

    Parameters
    ----------
    table : DataFrame
        Long results (``results.COLUMNS``) with a numeric column `x`.
    x : str
        Column on the horizontal axis ("n_train", "n_features", "distance").
    metric : str or None
        Which rows; None if the table has one metric only.
    facet : str or None
        Column that makes panels; `facets` gives their order and choice.
    chance : float or mapping of panel name to float, optional
        Level of a guess, drawn and named.
    log_x : bool
        Logarithmic axis.
    labels : mapping, optional
        Words for column names and panel names: ``{"n_features": "features", "intact": "As measured"}``;
        "fold" is what a fold stands for, in the singular ("cohort").
    marks : mapping, optional
        Vertical lines to name on the axis: ``{"the paper's size": 5000}``.
    dots : bool
        Draw every fold.
    across : int
        Panels in a row at most.

    Raises
    ------
    DataError
        If there is nothing to draw for the metric or for a panel asked for.
    """
    rows, labels = rows_of(table, metric), labels or {}
    panels = panels_of(rows, facet, facets)
    with look():
        height = 3.3 if len(panels) <= across else 2.6
        figure, axes = panel_grid(len(panels), across=across, height=height, sharex=True, sharey=True)
        for panel, (name, part) in zip(axes.flat, panels, strict=False):
            _panel(panel, part, x, dots=dots)
            draw_chance(panel, chance_in(chance, name))
            _scale(panel, part, x, log_x, marks or {})
            panel.set_title(labels.get(name, name[:1].upper() + name[1:]))
            panel.set_xlabel(labels.get(x, x.replace("n_", "number of ").replace("_", " ")))
        note = honest_note(rows, spread_words(rows, labels) if dots else "")
        finish(figure, axes, what=labels.get("value", (metric or "score").replace("_", " ")), note=note)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, x: str, *, dots: bool) -> None:
    """Draw the models of one panel, then its controls."""
    for model in in_order(rows.loc[rows["control"] == "", "line"]):
        own = rows[(rows["line"] == model) & (rows["control"] == "")]
        _line(panel, own, x, model_label(model), model_style(model), dots)
    for control, part in rows[rows["control"] != ""].groupby("line", sort=False):
        _line(panel, part, x, control_label(control), control_style(control), dots=False)


def learning_curves(
    table: pd.DataFrame, *, log_x: bool = False, labels: Mapping[str, str] | None = None, **options: Any
) -> Figure:
    """Draw score against training samples, a panel per setting (intact beside removed), every fold a dot.

    Parameters are those of `accuracy_against`; the horizontal axis is ``n_train``. No smoothing: below thirty
    points a LOESS band says more about the smoother than about the models (heil2022, heil2022, pitfall 7).
    """
    words = {"n_train": "training samples", **(labels or {})}
    return accuracy_against(table, "n_train", log_x=log_x, labels=words, **options)
