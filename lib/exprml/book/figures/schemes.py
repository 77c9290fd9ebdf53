"""What shows no outcome: the layers of a network, its strongest weights, what heil2022 compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from exprml.base.errors import DataError
from exprml.book.figures import look


def _box(panel: Axes, x: float, y: float, width: float, height: float, text: str, **words: object) -> None:
    """Draw a rounded box with words in its middle."""
    style = {"boxstyle": "round,pad=0.004,rounding_size=0.02", "fc": "#eef4f8", "ec": look.BLUE, "lw": 1.0}
    panel.add_patch(FancyBboxPatch((x, y), width, height, **style))
    words = {"fontsize": 8.5, "linespacing": 1.35, **words}
    panel.text(x + width / 2, y + height / 2, text, ha="center", va="center", **words)


def _arrow(panel: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": look.MUTED, "lw": 1.1, "shrinkA": 1}
    panel.annotate("", end, start, arrowprops=style)


@look.theme()
def architecture(layers: Sequence[tuple[str, int]], *, between: Sequence[str]) -> Figure:
    """Draw the layers of a network from left to right (chen2016, Supplementary Fig 1).

    Parameters
    ----------
    layers : sequence of (words, width)
        ``[("landmark genes", 943), ("hidden, tanh", 9000), ("target genes", 4760)]``.
    between : sequence of str
        Words for the arrows, one fewer than layers.

    Raises
    ------
    DataError
        If there are not one fewer words for arrows than layers.
    """
    if len(between) != len(layers) - 1:
        raise DataError(f"{len(between)} words for the {len(layers) - 1} arrows between {len(layers)} layers")
    tallest = max(width for _, width in layers)
    figure, axes = look.new_figure(height=3.0)
    panel = axes[0, 0]
    for place, (words, width) in enumerate(layers):
        height = 0.35 + 0.65 * np.sqrt(width / tallest)
        _box(panel, place - 0.1, 0.5 - height / 2, 0.2, height, f"{width:,}", rotation=90)
        panel.text(place, -0.06, words, ha="center", va="top", fontsize=8.5)
    for place, words in enumerate(between):
        _arrow(panel, (place + 0.16, 0.5), (place + 0.84, 0.5))
        panel.text(place + 0.5, 0.54, words, ha="center", va="bottom", fontsize=7.5, color=look.MUTED)
    panel.set(xlim=(-0.5, len(layers) - 0.5), ylim=(-0.16, 1.04))
    panel.axis("off")
    look.put_note(figure, "height of a block: square root of its width; biases are not counted")
    return figure


@look.theme()
def weights_map(edges: pd.DataFrame, sizes: Sequence[int]) -> Figure:
    """Draw a network's strongest weights as lines between three columns of nodes (chen2016, Supp Fig 3).

    The ten hidden units with most of them are drawn large.

    Parameters
    ----------
    edges : DataFrame
        The weights that are kept: columns layer (0: input to hidden, 1: hidden to output), start, end
        (places of the nodes), weight; orange if positive, blue if negative.
    sizes : sequence of 3 int
        Number of inputs, hidden units and outputs; nodes without an edge are left white.

    Raises
    ------
    DataError
        If an edge leads to a node that does not exist.
    """
    nodes = _nodes(edges, sizes)
    figure, axes = look.new_figure(height=4.6)
    panel = axes[0, 0]
    for colour, words in ((look.ORANGE, "positive weight"), (look.BLUE, "negative weight")):
        panel.plot([], [], color=colour, label=words)
    for layer, part in edges.groupby("layer"):
        ends = [[(part[end] + 0.5) / sizes[layer + below], np.full(len(part), -1.0 * (layer + below))]
                for below, end in enumerate(("start", "end"))]  # fmt: skip
        faint = float(np.clip(60 / max(1.0, np.sqrt(len(part)) * 2), 0.12, 0.8))
        panel.add_collection(LineCollection(
            np.transpose(ends, (2, 0, 1)), colors=np.where(part["weight"] > 0, look.ORANGE, look.BLUE),
            linewidths=0.5, alpha=faint, rasterized=True,
        ))  # fmt: skip
    for place, (name, of) in enumerate(nodes.items()):
        used = of["edges"] > 0
        panel.scatter(of["x"][~used], of["y"][~used], s=5, fc="white", ec=look.MUTED, lw=0.3)
        panel.scatter(of["x"][used], of["y"][used], s=5, color=look.INK, lw=0, zorder=3)
        panel.text(1.01, -place, f"{used.sum():,} of\n{len(of):,} {name}", va="center", fontsize=8)
    hubs = nodes["hidden units"].query("edges > 0").nlargest(10, "edges")
    panel.scatter(hubs["x"], hubs["y"], s=45, color=look.INK, ec="white", zorder=4)
    panel.set(xlim=(-0.01, 1.16), ylim=(-2.12, 0.12))
    panel.axis("off")
    look.put_legend(figure, axes.flat)
    look.put_note(figure, f"{len(edges):,} weights; large dots: the {len(hubs)} hidden units with most")
    return figure


def _nodes(edges: pd.DataFrame, sizes: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Return the nodes of each column: where they lie, and how many edges they have."""
    found = {}
    for place, (name, size) in enumerate(zip(("inputs", "hidden units", "outputs"), sizes, strict=True)):
        ends = [edges.loc[edges["layer"] == place, "start"], edges.loc[edges["layer"] == place - 1, "end"]]
        for column, one in zip(("start", "end"), ends, strict=True):
            if len(one) and one.max() >= size:
                raise DataError(f"layer {place - (column == 'end')}: {column} {one.max()} of {size} nodes")
        degree = np.bincount(pd.concat(ends).to_numpy(dtype=int), minlength=size)
        found[name] = pd.DataFrame({"x": (np.arange(size) + 0.5) / size, "y": -1.0 * place, "edges": degree})
    return found


