"""What the data look like: values of a feature by class, two features, densities, sizes of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures.lettering import drawn
from exprml.book.figures.look import MUTED, look, new_figure, put_legend, put_note

_CLASSES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F7F7F")
_NAMED = {"blue": "#0072B2", "red": "#D55E00"}  # classes of heil2022's simulation: named after their colours


def _colours(labels: Sequence[str]) -> dict[str, str]:
    return {
        label: _NAMED.get(str(label), _CLASSES[place % len(_CLASSES)]) for place, label in enumerate(labels)
    }  # fmt: skip


def feature_histograms(
    values: np.ndarray,
    labels: Sequence[str],
    features: Mapping[str, int],
    *,
    bins: int = 40,
    what: str = "expression",
    shared: bool = True,
) -> Figure:
    """Draw the values of chosen features by class, a panel each: what a linear and a nonlinear feature are.

    Parameters
    ----------
    values : ndarray, samples × features
    labels : sequence of str
        Class of each sample.
    features : mapping of panel title to column
        E.g. ``{"A linear feature": 0, "A nonlinear feature": 2500}``.
    bins : int
        Bars, the same for every class and panel.
    what : str
        Words for the axis.
    shared : bool
        The same horizontal scale in every panel.

    Raises
    ------
    DataError
        If labels and samples differ in number.
    """
    labels = np.asarray(labels).astype(str)
    if len(labels) != values.shape[0]:
        raise DataError(f"{len(labels)} labels for {values.shape[0]} samples")
    colours = _colours(sorted(set(labels)))
    with look():
        figure, axes = new_figure(len(features), height=2.7, sharex=shared, sharey=shared)
        for panel, (title, column) in zip(axes.flat, features.items(), strict=True):
            _histograms(panel, np.asarray(values[:, column], dtype=float).ravel(), labels, colours, bins)
            panel.set(title=title, xlabel=what)
        axes[0, 0].set_ylabel("samples")
        put_legend(figure, axes.flat)
        put_note(figure, "triangles: class means, all that a linear model of one feature sees")
    return figure


def _histograms(
    panel: Axes, values: np.ndarray, labels: np.ndarray, colours: Mapping[str, str], bins: int
) -> None:
    """Draw one feature: a histogram and the mean of each class."""
    edges = np.linspace(np.nanmin(values), np.nanmax(values) + 1e-9, bins + 1)
    for place, (label, colour) in enumerate(colours.items()):
        own = values[labels == label]
        panel.hist(own, bins=edges, color=colour, alpha=0.45, label=label, histtype="stepfilled")
        panel.hist(own, bins=edges, color=colour, histtype="step", lw=1.2)
        mark = {"marker": "^", "markersize": 12 - 4 * place, "markeredgecolor": "white", "zorder": 4}
        panel.plot(own.mean(), 0, color=colour, clip_on=False, **mark)


def scatter(
    points: pd.DataFrame,
    x: str,
    y: str,
    *,
    label: str | None = None,
    facet: str | None = None,
    words: Mapping[str, str] | None = None,
    equal: bool = False,
) -> Figure:
    """Draw two columns against each other, a colour and marker per class, a panel per `facet`.

    Parameters
    ----------
    points : DataFrame
        One row a point.
    x, y : str
        Columns on the axes; `words` gives them better names.
    label : str, optional
        Column of classes.
    facet : str, optional
        Column that makes panels.
    equal : bool
        One unit as long on both axes.
    """
    words = words or {}
    names = list(dict.fromkeys(points[label].astype(str))) if label else [""]
    panels = list(points.groupby(facet, sort=False)) if facet else [("", points)]
    with look():
        figure, axes = new_figure(len(panels), height=3.2, sharex=True, sharey=True)
        for panel, (title, part) in zip(axes.flat, panels, strict=True):
            for (name, colour), marker in zip(_colours(names).items(), "os^vDPX*" * 8, strict=False):
                own = part[part[label].astype(str) == name] if label else part
                panel.scatter(
                    own[x],
                    own[y],
                    s=14,
                    color=colour,
                    marker=marker,
                    alpha=0.65,
                    lw=0,
                    label=name,
                    rasterized=True,
                )
            panel.set(title=title, xlabel=words.get(x, x))
            panel.set_aspect("equal" if equal else "auto")
        axes[0, 0].set_ylabel(words.get(y, y))
        if label:
            put_legend(figure, axes.flat, columns=5)
    return figure


def density(
    samples: Mapping[str, np.ndarray],
    *,
    what: str = "value",
    title: str = "",
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw smoothed densities of several sets of numbers over one axis.

    Parameters
    ----------
    samples : mapping of name to 1-d array
    what, title : str
        Words for the axis and the title.
    marks : mapping of words to value, optional
        Vertical lines to name ("detection floor").
    """
    from scipy.stats import gaussian_kde

    clean = {name: np.asarray(values, dtype=float).ravel() for name, values in samples.items()}
    clean = {name: values[np.isfinite(values)] for name, values in clean.items()}
    ends = np.concatenate(list(clean.values()))
    grid = np.linspace(ends.min(), ends.max(), 256)
    with look():
        figure, axes = new_figure(height=2.9)
        panel = axes[0, 0]
        for (name, values), dash in zip(clean.items(), ["-", "--", "-.", ":"] * 8, strict=False):
            colour = _colours(list(clean))[name]
            curve = gaussian_kde(values)(grid) if np.ptp(values) > 0 else np.zeros_like(grid)
            panel.plot(grid, curve, label=f"{name} (n = {len(values):,})", color=colour, ls=dash)
            panel.fill_between(grid, curve, color=colour, alpha=0.12, lw=0)
        for words, place in (marks or {}).items():
            panel.axvline(place, color=MUTED, lw=1, ls=(0, (4, 3)))
            panel.annotate(words, (place, 1), xycoords=("data", "axes fraction"), fontsize=7.5, color=MUTED)
        panel.set(title=title, xlabel=what, ylabel="density", ylim=(0, None))
        put_legend(figure, axes.flat)
    return figure


