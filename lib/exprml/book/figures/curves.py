"""Lines over a number: accuracy by training samples, variance by components, error by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from exprml.base.errors import require_columns
from exprml.book.figures import look
from exprml.book.figures.lettering import IN_RESULTS, Says
from exprml.book.figures.look import Drawing
from exprml.book.figures.rows import UNITS, panels_of, rows_of, spread_words


def draw_lines(
    panel: Axes, rows: pd.DataFrame, x: str, y: str, styles: Mapping[str, Mapping[str, Any]], **options: Any
) -> None:
    """Draw the mean of `y` at every `x`, a line for each ``line`` that has a style, as seaborn does.

    Of the options, `units` are columns whose every value has a line of its own; the others are of the lines.
    """
    units = options.pop("units", [])
    means = rows.dropna(subset=y).groupby(["line", *units, x])[y].mean().reset_index()
    for name, style in styles.items():
        for _, line in means[means["line"] == name].groupby(units or "line"):
            panel.plot(line[x], line[y], mew=0.75, **{**style, **options})


def _by_step(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    """Return the rows with a column ``step``: where the mean curve has the point that each belongs to.

    Folds differ a little in size, so the k-th size of every fold belongs to one step of the mean curve;
    counting from the largest keeps them aligned when a fold skipped its smallest size (one class only).
    """
    curve = ["line", *(unit for unit in UNITS if unit in rows)]
    rank = rows.groupby(curve, dropna=False)[x].rank(method="dense", ascending=False)
    return rows.assign(step=rows.groupby(["line", rank])[x].transform("mean"))


def _scale(panel: Axes, values: pd.Series, *, log_x: bool) -> None:
    """Set scale and ticks of the horizontal axis."""
    if not log_x:
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=bool((values % 1 == 0).all())))
        return
    look.log_scale(panel)
    ticks = sorted(values.unique())
    if len(ticks) <= 7 and not look.narrow():
        panel.set_xticks(ticks)
        panel.xaxis.set_minor_locator(NullLocator())


@look.kind
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
) -> Drawing:
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

    Raises
    ------
    DataError
        If there is nothing to draw for the metric or for a panel asked for.
    """
    rows, labels = rows_of(table, metric), labels or {}
    panels = panels_of(rows, facet, facets)
    across = 2 if len(panels) == 4 else 3
    figure, axes = look.new_figure(len(panels), across=across, height=3.0, sharex=True, sharey=True)
    told = []
    for panel, (name, part) in zip(axes.flat, panels, strict=False):
        _folds(panel, part, x, dots=dots)
        look.draw_chance(panel, chance, name)
        look.draw_marks(panel, marks)
        _scale(panel, part[x], log_x=log_x)
        panel.set_title(labels.get(name, name[:1].upper() + name[1:]))
        ends = _ends(part, x) if (part["control"] == "").any() else ""
        told.append(f"{name} {ends}".strip())
        words = fill(f"at the right end: {ends}", 88 // axes.shape[1])
        panel.set_xlabel(
            f"{labels.get(x, x.replace('n_', 'number of ').replace('_', ' '))}\n{words}", visible=True
        )
    note = look.honest_note(rows, spread_words(rows, labels) if dots else "")
    what = labels.get("value", (metric or "score").replace("_", " "))
    chart = f"Lines of {what} by {labels.get(x, x.replace('_', ' '))}{look.chance_words(chance)}"
    says = Says(chart, "At the right end", told, IN_RESULTS)
    return look.finish(figure, axes, what=what, note=note, says=says)


def _ends(rows: pd.DataFrame, x: str) -> str:
    """Return which line of a panel is highest and lowest at its right end; of a single line, both ends."""
    own = _by_step(rows[rows["control"] == ""], x)
    means = own.groupby(["line", "step"])["value"].mean()
    last = means.groupby(level="line").last().rename(look.model_label)
    if len(last) == 1:
        return f"{last.index[0]} {last.iloc[0]:.2f}, at the left end {means.iloc[0]:.2f}"
    return f"highest {last.idxmax()} {last.max():.2f}, lowest {last.idxmin()} {last.min():.2f}"


def _folds(panel: Axes, rows: pd.DataFrame, x: str, *, dots: bool) -> None:
    """Draw the mean line of every model and control, and every fold of the models."""
    rows, styles = _by_step(rows, x), look.line_styles(rows)
    draw_lines(panel, rows, "step", "value", styles, zorder=3)
    single = rows[(rows["control"] == "") & rows.duplicated(["line", "step"], keep=False)]
    if dots and len(single):
        colours = {name: style["color"] for name, style in styles.items()}
        sns.scatterplot(single, x=x, y="value", hue="line", palette=colours, s=12, alpha=0.45, linewidth=0,
                        legend=False, zorder=2, ax=panel)  # fmt: skip


def learning_curves(
    table: pd.DataFrame, *, labels: Mapping[str, str] | None = None, **options: Any
) -> Drawing:
    """Draw score against training samples, a panel per setting (intact beside removed), every fold a dot.

    Parameters are those of `accuracy_against`; the horizontal axis is ``n_train``. No smoothing: below thirty
    points a LOESS band says more about the smoother than about the models (heil2022, pitfall 7).
    """
    words = {"n_train": "training samples", **(labels or {})}
    return accuracy_against(table, "n_train", **{"log_x": False, "labels": words, **options})


@look.kind
def variance_curves(
    table: pd.DataFrame,
    *,
    x: str = "components",
    value: str = "share",
    line: str = "kind",
    levels: Mapping[str, float] | None = None,
    marks: Mapping[str, float] | None = None,
    words: Mapping[str, str] | None = None,
    log_x: bool = False,
    dots: bool = False,
    chosen: Mapping[str, float] | None = None,
) -> Drawing:
    """Draw what a number of dimensions holds: explained variance, or the error of a reconstruction.

    Parameters
    ----------
    table : DataFrame
        Columns `x` (components, code length), `value` and `line` (what tells the lines apart).
    x, value, line : str
        Those columns.
    levels, marks : mapping of words to number, optional
        Horizontal and vertical lines to name ("99 %", "the paper's 500").
    words : mapping, optional
        Words for the columns.
    log_x : bool
        Logarithmic axis.
    dots : bool
        Mark every point.
    chosen : mapping of line to number, optional
        Where validation chose, marked.

    Raises
    ------
    DataError
        If a column is missing.
    """
    require_columns(table, (x, value, line), "variance_curves")
    words, rows = words or {}, table[[x, value]].assign(line=table[line].astype(str))
    figure, axes = look.new_figure(height=3.1)
    panel = axes[0, 0]
    options, styles = {} if dots else {"marker": ""}, _styles(rows["line"].unique())
    draw_lines(panel, rows, x, value, styles, **options)
    for name, place in (chosen or {}).items():
        row = rows[(rows["line"] == name) & (rows[x] == place)]
        panel.plot(row[x], row[value], "o", ms=7, color=styles[name]["color"], mec="white", zorder=4)
    look.draw_levels(panel, levels)
    look.draw_marks(panel, marks)
    panel.set_xlabel(words.get(x, x))
    panel.xaxis.set_major_formatter("{x:,.0f}")
    if log_x:
        look.log_scale(panel)
    what, told = words.get(value, value), []
    for name, part in table.groupby(line, sort=False):
        ends = part.groupby(x)[value].mean().iloc[[0, -1]].items()
        told.append(f"{_words(str(name))} {' to '.join(f'{mean:.3f} at {place:,}' for place, mean in ends)}")
    says = Says(f"Lines of {what} by {words.get(x, x)}", "", told)
    note = f"dots: the {words.get(x, x)} that was chosen" if chosen else ""
    return look.finish(figure, axes, what=what, note=note, says=says, columns=3)


def error_by_epoch(
    histories: Mapping[str, pd.DataFrame],
    *,
    column: str = "test",
    levels: Mapping[str, float] | None = None,
    what: str = "mean absolute error",
    **options: Any,
) -> Drawing:
    """Draw an error after each epoch, a line for each network (chen2016, Fig 5).

    Parameters
    ----------
    histories : mapping of words to DataFrame
        ``history_`` of fitted networks: columns epoch and `column`. A model's name gets its own colour.
    column : str
        Which error ("test" of ``infer(..., watch_test=True)``).
    levels : mapping of words to float, optional
        Horizontal lines: errors of models without epochs ("linear regression").
    what : str
        Words for the vertical axis.
    **options
        As in `variance_curves`: the epochs ``chosen``, ``log_x``.

    Raises
    ------
    DataError
        If a history lacks the column.
    """
    rows = pd.concat(histories, names=["line"]).reset_index(level=0)
    levels = {_words(name): level for name, level in (levels or {}).items()}
    columns = {"x": "epoch", "value": column, "line": "line", "words": {column: what}}
    return variance_curves(rows, levels=levels, **columns, **options)


def _words(name: str) -> str:
    """Return a model's label; words stay as they are."""
    return look.model_label(name) if "/" in name else name


def _styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the style of each line, in its own colour if all are models and differ in it."""
    colours = {look.model_style(name)["color"]: name for name in names if "/" in name}
    own = {name: {"color": colour} for colour, name in colours.items()} if len(colours) == len(names) else {}
    styles = look.class_styles(names)
    return {name: {**style, "label": _words(name), **own.get(name, {})} for name, style in styles.items()}
