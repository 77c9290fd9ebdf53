"""What a network is made of: its layers, its strongest weights, and how many numbers its targets need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures.look import INK, LEVEL_DASHES, MUTED, look, new_figure, put_legend, put_note

_POSITIVE, _NEGATIVE = "#D55E00", "#0072B2"  # red and blue of chen2016, told apart by every eye
_LINES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F7F7F")


def architecture(layers: Sequence[tuple[str, int]], *, between: Sequence[str] = (), note: str = "") -> Figure:
    """Draw the layers of a network from left to right (chen2016, Supplementary Fig 1).

    Parameters
    ----------
    layers : sequence of (words, width)
        ``[("landmark genes", 943), ("hidden, tanh", 9000), ("target genes", 4760)]``.
    between : sequence of str, optional
        Words for the arrows, one fewer than layers.
    note : str
        Small print.

    Raises
    ------
    DataError
        If there are not one fewer words for arrows than layers.
    """
    if between and len(between) != len(layers) - 1:
        raise DataError(f"{len(between)} words for the {len(layers) - 1} arrows between {len(layers)} layers")
    tallest = max(width for _, width in layers)
    with look():
        figure, axes = new_figure(height=3.0)
        panel = axes[0, 0]
        for place, (words, width) in enumerate(layers):
            height = 0.35 + 0.65 * np.sqrt(width / tallest)
            box = {"boxstyle": "round,pad=0.02", "fc": "#e8f1f8", "ec": _COLOURS[0], "lw": 1.3}
            _block(panel, place, height, box)
            panel.text(place, -0.06, words, ha="center", va="top", fontsize=8.5)
            panel.text(place, 0.5, f"{width:,}", ha="center", va="center", rotation=90, fontsize=9, color=INK)
            if place:
                ends = {"xy": (place - 0.16, 0.5), "xytext": (place - 0.84, 0.5)}
                panel.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": MUTED})
                words = between[place - 1] if between else f"{layers[place - 1][1] * width:,} weights"
                panel.text(place - 0.5, 0.54, words, ha="center", va="bottom", fontsize=7.5, color=MUTED)
        panel.set(xlim=(-0.5, len(layers) - 0.5), ylim=(-0.16, 1.04))
        panel.axis("off")
        put_note(figure, note or "height of a block: square root of its width; biases are not counted")
    return figure


def _block(panel: Axes, place: int, height: float, box: Mapping) -> None:
    """Draw one layer as a rounded block, centred."""
    from matplotlib.patches import FancyBboxPatch

    panel.add_patch(FancyBboxPatch((place - 0.1, 0.5 - height / 2), 0.2, height, **box))


def weights_map(edges: pd.DataFrame, sizes: Sequence[int], *, hubs: int = 10, note: str = "") -> Figure:
    """Draw a network's strongest weights as lines between three columns of nodes (chen2016, Supp Fig 3).

    Parameters
    ----------
    edges : DataFrame
        The weights that are kept: columns layer (0: input to hidden, 1: hidden to output), start, end
        (places of the nodes), weight; orange if positive, blue if negative.
    sizes : sequence of 3 int
        Number of inputs, hidden units and outputs; nodes without an edge are left white.
    hubs : int
        So many hidden units with most edges are drawn large.
    note : str
        Small print.

    Raises
    ------
    DataError
        If an edge leads to a node that does not exist.
    """
    names = ("inputs", "hidden units", "outputs")
    for layer, part in edges.groupby("layer"):
        for column, size in (("start", sizes[int(layer)]), ("end", sizes[int(layer) + 1])):
            if part[column].max() >= size:
                raise DataError(f"layer {layer}: {column} {part[column].max()} of {size} nodes")
    degree = _hidden_degree(edges, sizes[1])
    with look():
        figure, axes = new_figure(height=4.6)
        panel = axes[0, 0]
        for layer, part in edges.groupby("layer"):
            _edges(panel, int(layer), part, sizes)
        touched = [set(edges.loc[edges["layer"] == 0, "start"]), set(np.flatnonzero(degree))]
        touched.append(set(edges.loc[edges["layer"] == 1, "end"]))
        for place, (name, size, used) in enumerate(zip(names, sizes, touched, strict=True)):
            spots = _spots(np.arange(size), size)
            kept = np.isin(np.arange(size), list(used))
            panel.scatter(spots[~kept], np.full((~kept).sum(), -place), s=5, fc="white", ec=MUTED, lw=0.3)
            panel.scatter(spots[kept], np.full(kept.sum(), -place), s=5, color=INK, lw=0, zorder=3)
            panel.text(1.01, -place, f"{kept.sum():,} of\n{size:,} {name}", va="center", fontsize=8)
        top = np.argsort(-degree, kind="stable")[:hubs]
        top = top[degree[top] > 0]
        panel.scatter(_spots(top, sizes[1]), np.full(len(top), -1.0), s=45, color=INK, ec="white", zorder=4)
        for colour, words in ((_POSITIVE, "positive weight"), (_NEGATIVE, "negative weight")):
            panel.plot([], [], color=colour, label=words)
        panel.set(xlim=(-0.01, 1.16), ylim=(-2.12, 0.12))
        panel.axis("off")
        put_legend(figure, axes.flat)
        put_note(figure, note or f"{len(edges):,} weights; large dots: the {len(top)} hidden units with most")
    return figure


def _hidden_degree(edges: pd.DataFrame, n_hidden: int) -> np.ndarray:
    """Return the number of kept edges of each hidden unit, on both sides."""
    ends = [edges.loc[edges["layer"] == 0, "end"], edges.loc[edges["layer"] == 1, "start"]]
    return np.bincount(pd.concat(ends).to_numpy(dtype=int), minlength=n_hidden)


def _spots(places: np.ndarray, size: int) -> np.ndarray:
    """Return horizontal positions of nodes, in 0 to 1."""
    return (np.asarray(places) + 0.5) / size


def _edges(panel: Axes, layer: int, part: pd.DataFrame, sizes: Sequence[int]) -> None:
    """Draw the weights between two columns of nodes."""
    left = np.column_stack([_spots(part["start"], sizes[layer]), np.full(len(part), -layer)])
    right = np.column_stack([_spots(part["end"], sizes[layer + 1]), np.full(len(part), -layer - 1.0)])
    colours = np.where(part["weight"] > 0, _POSITIVE, _NEGATIVE)
    faint = float(np.clip(60 / max(1.0, np.sqrt(len(part)) * 2), 0.12, 0.8))
    lines = LineCollection(np.stack([left, right], axis=1), colors=colours, linewidths=0.5, alpha=faint)
    lines.set_rasterized(True)
    panel.add_collection(lines)


def variance_curves(
    table: pd.DataFrame,
    *,
    x: str = "components",
    value: str = "share",
    line: str = "kind",
    floor: pd.DataFrame | None = None,
    levels: Mapping[str, float] | None = None,
    marks: Mapping[str, float] | None = None,
    words: Mapping[str, str] | None = None,
    log_x: bool = False,
    dots: bool = False,
    note: str = "",
) -> Figure:
    """Draw what a number of dimensions holds: explained variance, or the error of a reconstruction.

    Parameters
    ----------
    table : DataFrame
        Columns `x` (components, code length), `value` and `line` (what tells the lines apart).
    x, value, line : str
        Those columns.
    floor : DataFrame, optional
        Columns `x` and `value` of principal components, drawn in black as "PCA floor": no linear code of that
        length has a lower squared error on the samples it was fitted to.
    levels, marks : mapping of words to number, optional
        Horizontal and vertical lines to name ("99 %", "the paper's 500").
    words : mapping, optional
        Words for the columns.
    log_x : bool
        Logarithmic axis.
    dots : bool
        Mark every point.
    note : str
        Small print.

    Raises
    ------
    DataError
        If a column is missing.
    """
    lacking = [name for name in (x, value, line) if name not in table]
    if lacking:
        raise DataError(f"variance_curves needs a column {lacking[0]!r}; the table has {list(table.columns)}")
    words = words or {}
    with look():
        figure, axes = new_figure(height=3.1)
        panel = axes[0, 0]
        for place, (name, part) in enumerate(table.groupby(line, sort=False)):
            mean = part.groupby(x)[value].mean()
            style = {"color": _COLOURS[place % 8], "ls": _LINES[place % 4], "marker": "osv^DXPp"[place % 8]}
            style |= {} if dots else {"marker": ""}
            panel.plot(mean.index, mean, label=str(name), **style)
        if floor is not None:
            least = floor.groupby(x)[value].mean()
            panel.plot(least.index, least, color=INK, lw=1.3, ls=(0, (4, 2)), marker="", label="PCA floor")
        for dash, (text, level) in zip(cycle(LEVEL_DASHES), (levels or {}).items(), strict=False):
            panel.axhline(level, color=MUTED, lw=1.3, ls=dash, label=text)
        for text, where in (marks or {}).items():
            panel.axvline(where, color=MUTED, lw=1, ls=(0, (7, 3)), label=text)
        panel.set(xlabel=words.get(x, x), ylabel=words.get(value, value), xscale="log" if log_x else "linear")
        panel.xaxis.set_major_formatter("{x:,.0f}")
        put_legend(figure, axes.flat, columns=3)
        put_note(figure, note)
    return figure


def describe_curves(
    table: pd.DataFrame, *, x: str = "components", value: str = "share", line: str = "kind"
) -> str:
    """Return a sentence for the alt text of `variance_curves`: both ends of every line."""
    parts = []
    for name, part in table.groupby(line, sort=False):
        mean = part.groupby(x)[value].mean()
        parts.append(
            f"{name} {mean.iloc[0]:.3f} at {mean.index[0]:,} to {mean.iloc[-1]:.3f} at {mean.index[-1]:,}"
        )
    return f"{value[:1].upper()}{value[1:]} by {x}: {'; '.join(parts)}."


def describe_weights(edges: pd.DataFrame, sizes: Sequence[int]) -> str:
    """Return a sentence for the alt text of `weights_map`: edges, their signs, nodes that have one."""
    degree = _hidden_degree(edges, sizes[1])
    inputs = edges.loc[edges["layer"] == 0, "start"].nunique()
    outputs = edges.loc[edges["layer"] == 1, "end"].nunique()
    return (
        f"{len(edges):,} strong weights, {(edges['weight'] > 0).mean():.0%} of them positive, touch "
        f"{inputs:,} of {sizes[0]:,} inputs, {(degree > 0).sum():,} of {sizes[1]:,} hidden units and "
        f"{outputs:,} of {sizes[2]:,} outputs; the busiest hidden unit has {degree.max():,}."
    )