def class_sizes(
    table: pd.DataFrame, label: str, group: str, *, floor: int | None = None, group_word: str = "donors"
) -> Figure:
    """Draw samples and groups per class: a class counts by its groups.

    Parameters
    ----------
    table : DataFrame
        One row a sample (``adata.obs``).
    label, group : str
        Columns with the class and with what must not be split ("tissue", "donor").
    floor : int, optional
        Least number of groups a class needs; drawn, and classes below it are hollow.
    group_word : str
        Words for the groups.
    """
    counts = (
        table.groupby(label, observed=True)[group].agg(["size", "nunique"]).sort_values(["nunique", "size"])
    )
    places = np.arange(len(counts))
    kept = (counts["nunique"] >= (floor or 0)).to_numpy()
    with look():
        figure, axes = new_figure(height=0.9 + 0.2 * len(counts))
        panel = axes[0, 0]
        panel.hlines(places, counts["nunique"], counts["size"], color="#b8c1cb", lw=2)
        panel.plot(counts["size"], places, "|", ms=9, mew=2, color="#0072B2", label="samples")
        panel.plot(counts["nunique"][kept], places[kept], "o", ms=6, color="#D55E00", label=group_word)
        if floor:
            panel.plot(
                counts["nunique"][~kept],
                places[~kept],
                "o",
                ms=6,
                mfc="white",
                color="#D55E00",
                label="excluded",
            )
            panel.axvline(floor, color=MUTED, lw=1, ls=(0, (4, 3)), label=f"at least {floor} {group_word}")
        panel.set_yticks(places, drawn(counts.index))
        panel.set(
            xscale="log", xlabel=f"samples and {group_word} (logarithmic)", ylim=(-0.7, len(counts) - 0.3)
        )
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.grid(axis="y", visible=False)
        put_legend(figure, axes.flat)
    return figure
