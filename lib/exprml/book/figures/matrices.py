"""Numbers in a grid: recall per class, who is taken for whom, any small table."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.lettering import drawn
from exprml.book.figures.rows import panels_of, with_lines
from exprml.evaluation.scoring import at_full_size

_RECALL = "recall:"


def _grid(panel: Axes, cells: pd.DataFrame, *, slanted: bool, **options: object) -> None:
    """Draw one grid with its numbers; slant column labels that would run into each other."""
    options = {"annot": True, "cbar": False, "cmap": "cividis", **options}
    with warnings.catch_warnings():  # seaborn draws once before the figure has its final size
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        sns.heatmap(
            cells, ax=panel, annot_kws={"fontsize": 7.5}, xticklabels=True, yticklabels=True, **options
        )
    shades = panel.collections[0].get_facecolors()[cells.notna().to_numpy().ravel()]
    for text, shade in zip(panel.texts, shades, strict=options["annot"]):  # whichever colour stands out
        text.set_color(look.INK if sns.utils.relative_luminance(shade) > 0.27 else "white")
    turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {"rotation": 0}
    panel.set_xticks(panel.get_xticks(), cells.columns, **turned)
    panel.tick_params(length=0)
    panel.tick_params("y", labelrotation=0)


@look.theme()
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
    figure, axes = look.new_figure(height=0.9 + 0.26 * len(cells))
    cells = cells.astype(float).rename(index=str, columns=str)
    many, names = cells.size > 400, list(cells.columns)
    long = not any("\n" in name for name in names) and max(map(len, names), default=0) * len(names) > 75
    _grid(axes[0, 0], cells, slanted=long, vmin=low, vmax=high, cmap=colours, fmt=text, annot=not many,
          cbar=many)  # fmt: skip
    axes[0, 0].set(title=what, xlabel=columns, ylabel=rows)
    return figure


@look.theme()
def recall_heatmap(table: pd.DataFrame, *, sizes: pd.Series | None = None) -> Figure:
    """Draw recall per class (rows) and model (columns), at the largest training size, averaged over folds.

    Parameters
    ----------
    table : DataFrame
        Long results with rows ``metric = "recall:<class>"`` (``cross_validate(..., per_class=True)``); every
        setting gets a panel.
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
    rows = at_full_size(with_lines(rows)).assign(label=lambda part: part["metric"].str[len(_RECALL) :])
    means = rows.groupby("label")["value"].mean()
    order = list((means if sizes is None else sizes.reindex(means.index)).sort_values(ascending=False).index)
    words = drawn(order) if sizes is None else [
        f"{name} ({sizes.get(one, 0):.0f})" for one, name in zip(order, drawn(order), strict=True)
    ]  # fmt: skip
    panels = panels_of(rows, "setting")
    figure, axes = look.new_figure(len(panels), height=1.3 + 0.22 * len(order), sharey=True)
    for panel, (name, part) in zip(axes.flat, panels, strict=True):
        cells = part.pivot_table(index="label", columns="line", values="value").reindex(order)
        cells = cells[look.in_order(cells.columns)].rename(columns=look.model_label).set_axis(words)
        _grid(panel, cells, slanted=True, vmin=0, vmax=1, fmt=".2f")
        panel.set(title=name[:1].upper() + name[1:], xlabel="", ylabel="")
    note = "recall, mean over folds" + ("" if sizes is None else "; in brackets: groups")
    look.put_note(figure, look.honest_note(rows, note))
    return figure


def confusion(counts: pd.DataFrame) -> Figure:
    """Draw which share of each class (rows) is taken for which (columns).

    Parameters
    ----------
    counts : DataFrame
        Classes × classes, rows the truth (``sklearn.metrics.confusion_matrix`` with its labels).
    """
    shares = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0)
    cells = shares.set_axis(drawn(counts.index), axis=0).set_axis(drawn(counts.columns), axis=1)
    words = {"rows": "true class", "columns": "predicted class"}
    return heatmap_table(cells, low=0, high=1, colours="Blues", **words)
