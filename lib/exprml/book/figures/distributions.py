"""What the data look like: values of a feature by class, two features, densities, sizes of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.lettering import drawn


@look.theme()
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
    styles = look.class_styles(sorted(set(labels)))
    figure, axes = look.new_figure(len(features), height=2.7, sharex=shared, sharey=shared)
    for panel, (title, column) in zip(axes.flat, features.items(), strict=True):
        rows = pd.DataFrame({"value": np.ravel(values[:, column]).astype(float), "class": labels})
        for place, (name, own) in enumerate(rows.groupby("class")["value"]):
            colour = styles[name]["color"]
            sns.histplot(own, bins=bins, binrange=(rows["value"].min(), rows["value"].max()), element="step",
                         color=colour, alpha=0.45, label=name, ax=panel)  # fmt: skip
            panel.plot(own.mean(), 0, "^", ms=12 - 4 * place, color=colour, mec="white", clip_on=False)
        panel.set(title=title, xlabel=what)
    note = "triangles: class means, all that a linear model of one feature sees"
    return look.finish(figure, axes, what="samples", note=note)


@look.theme()
def scatter(
    points: pd.DataFrame, x: str, y: str, *, label: str, words: Mapping[str, str] | None = None
) -> Figure:
    """Draw two columns against each other, a colour and marker per class.

    Parameters
    ----------
    points : DataFrame
        One row a point.
    x, y : str
        Columns on the axes; `words` gives them better names.
    label : str
        Column of classes.
    """
    words = words or {}
    figure, axes = look.new_figure(height=3.2)
    for name, style in look.class_styles(points[label].unique()).items():
        own = points[points[label].astype(str) == name]
        sns.scatterplot(own, x=x, y=y, color=style["color"], marker=style["marker"], label=name, s=18,
                        alpha=0.65, linewidth=0, legend=False, rasterized=True, ax=axes[0, 0])  # fmt: skip
    axes[0, 0].set_xlabel(words.get(x, x))
    return look.finish(figure, axes, what=words.get(y, y), note="", columns=5)


def draw_density(panel: Axes, values: np.ndarray, ends: tuple[float, float], **style: object) -> None:
    """Draw a smoothed density between two ends; of values that are all the same, the place."""
    if np.ptp(values) > 1e-9:
        sns.kdeplot(x=values, clip=ends, cut=99, gridsize=300, ax=panel, **style)
    else:
        panel.axvline(values[0], **style)


@look.theme()
def density(
    samples: Mapping[str, np.ndarray], *, what: str = "value", marks: Mapping[str, float] | None = None
) -> Figure:
    """Draw smoothed densities of several sets of numbers over one axis.

    Parameters
    ----------
    samples : mapping of name to 1-d array
    what : str
        Words for the axis.
    marks : mapping of words to value, optional
        Vertical lines to name ("detection floor").
    """
    clean = {name: np.asarray(values, dtype=float).ravel() for name, values in samples.items()}
    clean = {name: values[np.isfinite(values)] for name, values in clean.items()}
    every = np.concatenate(list(clean.values()))
    figure, axes = look.new_figure(height=2.9)
    panel = axes[0, 0]
    for (name, values), style in zip(clean.items(), look.class_styles(clean).values(), strict=True):
        line = {"color": style["color"], "linestyle": style["linestyle"]}
        draw_density(panel, values, (every.min(), every.max()), label=f"{name} (n = {len(values):,})", **line)
        panel.fill_between(*panel.lines[-1].get_data(), color=style["color"], alpha=0.12, lw=0)
    for words, place in (marks or {}).items():
        panel.axvline(place, color=look.MUTED, lw=1, ls=(0, (4, 3)))
        panel.annotate(words, (place, 1), xycoords=("data", "axes fraction"), fontsize=7.5, color=look.MUTED)
    panel.set(xlabel=what, ylim=(0, None))
    return look.finish(figure, axes, what="density", note="")


@look.theme()
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
    counts = table.groupby(label, observed=True)[group].agg(samples="size", groups="nunique")
    counts = counts.sort_values(["groups", "samples"], ascending=False)
    counts.index = drawn(counts.index)
    kept = counts["groups"] >= (floor or 0)
    figure, axes = look.new_figure(height=0.9 + 0.2 * len(counts))
    panel = axes[0, 0]
    panel.hlines(range(len(counts)), counts["groups"], counts["samples"], color="#b8c1cb", lw=2)

    def dots(values: pd.Series, label: str, **style: object) -> None:
        style |= {"order": counts.index, "jitter": False, "zorder": 3, "legend": False, "label": label}
        sns.stripplot(x=values, y=values.index, ax=panel, **style)

    dots(counts["samples"], "samples", marker="D", size=7, color=look.BLUE)
    ring = {"size": 6, "edgecolor": look.ORANGE, "linewidth": 1}
    dots(counts["groups"][kept], group_word, color=look.ORANGE, **ring)
    if floor:
        dots(counts["groups"][~kept], "excluded", color="white", **ring)
        panel.axvline(floor, color=look.MUTED, lw=1, ls=(0, (4, 3)), label=f"at least {floor} {group_word}")
    panel.set(xscale="log", xlabel=f"samples and {group_word} (logarithmic)")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    return look.finish(figure, axes, what="", note="")
