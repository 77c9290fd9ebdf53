"""Numbers side by side: before and after, differences with intervals, published and reproduced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures.curves import chance_in, draw_chance, panels_of, rows_of, spread_words
from exprml.book.figures.look import (
    INK,
    MUTED,
    control_label,
    control_style,
    finish,
    honest_note,
    in_order,
    look,
    model_label,
    model_style,
    new_figure,
    panel_grid,
    put_legend,
    put_note,
)
from exprml.evaluation.scoring import at_full_size

_UNITS = ["task", "split", "fold", "seed"]


def before_after(
    table: pd.DataFrame,
    *,
    before: str = "intact",
    after: str = "removed",
    column: str = "setting",
    metric: str | None = "balanced_accuracy",
    facet: str | None = None,
    facets: Sequence[str] | None = None,
    chance: float | Mapping[str, float] | None = None,
    labels: Mapping[str, str] | None = None,
    across: int = 3,
) -> Figure:
    """Draw each model's score before and after at the largest training size: folds thin, means large.

    Parameters
    ----------
    table : DataFrame
        Long results (``results.COLUMNS``).
    before, after : str
        The two values of `column` compared.
    metric, facet, facets, chance, labels, across
        As in `accuracy_against`; e.g. ``facet="task"``.

    Raises
    ------
    DataError
        If the table lacks `before` or `after`.
    """
    rows, labels = at_full_size(rows_of(table, metric)), labels or {}
    missing = [one for one in (before, after) if not (rows[column] == one).any()]
    if missing:
        raise DataError(
            f"no rows with {column} {missing[0]!r}: the table has {sorted(set(map(str, rows[column])))}"
        )
    panels = panels_of(rows, facet, facets)
    with look():
        figure, axes = panel_grid(len(panels), across=across, height=3.1, sharey=True)
        for panel, (name, part) in zip(axes.flat, panels, strict=False):
            _pairs(panel, part, column, (before, after), named=len(panels) == 1)
            draw_chance(panel, chance_in(chance, name))
            panel.set_title(labels.get(name, name))
        words = f"left: {labels.get(before, before)}; right: {labels.get(after, after)}"
        words += f"; thin: single {labels.get('fold', 'fold')}s"
        what = labels.get("value", (metric or "score").replace("_", " "))
        finish(figure, axes, what=what, note=honest_note(rows, words))
    return figure


def _pairs(panel: Axes, rows: pd.DataFrame, column: str, ends_of: tuple[str, str], *, named: bool) -> None:
    """Draw the pairs of one panel: a slot per model, controls last; `named` on the axis or in the legend."""
    own = in_order(rows.loc[rows["control"] == "", "line"])
    controls = list(rows.loc[rows["control"] != "", "line"].unique())
    names = [*own, *controls]
    words = [model_label(name) if name in own else control_label(name) for name in names]
    for place, name in enumerate(names):
        part = rows[rows["line"] == name]
        units = [unit for unit in _UNITS if unit in rows] or ["line"]
        hollow = {"marker": "osDv"[place % 4], "markerfacecolor": "white"}
        style = model_style(name) if name in own else control_style(name) | hollow
        wide = part.pivot_table(index=units, columns=column, values="value")
        ends = wide.reindex(columns=list(ends_of)).to_numpy(dtype=float).T
        spots = [place - 0.2, place + 0.2]
        panel.plot(spots, ends, color=style["color"], lw=0.7, alpha=0.35, zorder=2)
        big = style | {"markersize": 7, "linewidth": 2.2, "label": None if named else words[place]}
        panel.plot(
            spots, [np.nanmean(end) if np.isfinite(end).any() else np.nan for end in ends], **big, zorder=3
        )
    broken = [word.replace(" ", "\n", 1).replace("-layer ", "-layer\n") for word in words]
    panel.set_xticks(range(len(words)) if named else [], broken if named else [])
    panel.set_xlim(-0.6, len(words) - 0.4)
    panel.grid(axis="x", visible=False)


def paired_differences(
    table: pd.DataFrame,
    *,
    label: str = "comparison",
    facet: str | None = None,
    what: str = "difference in balanced accuracy",
    interval: str = "95 % interval",
    points: pd.DataFrame | None = None,
) -> Figure:
    """Draw a forest plot: each difference as a dot with its interval, beside the line of no difference.

    Parameters
    ----------
    table : DataFrame
        One row a comparison: columns `label`, ``mean``, ``low``, ``high``; optional ``p``, written out.
    label : str
        Column with the words ("five-layer − logistic regression").
    facet : str, optional
        Column that makes panels.
    what : str
        Words for the axis.
    interval : str
        What low and high are; written under the figure.
    points : DataFrame, optional
        Single differences (columns `label`, ``value``), e.g. one a fold, drawn small.

    Raises
    ------
    DataError
        If a needed column is missing.
    """
    missing = [name for name in (label, "mean", "low", "high") if name not in table]
    if missing:
        raise DataError(
            f"paired_differences needs a column {missing[0]!r}; the table has {list(table.columns)}"
        )
    panels = panels_of(table, facet, None)
    with look():
        height = 1.0 + 0.34 * max(len(part) for _, part in panels)
        figure, axes = new_figure(len(panels), height=height, sharex=True)
        for panel, (name, part) in zip(axes.flat, panels, strict=True):
            _forest(panel, part.iloc[::-1].reset_index(drop=True), label, points)
            panel.set(title=name, xlabel=what)
        put_note(figure, honest_note(table, f"dot: mean; bar: {interval}"))
    return figure


def _forest(panel: Axes, part: pd.DataFrame, label: str, points: pd.DataFrame | None) -> None:
    """Draw one panel of intervals; those that exclude zero are filled."""
    panel.axvline(0, color=INK, lw=1.0)
    for place, row in part.iterrows():
        clear = row["low"] > 0 or row["high"] < 0
        panel.plot([row["low"], row["high"]], [place, place], color="#0072B2", lw=2, solid_capstyle="round")
        panel.plot(
            row["mean"], place, "o", ms=7, color="#0072B2", mfc="#0072B2" if clear else "white", zorder=3
        )
        if points is not None:
            single = points.loc[points[label] == row[label], "value"]
            panel.plot(single, np.full(len(single), place - 0.25), "|", color=MUTED, ms=5)
        if "p" in part and pd.notna(row["p"]):
            text = f"p = {row['p']:.2g}"
            place_right = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
            panel.annotate(text, (1.01, place), va="center", fontsize=7.5, color=MUTED, **place_right)
    panel.set_yticks(range(len(part)), part[label])
    panel.set_ylim(-0.7, len(part) - 0.4)
    panel.grid(axis="y", visible=False)


_SOURCES = {
    "published": {"marker": "D", "color": INK, "markerfacecolor": "white"},
    "reference run": {"marker": "s", "color": "#009E73"},
    "this run": {"marker": "o", "color": "#D55E00"},
}


def published_and_reproduced(
    table: pd.DataFrame,
    *,
    label: str | Sequence[str] = ("model", "setting"),
    source: str = "source",
    facet: str | None = "task",
    facets: Sequence[str] | None = None,
    what: str = "balanced accuracy",
    bars: str = "as published, or the range of this run",
    chance: float | Mapping[str, float] | None = None,
) -> Figure:
    """Draw published, reference-run and this run's numbers on one line each.

    Parameters
    ----------
    table : DataFrame
        Columns `label`, `source` ("published", "reference run", "this run"), ``value``; optional ``low``,
        ``high``.
    label : str or sequence of str
        Columns whose words make a line.
    facet, facets : str, sequence
        Column that makes panels, and their order.
    what : str
        Words for the axis.
    bars : str
        What low and high are; written under the figure.
    chance : float or mapping, optional
        Drawn as a vertical line.
    """
    columns = [label] if isinstance(label, str) else [one for one in label if one in table]
    rows = table.assign(
        words=table[columns].astype(str).agg(lambda row: ", ".join(filter(None, row)), axis=1)
    )
    panels = panels_of(rows, facet, facets)
    with look():
        lines = max(part["words"].nunique() for _, part in panels)
        figure, axes = new_figure(1, len(panels), height=0.9 + 0.27 * lines, sharex=True)
        for panel, (name, part) in zip(axes.flat, panels, strict=True):
            _sources(panel, part, source)
            level = chance_in(chance, name)
            if level is not None:
                panel.axvline(level, color=INK, lw=1.0, ls=(0, (1, 2)), label="chance")
            panel.set_title(name)
        axes[-1, 0].set_xlabel(what)
        put_legend(figure, axes.flat)
        put_note(figure, honest_note(rows, f"bars: {bars}" if "low" in rows else ""))
    return figure


def _sources(panel: Axes, part: pd.DataFrame, source: str) -> None:
    """Draw one panel: a line per label, a marker per source, shifted a little so that none hides another."""
    words = list(dict.fromkeys(part["words"]))[::-1]
    places = {word: place for place, word in enumerate(words)}
    for shift, (name, style) in zip((0.16, 0.0, -0.16), _SOURCES.items(), strict=True):
        own = part[part[source] == name]
        heights = own["words"].map(places) + shift
        panel.plot(own["value"], heights, ls="", ms=6, label=name, zorder=3, **style)
        if {"low", "high"} <= set(own.columns):
            panel.hlines(heights, own["low"], own["high"], color=style["color"], lw=1.2, zorder=2)
    panel.set_yticks(range(len(words)), words)
    panel.set_ylim(-0.6, len(words) - 0.4)


__all__ = [
    "before_after",
    "paired_differences",
    "published_and_reproduced",
    "spread_words",
]
