"""What shows no outcome: the layers of a network, its strongest weights, a graph of genes."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.patches import FancyBboxPatch

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.lettering import IN_FIGURE, Says
from exprml.book.figures.look import Drawing


@look.kind
def architecture(layers: Sequence[tuple[str, int]], *, between: Sequence[str]) -> Drawing:
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
    panel, gap = axes[0, 0], "\n" if look.narrow() else " "  # a word a line on a telephone
    for place, (words, width) in enumerate(layers):
        height = 0.35 + 0.65 * np.sqrt(width / tallest)
        box = {"boxstyle": "round,pad=0.004,rounding_size=0.02", "fc": "#eef4f8", "ec": look.BLUE}
        panel.add_patch(FancyBboxPatch((place - 0.1, 0.5 - height / 2), 0.2, height, **box))
        panel.text(place, 0.5, f"{width:,}", ha="center", va="center", fontsize=8.5, rotation=90)
        panel.text(place, -0.06, words.replace(" ", gap), ha="center", va="top", fontsize=8.5)
    for place, words in enumerate(between):
        arrow = {"arrowstyle": "-|>", "color": look.MUTED, "lw": 1.1}
        panel.annotate("", (place + 0.84, 0.5), (place + 0.16, 0.5), arrowprops=arrow)
        small = {"ha": "center", "va": "bottom", "fontsize": 7.5, "color": look.MUTED}
        panel.text(place + 0.5, 0.54, words.replace(" ", gap), **small)
    panel.set(xlim=(-0.5, len(layers) - 0.5), ylim=(-0.16, 1.04))
    panel.axis("off")
    note = "height of a block: square root of its width; biases are not counted"
    blocks = ", ".join(f"{words} {width:,}" for words, width in layers)
    says = Says("Blocks from left to right, each connected to all of the next", "", [blocks], IN_FIGURE)
    return look.told(figure, note, says)


@look.kind
def weights_map(edges: pd.DataFrame, sizes: Sequence[int]) -> Drawing:
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
            linewidths=0.5, alpha=faint,
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
    note = f"{len(edges):,} weights; large dots: the {len(hubs)} hidden units with most"
    touched = ", ".join(f"{(of['edges'] > 0).sum():,} of {len(of):,} {name}" for name, of in nodes.items())
    told = [f"{len(edges):,} strong weights, {(edges['weight'] > 0).mean():.0%} positive, touch {touched}",
            f"the busiest hidden unit has {nodes['hidden units']['edges'].max():,}"]  # fmt: skip
    return look.told(figure, note, Says("Lines between three rows of nodes", "", told, IN_FIGURE))


@look.kind
def graph_map(edges: pd.DataFrame) -> Drawing:
    """Draw a graph of genes, those near each other that share neighbours (mcdermott2020, Fig 3).

    Parameters
    ----------
    edges : DataFrame
        Columns source and target, each pair of genes once.
    """
    graph = nx.from_pandas_edgelist(edges)
    degree, places = pd.Series(dict(graph.degree)), nx.spring_layout(graph, seed=0)
    figure, axes = look.new_figure(height=4.6)
    panel = axes[0, 0]
    lines = nx.draw_networkx_edges(graph, places, ax=panel, width=0.2, alpha=0.25)
    dots = nx.draw_networkx_nodes(
        graph, places, ax=panel, node_size=3 + 1.5 * degree, node_color=look.BLUE, alpha=0.7
    )
    for drawn in (lines, dots):
        drawn.set_rasterized(True)  # thousands of lines: a picture is a tenth of their size
    panel.axis("off")
    most = ", ".join(f"{name} with {count}" for name, count in degree.nlargest(3).items())
    told = [f"{len(degree):,} genes, {len(edges):,} edges, in the middle {most} neighbours"]
    told.append(f"{(degree == 1).sum():,} genes hang on by one edge")
    says = Says("A graph drawn as dots and lines", "", told)
    return look.told(figure, "the larger a dot, the more neighbours", says)


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