def describe_weights(edges: pd.DataFrame, sizes: Sequence[int]) -> str:
    """Return a sentence for the alt text of `weights_map`: edges, their signs, nodes that have one."""
    nodes = _nodes(edges, sizes)
    touched = [f"{(of['edges'] > 0).sum():,} of {len(of):,} {name}" for name, of in nodes.items()]
    return (
        f"{len(edges):,} strong weights, {(edges['weight'] > 0).mean():.0%} of them positive, touch "
        f"{touched[0]}, {touched[1]} and {touched[2]}; the busiest hidden unit has "
        f"{nodes['hidden units']['edges'].max():,}."
    )


@look.theme()
def workflow() -> Figure:
    """Return the schematic of heil2022's figure 1: comparison, study-wise and sample-wise folds, pretraining.

    Drawn by code from nothing: no outcome is in it.
    """
    figure, axes = look.new_figure(1, 2, height=2.35, height_ratios=[1, 1.25])
    for panel, draw in zip(axes.flat, (_comparison, _folds), strict=True):
        draw(panel)
        panel.axis("off")
    return figure


def _comparison(panel: Axes) -> None:
    """Draw the road from data to the question."""
    panel.set(xlim=(-0.008, 1.008), ylim=(0, 1))
    panel.text(0, 0.97, "A   What is compared", weight="bold", fontsize=9.5, va="top")
    _box(panel, 0.0, 0.33, 0.2, 0.3, "expression\nsamples × genes\ntissue or sex")
    _box(panel, 0.28, 0.56, 0.2, 0.2, "intact")
    _box(panel, 0.28, 0.14, 0.2, 0.2, "linear signal\nremoved")
    _box(panel, 0.56, 0.33, 0.2, 0.3, "logistic regression\nthree-layer net\nfive-layer net")
    _box(panel, 0.84, 0.33, 0.16, 0.3, "balanced\naccuracy\nagainst chance")
    for height in (0.66, 0.24):
        _arrow(panel, (0.205, 0.48), (0.275, height))
        _arrow(panel, (0.485, height), (0.555, 0.48))
    _arrow(panel, (0.765, 0.48), (0.835, 0.48))


_STUDIES = [4, 3, 5, 2, 6, 3, 4, 3, 5, 5]  # samples in each of ten made-up studies, forty in all
_SCATTERED = {1, 7, 13, 16, 22, 27, 31, 36}
_TRAIN, _TEST, _PRETRAIN = look.SKY, look.ORANGE, look.AMBER


def _folds(panel: Axes) -> None:
    """Draw the three ways of splitting on the same ten studies."""
    panel.set(xlim=(-0.008, 1.008), ylim=(-0.16, 1.42))
    title = "B   How a fold is cut (ten studies or donors, one square a sample)"
    panel.text(0, 1.42, title, weight="bold", fontsize=9.5, va="top")
    held_out = {study: _TEST for study in (2, 7)}
    pretraining = held_out | {study: _PRETRAIN for study in (0, 4, 5, 9)}
    _strip(panel, 0.86, "sample-wise: every study is on both sides, so a model can know the study",
           lambda _, sample: _TEST if sample in _SCATTERED else _TRAIN)  # fmt: skip
    _strip(panel, 0.43, "study-wise: whole studies are held out",
           lambda study, _: held_out.get(study, _TRAIN))  # fmt: skip
    _strip(panel, 0.0, "pretraining: two folds pretrain, two train, one tests",
           lambda study, _: pretraining.get(study, _TRAIN))  # fmt: skip
    for place, (colour, word) in enumerate(((_TRAIN, "train"), (_PRETRAIN, "pretrain"), (_TEST, "test"))):
        panel.add_patch(Rectangle((place * 0.16, -0.15), 0.022, 0.08, fc=colour, ec="none"))
        panel.text(place * 0.16 + 0.03, -0.11, word, fontsize=8, va="center")


def _strip(panel: Axes, y: float, title: str, colour_of: Callable[[int, int], str]) -> None:
    """Draw forty samples in a row, grouped by study, coloured by what they are used for."""
    panel.text(0, y + 0.2, title, fontsize=8.5, va="bottom")
    studies = np.repeat(np.arange(len(_STUDIES)), _STUDIES)
    for sample, study in enumerate(studies):
        corner = (0.0215 * sample + 0.0135 * study, y)
        panel.add_patch(Rectangle(corner, 0.0195, 0.15, fc=colour_of(study, sample), ec="white", lw=0.6))
