"""Numbers side by side: before and after, differences with intervals, published and reproduced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.curves import draw_lines
from exprml.book.figures.rows import UNITS, panels_of, require_columns, rows_of
from exprml.evaluation.scoring import at_full_size


@look.theme()
def before_after(
    table: pd.DataFrame,
    *,
    before: str = "intact",
    after: str = "removed",
    facet: str | None = None,
    facets: Sequence[str] | None = None,
    chance: float | Mapping[str, float] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Draw each model's balanced accuracy in two settings at the largest size: folds thin, means large.

    Parameters
    ----------
    table : DataFrame
        Long results (``results.COLUMNS``).
    before, after : str
        The two settings compared.
    facet, facets, chance, labels
        As in `accuracy_against`; e.g. ``facet="task"``.

    Raises
    ------
    DataError
        If the table lacks `before` or `after`.
    """
    rows, labels = at_full_size(rows_of(table, "balanced_accuracy")), labels or {}
    missing = [one for one in (before, after) if not (rows["setting"] == one).any()]
    if missing:
        there = sorted(set(map(str, rows["setting"])))
        raise DataError(f"no rows with setting {missing[0]!r}: the table has {there}")
    panels = panels_of(rows, facet, facets)
    figure, axes = look.panel_grid(len(panels), across=3, height=3.1, sharey=True)
    for panel, (name, part) in zip(axes.flat, panels, strict=False):
        _pairs(panel, part, {before: -0.2, after: 0.2}, named=len(panels) == 1)
        look.draw_chance(panel, chance, name)
        panel.set(title=labels.get(name, name), xlabel="")
    words = f"left: {labels.get(before, before)}; right: {labels.get(after, after)}"
    note = look.honest_note(rows, f"{words}; thin: single {labels.get('fold', 'fold')}s")
    return look.finish(figure, axes, what=labels.get("value", "balanced accuracy"), note=note)


def _pairs(panel: Axes, rows: pd.DataFrame, shifts: Mapping[str, float], *, named: bool) -> None:
    """Draw the pairs of one panel: a slot per model, controls last; `named` on the axis or in the legend."""
    styles = look.line_styles(rows)
    for place, (name, style) in enumerate(styles.items()):
        if name in set(rows.loc[rows["control"] != "", "line"]):
            style |= {"marker": MARKS[place % 4], "markerfacecolor": "white", "markeredgecolor": look.MUTED}
    places = {name: place for place, name in enumerate(styles)}
    units = ["line", *(unit for unit in UNITS if unit in rows), "setting"]
    folds = rows[rows["setting"].isin(shifts)].groupby(units, dropna=False)["value"].mean().reset_index()
    folds["place"] = folds["line"].map(places) + folds["setting"].map(shifts)
    folds["unit"] = folds.groupby(units[:-1], dropna=False).ngroup()
    thin = {"linewidth": 0.7, "alpha": 0.35, "marker": "", "linestyle": "-", "label": None}
    draw_lines(panel, folds, "place", "value", styles, units="unit", estimator=None, zorder=2, **thin)
    large = {"markersize": 7, "linewidth": 2.2, "zorder": 3} | ({"label": None} if named else {})
    draw_lines(panel, folds, "place", "value", styles, **large)
    words = [str(style["label"]).replace(" ", "\n", 1).replace("-layer ", "-layer\n")
             for style in styles.values()]  # fmt: skip
    panel.set_xticks(range(len(words)) if named else [], words if named else [])
    panel.set_xlim(-0.6, len(words) - 0.4)
    panel.grid(axis="x", visible=False)


MARKS = "osDv"  # of controls


