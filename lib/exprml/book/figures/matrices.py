"""Numbers in a grid: recall per class, who is taken for whom, any small table."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.lettering import IN_FIGURE, Says, drawn
from exprml.book.figures.look import Drawing
from exprml.book.figures.rows import panels_of, with_lines
from exprml.evaluation.scoring import at_full_size

_RECALL = "recall:"


def _grid(panel: Axes, cells: pd.DataFrame, *, slanted: bool, **options: object) -> None:
    """Draw one grid with its numbers; slant column labels that would run into each other."""
    options = {"annot": True, "cbar": False, "cmap": "cividis", **options}
    letters = cells.shape[1] * len(format(cells.max(axis=None), options["fmt"]))
    if cells.size > 400 or (look.narrow() and letters > 36):  # no room for numbers
        options |= {"annot": False, "cbar": True}
    with warnings.catch_warnings():  # seaborn draws once before the figure has its final size
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        sns.heatmap(
            cells, ax=panel, annot_kws={"fontsize": 7.5}, xticklabels=True, yticklabels=True, **options
        )
    shades = panel.collections[0].get_facecolors()[cells.notna().to_numpy().ravel()]
    for text, shade in zip(panel.texts, shades, strict=options["annot"]):  # whichever colour stands out
        text.set_color(look.INK if sns.utils.relative_luminance(shade) > 0.27 else "white")
    turned = {"rotation": 0}
    if slanted:
        angle = 90 if any("\n" in name for name in cells.columns) else 35 if letters <= 36 else 60
        turned = {"rotation": angle, "ha": "right", "va": "center", "rotation_mode": "anchor"}
    panel.set_xticks(panel.get_xticks(), cells.columns, **turned)
    panel.tick_params(length=0)
    panel.tick_params("y", labelrotation=0)


def score_grid(
    table: pd.DataFrame, rows: str | Sequence[str] = "model", columns: str | Sequence[str] = "setting"
) -> pd.DataFrame:
    """Return a long table's mean scores as a grid, models by their labels, in the table's order.

    Parameters
    ----------
    table : DataFrame
        Results rows of one training size. Control rows are left out, and where ``metric`` is on no side all
        but balanced accuracy, if there is any.
    rows, columns : str or sequence of str
        Columns of the table whose words make a side of the grid.
    """
    sides = {"row": [rows] if isinstance(rows, str) else rows}
    sides["column"] = [columns] if isinstance(columns, str) else columns
    scored = "metric" in table and "metric" not in [*sides["row"], *sides["column"]]
    if scored and (table["metric"] == "balanced_accuracy").any():
        table = table[table["metric"] == "balanced_accuracy"]
    own = with_lines(table).query("control == ''")
    own = own.assign(model=own["model"].map(look.model_label)) if "model" in own else own
    words = {side: own[list(names)].astype(str).agg(", ".join, axis=1) for side, names in sides.items()}
    own = own.assign(**words)
    grid = own.pivot_table(index="row", columns="column", values="value", sort=False)
    return grid.rename_axis(index=None, columns=None)


_COLOURS = {"higher": "cividis", "lower": "cividis_r", "far from zero": "RdBu_r"}  # bright is better


@look.kind
def heatmap_table(
    table: pd.DataFrame,
    *,
    what: str = "",
    low: float | None = None,
    high: float | None = None,
    text: str = ".2f",
    better: str = "higher",
    rows: str | Sequence[str] = "",
    columns: str | Sequence[str] = "",
) -> Drawing:
    """Draw a small table as coloured cells with the numbers in them.

    Parameters
    ----------
    table : DataFrame
        Long results (a column ``value``), of which `score_grid` makes a grid; or the grid itself, whose index
        and columns are the labels. Long column labels are slanted, unless broken into lines.
    what : str
        Words for the title.
    low, high : float, optional
        Ends of the colour scale; the table's own by default.
    text : str
        Format of the numbers.
    better : {"higher", "lower", "far from zero"}
        What is a good number: it is bright; around zero the two signs have a colour each.
    rows, columns : str
        What makes the two sides of the grid; of a grid, words for them.
    """
    cells = table
    if "value" in table:
        cells, rows, columns = score_grid(table, rows or "model", columns or "setting"), "", ""
    figure, axes = look.new_figure(height=0.9 + 0.26 * len(cells))
    cells = cells.astype(float).rename(index=str, columns=str)
    names = list(cells.columns)
    broken = any("\n" in name for name in names) and not look.narrow()
    long = not broken and max(map(len, names), default=0) * len(names) > (30 if look.narrow() else 75)
    options = {"vmin": low, "vmax": high, "cmap": _COLOURS[better], "fmt": text}
    _grid(axes[0, 0], cells, slanted=long, **options)
    axes[0, 0].set(title=what, xlabel=columns, ylabel=rows)
    flat = cells.stack().dropna()
    told = (f"{word} {flat[key]:{text}} ({', '.join(key)})"
            for word, key in (("highest", flat.idxmax()), ("lowest", flat.idxmin())))  # fmt: skip
    return look.told(figure, "", Says(f"Coloured table {what}".strip(), "", told, IN_FIGURE))


@look.kind
def recall_heatmap(table: pd.DataFrame, sizes: pd.Series) -> Drawing:
    """Draw recall per class (rows) and model (columns), at the largest training size, averaged over folds.

    Parameters
    ----------
    table : DataFrame
        Long results with rows ``metric = "recall:<class>"`` (``cross_validate(..., per_class=True)``); every
        setting gets a panel.
    sizes : Series
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
    order = list(sizes.reindex(rows["label"].unique()).sort_values(ascending=False).index)
    words = [f"{name} ({sizes.get(one, 0):.0f})" for one, name in zip(order, drawn(order), strict=True)]
    panels = panels_of(rows, "setting")
    figure, axes = look.new_figure(len(panels), height=1.3 + 0.22 * len(order), sharey=True)
    for panel, (name, part) in zip(axes.flat, panels, strict=False):
        cells = part.pivot_table(index="label", columns="line", values="value").reindex(order)
        cells = cells[look.in_order(cells.columns)].rename(columns=look.model_label).set_axis(words)
        _grid(panel, cells, slanted=True, vmin=0, vmax=1, fmt=".2f")
        panel.set(title=name[:1].upper() + name[1:], xlabel="", ylabel="")
    note = look.honest_note(rows, "recall, mean over folds; in brackets: groups")
    own = rows[rows["control"] == ""].groupby(["label", "line", "setting"])["value"].mean()
    told = (f"{word} {own[one]:.2f} ({one[0]}, {look.model_label(one[1])}, {one[2]})"
            for word, one in (("highest", own.idxmax()), ("lowest", own.idxmin())))  # fmt: skip
    return look.told(figure, note, Says("Coloured table of recall by class and model", "", told, IN_FIGURE))


def confusion(counts: pd.DataFrame) -> Drawing:
    """Draw which share of each class (rows) is taken for which (columns).

    Parameters
    ----------
    counts : DataFrame
        Classes × classes, rows the truth (``sklearn.metrics.confusion_matrix`` with its labels).
    """
    shares = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0)
    cells = shares.set_axis(drawn(counts.index), axis=0).set_axis(drawn(counts.columns), axis=1)
    return heatmap_table(cells, low=0, high=1, rows="true class", columns="predicted class")
