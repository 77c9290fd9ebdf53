"""Numbers in a grid: recall per class, who is taken for whom, any small table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures.curves import panels_of
from exprml.book.figures.lettering import drawn
from exprml.book.figures.look import (
    honest_note,
    in_order,
    look,
    model_label,
    new_figure,
    put_note,
    with_kinds,
)
from exprml.evaluation.scoring import at_full_size

_RECALL = "recall:"
_SLANTED = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}


def _grid(
    panel: Axes, cells: pd.DataFrame, *, low: float, high: float, colours: str, text: str, annotate: bool
) -> None:
    """Draw one grid with its numbers, dark on light and light on dark."""
    values = cells.to_numpy(dtype=float)
    image = panel.imshow(values, cmap=colours, vmin=low, vmax=high, aspect="auto")
    shades = image.cmap(image.norm(values))
    bright = shades[..., :3] @ np.array([0.299, 0.587, 0.114])
    for (row, column), value in np.ndenumerate(values) if annotate else ():
        if np.isfinite(value):
            ink = "#1f2933" if bright[row, column] > 0.55 else "white"
            panel.text(column, row, format(value, text), ha="center", va="center", fontsize=7.5, color=ink)
    panel.set_xticks(range(cells.shape[1]), [str(name) for name in cells.columns])
    panel.set_yticks(range(cells.shape[0]), [str(name) for name in cells.index])
    panel.grid(visible=False)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def heatmap_table(
    cells: pd.DataFrame,
    *,
    what: str = "",
    low: float | None = None,
    high: float | None = None,
    text: str = ".2f",
    colours: str = "cividis",
    rows: str = "",
    columns: str = "",
) -> Figure:
    """Draw a small table as coloured cells with the numbers in them.

    Parameters
    ----------
    cells : DataFrame
        Numbers; index and columns are the labels. Long column labels are slanted, unless broken into lines.
    what : str
        Words for the title.
    low, high : float, optional
        Ends of the colour scale; the table's own by default.
    text : str
        Format of the numbers.
    colours : str
        Matplotlib colour map, even in lightness (``cividis``; ``RdBu_r`` around zero).
    rows, columns : str
        Words for the two sides.
    """
    values = cells.to_numpy(dtype=float)
    ends = (np.nanmin(values) if low is None else low, np.nanmax(values) if high is None else high)
    with look():
        figure, axes = new_figure(height=0.9 + 0.26 * len(cells))
        many = cells.size > 400
        _grid(axes[0, 0], cells, low=ends[0], high=ends[1], colours=colours, text=text, annotate=not many)
        axes[0, 0].set(title=what, xlabel=columns, ylabel=rows)
        _turn(axes[0, 0], cells)
        if many:
            figure.colorbar(axes[0, 0].images[0], ax=axes[0, 0], shrink=0.8)
    return figure


def _turn(panel: Axes, cells: pd.DataFrame) -> None:
    """Slant column labels that would run into each other; those that come in several lines stay level."""
    if any("\n" in str(name) for name in cells.columns):
        return
    if max((len(str(name)) for name in cells.columns), default=0) * cells.shape[1] > 75:
        panel.set_xticks(panel.get_xticks(), panel.get_xticklabels(), **_SLANTED)


def recall_heatmap(
    table: pd.DataFrame,
    *,
    facet: str | None = "setting",
    facets: Sequence[str] | None = None,
    sizes: pd.Series | None = None,
) -> Figure:
    """Draw recall per class (rows) and model (columns), at the largest training size, averaged over folds.

    Parameters
    ----------
    table : DataFrame
        Long results with rows ``metric = "recall:<class>"`` (``cross_validate(..., per_class=True)``).
    facet, facets : str, sequence
        Column that makes panels, and their order.
    sizes : Series, optional
        Groups per class, written behind the class and used for the order (largest first).

    Raises
    ------
    DataError
        If there are no recall rows.
    """
    rows = table[table["metric"].astype(str).str.startswith(_RECALL)]
    if rows.empty:
        there = sorted(set(table["metric"]))[:8]
        raise DataError(f"no rows with metric 'recall:<class>' to draw; the table has {there}")
    rows = at_full_size(with_kinds(rows)).assign(label=lambda part: part["metric"].str[len(_RECALL) :])
    means = rows.groupby("label")["value"].mean()
    order = list((means if sizes is None else sizes.reindex(means.index)).sort_values(ascending=False).index)
    panels = panels_of(rows, facet, facets)
    with look():
        figure, axes = new_figure(len(panels), height=1.3 + 0.22 * len(order), sharey=True)
        for panel, (name, part) in zip(axes.flat, panels, strict=True):
            cells = part.pivot_table(index="label", columns="line", values="value").reindex(order)
            cells = cells[in_order(cells.columns)].rename(columns=model_label)
            cells = cells.set_axis(drawn(order))
            _grid(panel, cells, low=0, high=1, colours="cividis", text=".2f", annotate=True)
            panel.set_title(name[:1].upper() + name[1:])
            panel.set_xticks(panel.get_xticks(), cells.columns, **_SLANTED)
        if sizes is not None:
            counts = [f" ({sizes.get(one, 0):.0f})" for one in order]
            axes[0, 0].set_yticks(range(len(order)), np.char.add(drawn(order), counts))
        words = "recall, mean over folds" + ("" if sizes is None else "; in brackets: groups")
        put_note(figure, honest_note(rows, words))
    return figure


def confusion(counts: pd.DataFrame, *, normalise: bool = True, title: str = "") -> Figure:
    """Draw which class (rows) is taken for which (columns).

    Parameters
    ----------
    counts : DataFrame
        Classes × classes, rows the truth (``sklearn.metrics.confusion_matrix`` with its labels).
    normalise : bool
        Show the share of each true class instead of counts.
    title : str
        Words for the title.
    """
    shares = counts.div(counts.sum(axis=1).where(lambda total: total > 0), axis=0)
    cells = (shares if normalise else counts).set_axis(drawn(counts.index), axis=0)
    cells = cells.set_axis(drawn(counts.columns), axis=1)
    text, high = (".2f", 1.0) if normalise else (".0f", float(np.nanmax(counts.to_numpy())))
    return heatmap_table(
        cells,
        what=title,
        low=0,
        high=high,
        text=text,
        colours="Blues",
        rows="true class",
        columns="predicted class",
    )
