"""Numbers side by side: before and after, differences with intervals, published and reproduced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from exprml.base.errors import DataError, require_columns
from exprml.book.figures import look
from exprml.book.figures.curves import draw_lines
from exprml.book.figures.lettering import IN_RESULTS, Says, p_words
from exprml.book.figures.look import Drawing
from exprml.book.figures.rows import UNITS, panels_of, rows_of
from exprml.evaluation.scoring import at_full_size


@look.kind
def before_after(
    table: pd.DataFrame,
    *,
    before: str = "intact",
    after: str = "removed",
    facet: str | None = None,
    facets: Sequence[str] | None = None,
    chance: float | Mapping[str, float] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Drawing:
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
    figure, axes = look.new_figure(len(panels), height=3.1, sharey=True)
    sides = {one: labels.get(one, one) for one in (before, after)}
    told = []
    for panel, (name, part) in zip(axes.flat, panels, strict=False):
        _pairs(panel, part, list(sides))
        look.draw_chance(panel, chance, name)
        changes = part[part["control"] == ""].pivot_table(index="model", columns="setting", values="value")
        changes = changes.rename(look.model_label)[list(sides)].dropna()
        ends = changes[after].idxmax(), changes[after].idxmin()
        high, low = (f"{one} ({changes.at[one, before]:.2f} to {changes.at[one, after]:.2f})" for one in ends)
        told.append(f"{name} highest after is {high}, lowest {low}".strip())
        panel.set(title=labels.get(name, name))
        panel.set_xticks([0, 1], [fill(words, 16) for words in sides.values()])
        best = f"highest after: {ends[0]}, {changes.at[ends[0], after]:.2f}"
        panel.set_xlabel(fill(best, 72 // axes.shape[1]), color=look.MUTED)
    for panel in axes[:, -1]:  # both ends of a comparison are on an axis
        panel.tick_params(labelright=True)
    note = look.honest_note(rows, f"thin: single {labels.get('fold', 'fold')}s")
    what = labels.get("value", "balanced accuracy")
    says = Says(
        f"Lines of {what} from {' to '.join(sides.values())}{look.chance_words(chance)}", "", told, IN_RESULTS
    )
    return look.finish(figure, axes, what=what, note=note, says=says)


def _pairs(panel: Axes, rows: pd.DataFrame, sides: Sequence[str]) -> None:
    """Draw the pairs of one panel: before on the left, after on the right, models beside each other."""
    styles = look.line_styles(rows)
    for place, (name, style) in enumerate(styles.items()):
        if name in set(rows.loc[rows["control"] != "", "line"]):
            style |= {"marker": MARKS[place % 4], "markerfacecolor": "white", "markeredgecolor": look.MUTED}
    shifts = dict(zip(styles, np.linspace(-0.2, 0.2, len(styles) + 2)[1:-1], strict=True))
    units = ["line", *(unit for unit in UNITS if unit in rows), "setting"]
    folds = rows[rows["setting"].isin(sides)].groupby(units, dropna=False)["value"].mean().reset_index()
    folds["place"] = folds["line"].map(shifts) + folds["setting"].map(list(sides).index)
    folds["unit"] = folds.groupby(units[:-1], dropna=False).ngroup()
    thin = {"linewidth": 0.6, "alpha": 0.25, "marker": "", "linestyle": "-", "label": None}
    draw_lines(panel, folds, "place", "value", styles, units=["unit"], zorder=2, **thin)
    draw_lines(panel, folds, "place", "value", styles, markersize=7, linewidth=2.2, zorder=3)
    panel.set_xlim(-0.35, 1.35)
    panel.grid(axis="x", visible=False)


MARKS = "osDv"  # of controls


@look.kind
def paired_differences(
    table: pd.DataFrame,
    *,
    facet: str | None = None,
    what: str = "difference in balanced accuracy",
    interval: str = "95 % interval",
) -> Drawing:
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

    Raises
    ------
    DataError
        If a needed column is missing.
    """
    require_columns(table, ("comparison", "mean", "low", "high"), "paired_differences")
    panels = panels_of(table, facet)
    height = 1.0 + 0.34 * max(len(part) for _, part in panels)
    figure, axes = look.new_figure(len(panels), across=2, height=height, sharex=True)
    for panel, (name, part) in zip(axes.flat, panels, strict=False):
        panel.axvline(0, color=look.INK, lw=1.0)
        part = part.iloc[::-1].assign(place=range(len(part)))
        clear = (part["low"] > 0) | (part["high"] < 0)
        # those without zero are filled
        for rows, inside in ((part[clear], look.BLUE), (part[~clear], "white")):
            style = {"color": look.BLUE, "marker": "o", "markerfacecolor": inside}
            _intervals(panel, rows.assign(value=rows["mean"]), **style)
        _name_lines(panel, part["comparison"])
        panel.grid(axis="y", visible=False)
        if "p" in part and part["p"].notna().any():
            for place, words in zip(part["place"], map(p_words, part["p"]), strict=True):
                panel.text(1.02, place, words, fontsize=7.5, color=look.MUTED, va="center",
                           transform=panel.get_yaxis_transform())  # fmt: skip
        panel.set(title=name, xlabel=what)
    note = look.honest_note(table, f"dot: mean; bar: {interval}")
    told = (f"{one.comparison} {one.mean:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
            for one in table.itertuples())  # fmt: skip
    says = Says(f"Dots with intervals: {what}", "", told)
    return look.finish(figure, axes, what="", note=note, says=says)


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


@look.kind
def published_and_reproduced(
    table: pd.DataFrame,
    *,
    label: str | Sequence[str] = ("model", "setting"),
    facet: str | None = "task",
    what: str = "balanced accuracy",
    bars: str = "as published, or the range of this run",
    chance: float | Mapping[str, float] | None = None,
) -> Drawing:
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
    figure, axes = look.new_figure(
        len(panels), across=1 + (len(panels) > 3), height=0.9 + 0.27 * lines, sharex=True
    )
    for panel, (name, part) in zip(axes.flat, panels, strict=False):
        lines = list(dict.fromkeys(part["words"]))[::-1]
        places = part["words"].map(lines.index)
        for source, (shift, style) in _SOURCES.items():  # shifted a little, so that none hides another
            rows = part.assign(place=places + shift)[part["source"] == source]
            _intervals(panel, rows, label=source, **style)
        look.draw_chance(panel, chance, name, flat=False)
        _name_lines(panel, lines)
        panel.set_title(name)
    for panel in axes[-1]:
        panel.set_xlabel(what)
    note = look.honest_note(table, f"bars: {bars}" if "low" in table else "")
    lines = ["words", *([facet] if facet in table and facet not in columns else [])]
    wide = table.assign(words=words).pivot_table(index=lines, columns="source", values="value", sort=False)
    told = []
    if {"published", "this run"} <= set(wide):
        apart = (wide["this run"] - wide["published"]).abs().dropna()
        farthest, place = wide.loc[apart.idxmax()], apart.idxmax()
        told = [f"this run lies {apart.mean():.2f} from the paper on average",
                f"farthest in {place if isinstance(place, str) else ', '.join(place)}: "
                f"{farthest['published']:.2f} published, {farthest['this run']:.2f} here"]  # fmt: skip
    says = Says(f"Dots of {what}: published, reference run, this run", "", told, IN_RESULTS)
    return look.finish(figure, axes, what="", note=note, says=says)