@look.theme()
def paired_differences(
    table: pd.DataFrame,
    *,
    facet: str | None = None,
    what: str = "difference in balanced accuracy",
    interval: str = "95 % interval",
    points: pd.DataFrame | None = None,
) -> Figure:
    """Draw a forest plot: each difference as a dot with its interval, beside the line of no difference.

    Parameters
    ----------
    table : DataFrame
        One row a comparison: columns ``comparison`` ("five-layer − logistic regression"), ``mean``, ``low``,
        ``high``; optional ``p``, written out.
    facet : str, optional
        Column that makes panels.
    what : str
        Words for the axis.
    interval : str
        What low and high are; written under the figure.
    points : DataFrame, optional
        Single differences (columns ``comparison``, ``value``), e.g. one a fold, drawn small.

    Raises
    ------
    DataError
        If a needed column is missing.
    """
    require_columns(table, "paired_differences", "comparison", "mean", "low", "high")
    panels = panels_of(table, facet)
    height = 1.0 + 0.34 * max(len(part) for _, part in panels)
    figure, axes = look.new_figure(len(panels), height=height, sharex=True)
    for panel, (name, part) in zip(axes.flat, panels, strict=True):
        panel.axvline(0, color=look.INK, lw=1.0)
        part = part.iloc[::-1].assign(place=range(len(part)))
        clear = (part["low"] > 0) | (part["high"] < 0)
        for rows, inside in (
            (part[clear], look.BLUE),
            (part[~clear], "white"),
        ):  # those without zero are filled
            style = {"color": look.BLUE, "marker": "o", "markerfacecolor": inside}
            _intervals(panel, rows.assign(value=rows["mean"]), **style)
        if points is not None:
            single = points.assign(place=points["comparison"].map(part.set_index("comparison")["place"]))
            panel.plot(single["value"], single["place"] - 0.25, "|", color=look.MUTED, ms=5)
        _name_lines(panel, part["comparison"])
        panel.grid(axis="y", visible=False)
        if "p" in part and part["p"].notna().any():
            texts = [f"p = {p:.2g}" if pd.notna(p) else "" for p in part["p"]]
            right = panel.secondary_yaxis("right")
            right.set_yticks(part["place"], texts, fontsize=7.5, color=look.MUTED)
            right.tick_params(length=0)
            right.spines[:].set_visible(False)
        panel.set(title=name, xlabel=what)
    return look.finish(figure, axes, what="", note=look.honest_note(table, f"dot: mean; bar: {interval}"))


def _intervals(panel: Axes, rows: pd.DataFrame, **style: object) -> None:
    """Draw each ``value`` at its ``place``, with a bar from ``low`` to ``high`` where the rows have them."""
    if {"low", "high"} <= set(rows):
        panel.hlines(rows["place"], rows["low"], rows["high"], color=style["color"], lw=1.6, zorder=2)
    panel.plot(rows["value"], rows["place"], ls="", ms=6.5, zorder=3, **style)


def _name_lines(panel: Axes, words: Sequence[str]) -> None:
    """Write the words of every line beside it, the first at the bottom."""
    panel.set_yticks(range(len(words)), words)
    panel.set_ylim(-0.6, len(words) - 0.4)


_SOURCES = {
    "published": (0.16, {"marker": "D", "color": look.INK, "markerfacecolor": "white"}),
    "reference run": (0.0, {"marker": "s", "color": look.GREEN}),
    "this run": (-0.16, {"marker": "o", "color": look.ORANGE}),
}


@look.theme()
def published_and_reproduced(
    table: pd.DataFrame,
    *,
    label: str | Sequence[str] = ("model", "setting"),
    facet: str | None = "task",
    what: str = "balanced accuracy",
    bars: str = "as published, or the range of this run",
    chance: float | Mapping[str, float] | None = None,
) -> Figure:
    """Draw published, reference-run and this run's numbers on one line each.

    Parameters
    ----------
    table : DataFrame
        Columns `label`, ``source`` ("published", "reference run", "this run"), ``value``; optional ``low``,
        ``high``.
    label : str or sequence of str
        Columns whose words make a line.
    facet : str
        Column that makes panels.
    what : str
        Words for the axis.
    bars : str
        What low and high are; written under the figure.
    chance : float or mapping, optional
        Drawn as a vertical line.
    """
    columns = [label] if isinstance(label, str) else [one for one in label if one in table]
    words = table[columns].astype(str).agg(lambda row: ", ".join(filter(None, row)), axis=1)
    panels = panels_of(table.assign(words=words), facet)
    lines = max(part["words"].nunique() for _, part in panels)
    figure, axes = look.new_figure(1, len(panels), height=0.9 + 0.27 * lines, sharex=True)
    for panel, (name, part) in zip(axes.flat, panels, strict=True):
        lines = list(dict.fromkeys(part["words"]))[::-1]
        places = part["words"].map(lines.index)
        for source, (shift, style) in _SOURCES.items():  # shifted a little, so that none hides another
            rows = part.assign(place=places + shift)[part["source"] == source]
            _intervals(panel, rows, label=source, **style)
        look.draw_chance(panel, chance, name, flat=False)
        _name_lines(panel, lines)
        panel.set_title(name)
    axes[-1, 0].set_xlabel(what)
    note = look.honest_note(table, f"bars: {bars}" if "low" in table else "")
    return look.finish(figure, axes, what="", note=note)
