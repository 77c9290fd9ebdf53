"""What the data look like: values of a feature by class, two features, densities, sizes of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.lettering import Says, drawn
from exprml.book.figures.look import Drawing


@look.kind
def feature_histograms(
    values: np.ndarray,
    labels: Sequence[str],
    features: Mapping[str, int],
    *,
    what: str = "expression",
    shared: bool = True,
) -> Drawing:
    """Draw the values of chosen features by class, a panel each: what a linear and a nonlinear feature are.

    Parameters
    ----------
    values : ndarray, samples × features
    labels : sequence of str
        Class of each sample.
    features : mapping of panel title to column
        E.g. ``{"A linear feature": 0, "A nonlinear feature": 2500}``.
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
    figure, axes = look.new_figure(len(features), across=4, height=2.7, sharex=shared, sharey=shared)
    for panel, (title, column) in zip(axes.flat, features.items(), strict=False):
        rows = pd.DataFrame({"value": np.ravel(values[:, column]).astype(float), "class": labels})
        for place, (name, own) in enumerate(rows.groupby("class")["value"]):
            colour = styles[name]["color"]
            sns.histplot(own, bins=40, binrange=(rows["value"].min(), rows["value"].max()), element="step",
                         color=colour, alpha=0.45, label=name, ax=panel)  # fmt: skip
            panel.plot(own.mean(), 0, "^", ms=12 - 4 * place, color=colour, mec="white", clip_on=False)
        panel.set(title=title, xlabel=what)
    note = "triangles: class means, all that a linear model of one feature sees"
    told = [
        f"{title} {', '.join(f'{name} {np.mean(column[labels == name]):.2f}' for name in styles)}"
        for title, column in ((title, values[:, place]) for title, place in features.items())
    ]
    says = Says("Histograms by class", "Class means", told)
    return look.finish(figure, axes, what="samples", note=note, says=says)


@look.kind
def scatter(
    points: pd.DataFrame, x: str, y: str, *, label: str, words: Mapping[str, str] | None = None
) -> Drawing:
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
    styles = look.class_styles(points[label].unique())
    palette, markers = ({name: one[of] for name, one in styles.items()} for of in ("color", "marker"))
    shown = sns.scatterplot(points.astype({label: str}), x=x, y=y, hue=label, style=label, palette=palette,
                            markers=markers, s=18, alpha=0.65, linewidth=0, ax=axes[0, 0])  # fmt: skip
    shown.get_legend().remove()
    axes[0, 0].set_xlabel(words.get(x, x))
    middle = points.groupby(label, sort=False)[[x, y]].median()
    told = (f"{name} {own[x]:.2f} and {own[y]:.2f}" for name, own in middle.iterrows())
    says = Says(f"Dots, {words.get(x, x)} and {words.get(y, y)}", "Medians", told)
    return look.finish(figure, axes, what=words.get(y, y), note="", says=says, columns=5)


def draw_densities(
    lines: Mapping[str, tuple[np.ndarray, Mapping[str, object]]], what: str, ends: tuple[float, float]
) -> tuple[Drawing, np.ndarray]:
    """Return a figure with a smoothed density of each (values, style) between two ends, its mean marked."""
    figure, axes = look.new_figure(height=3.0)
    panel = axes[0, 0]
    for name, (values, style) in lines.items():
        if np.ptp(values) > 1e-9:
            sns.kdeplot(x=values, clip=ends, cut=99, gridsize=200, ax=panel, label=name, **style)
        else:  # all the same: the place
            panel.axvline(values[0], label=name, **style)
        panel.plot(values.mean(), 0, "^", ms=9, color=style["color"], mec="white", clip_on=False, zorder=4)
    panel.set(xlabel=what, ylim=(0, None))
    return figure, axes


@look.kind
def density(
    samples: Mapping[str, np.ndarray], *, what: str = "value", marks: Mapping[str, float] | None = None
) -> Drawing:
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
    styles = [
        {one: style[one] for one in ("color", "linestyle")} for style in look.class_styles(clean).values()
    ]
    lines = {f"{name} (n = {len(values):,})": (values, style)
             for (name, values), style in zip(clean.items(), styles, strict=True)}  # fmt: skip
    figure, axes = draw_densities(lines, what, (every.min(), every.max()))
    look.draw_marks(axes[0, 0], marks)
    quartiles = {name: np.quantile(values, [0.25, 0.5, 0.75]) for name, values in clean.items()}
    told = (f"{name} {mid:.2f} ({low:.2f} to {high:.2f})" for name, (low, mid, high) in quartiles.items())
    says = Says(f"Densities of {what}", "Median and middle half", told)
    return look.finish(figure, axes, what="density", note="triangles: means", says=says)


@look.kind
def class_sizes(
    table: pd.DataFrame, label: str, group: str, *, floor: int | None = None, group_word: str = "donors"
) -> Drawing:
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
    places = np.arange(len(counts))
    panel.hlines(places, counts["groups"], counts["samples"], color="#b8c1cb", lw=2)
    panel.plot(counts["samples"], places, "D", ms=6, color=look.BLUE, label="samples")
    for own, inside, words in ((kept, look.ORANGE, group_word), (~kept, "white", "excluded")):
        if own.any():
            panel.plot(
                counts["groups"][own], places[own], "o", ms=6, color=look.ORANGE, mfc=inside, label=words
            )
    panel.set_yticks(places, counts.index)
    panel.invert_yaxis()
    if floor:
        panel.axvline(floor, color=look.MUTED, lw=1, ls=(0, (4, 3)), label=f"at least {floor} {group_word}")
    panel.set_xlabel(f"samples and {group_word} (logarithmic)")
    look.log_scale(panel)
    told = [f"most {group_word} {counts.index[0]} ({counts['groups'].iloc[0]:,})",
            f"fewest {counts.index[-1]} ({counts['groups'].iloc[-1]:,})"]  # fmt: skip
    if floor:
        told.append(f"{kept.sum()} of {len(kept)} have at least {floor}")
    says = Says(f"Dots, samples and {group_word} of each {label}", "", told)
    return look.finish(figure, axes, what="", note="", says=says)
