"""Errors of predicted genes: their density, and one model against another gene by gene."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from exprml.base.errors import DataError
from exprml.book.figures import look
from exprml.book.figures.distributions import draw_densities
from exprml.book.figures.lettering import IN_FIGURE, IN_RESULTS, Says
from exprml.book.figures.look import Drawing
from exprml.evaluation.gene_errors import GeneWins, Side, errors_beside, gene_wins


def side_label(side: Side) -> str:
    """Return the words for a model, or a (model, setting)."""
    model, setting = (side, "") if isinstance(side, str) else side
    return f"{look.model_label(model)}, {setting}" if setting else look.model_label(model)


@look.kind
def error_density(genes: pd.DataFrame) -> Drawing:
    """Draw the density of the error over genes, a line for each model and setting, controls in grey.

    As Fig 2 of chen2016. The mean of each line, the overall error, is a mark on the axis.

    Parameters
    ----------
    genes : DataFrame
        Columns gene, absolute_error, model and, where there are several, setting, control, fold, seed
        (``Inference.genes``); errors are averaged over folds and seeds first.

    Raises
    ------
    DataError
        If there is nothing to draw.
    """
    lines = _errors_by_line(genes)
    every = np.concatenate(list(lines.values()))
    models, styled = list(dict.fromkeys(model for model, *_ in lines)), {}
    for (model, setting, control), errors in lines.items():
        own = [line[1] for line in lines if line[0] == model and line[2] == control]
        dash = models.index(model) if len(own) == 1 else own.index(setting)
        style = {"color": look.model_style(model)["color"], "linestyle": look.DASHES[dash % 4]}
        words = side_label((model, setting if own[1:] else ""))
        if control:
            style, words = look.control_style(control), look.control_label(control)
        styled[words] = errors, style
    ends = max(0.0, every.min() - 0.05), every.max() + 0.05
    figure, axes = draw_densities(styled, "mean absolute error of a gene", ends)
    note = f"{len(errors):,} genes; triangles: mean over genes"
    told = (f"{words} {own.mean():.3f}" for words, (own, _) in styled.items())
    says = Says("Densities of the error over genes", "Means", told, IN_RESULTS)
    return look.finish(figure, axes, what="density over genes", note=note, says=says, columns=3)


def _errors_by_line(genes: pd.DataFrame) -> dict[tuple[str, str, str], np.ndarray]:
    """Return (model, setting, control) -> error of each gene; models in the book's order, controls last."""
    if genes.empty:
        raise DataError("no errors of genes to draw: the table is empty")
    line = ["model", "setting", "control"]
    given = genes.assign(**{name: "" for name in line if name not in genes})
    errors = given.groupby([*line, "gene"], sort=False)["absolute_error"].mean()
    found = {key: part.to_numpy() for key, part in errors.groupby(level=line, sort=False)}
    order = look.in_order(model for model, *_ in found)
    return dict(sorted(found.items(), key=lambda one: (one[0][2] != "", order.index(one[0][0]))))


@look.kind
def gene_scatter(
    genes: pd.DataFrame, x: Side, y: Side | list[Side], *, words: Mapping[Side, str] | None = None
) -> Drawing:
    """Draw each gene's error under two models against each other, with the share of wins and their size.

    As Fig 3 of chen2016: above the diagonal the model on the horizontal axis is ahead.

    Parameters
    ----------
    genes : DataFrame
        ``Inference.genes``.
    x : str or (str, str)
        Model, or (model, setting), on the horizontal axis.
    y : the same, or a list of them
        On the vertical axis; several make panels.
    words : mapping, optional
        Other words for a side.
    """
    sides, words = y if isinstance(y, list) else [y], words or {}
    height = 3.5 if len(sides) < 3 or look.narrow() else 2.8  # panels are squares
    figure, axes = look.new_figure(len(sides), height=height, sharex=True, sharey=True)
    for panel, side in zip(axes.flat, sides, strict=False):
        _against(panel, errors_beside(genes, x, side), gene_wins(genes, x, side))
        panel.set(xlabel=f"error, {words.get(x, side_label(x))}", aspect="equal")
        panel.set_ylabel(f"error, {words.get(side, side_label(side))}", visible=True)
    note = "dot: a gene; above the line the horizontal axis's model is ahead; shade: within 1 % of it"
    named = words.get(x, side_label(x))
    told = (f"lower than {words.get(side, side_label(side))} in {gene_wins(genes, x, side).share:.1%}"
            for side in sides)  # fmt: skip
    says = Says("Dots, a gene each: errors of two models", f"The error of {named} is", told, IN_FIGURE)
    return look.told(figure, note, says)


def _against(panel: Axes, both: pd.DataFrame, wins: GeneWins) -> None:
    """Draw one panel: genes, the diagonal, what the wins are worth."""
    ends = np.array([0.0, float(both.to_numpy().max()) * 1.03])
    panel.fill_between(ends, 0.99 * ends, 1.01 * ends, color=look.MUTED, alpha=0.3, lw=0)
    panel.plot(ends, ends, color=look.INK, lw=0.9)
    style = {"color": look.BLUE, "alpha": 0.35, "linewidth": 0}
    sns.scatterplot(both, x="x", y="y", s=5, ax=panel, **style)
    text = f"lower in {wins.share:.1%} of {wins.n_genes:,} genes\ngain: median {wins.median:+.1%}"
    text += f"\n5–95 %: {wins.low:+.1%} to {wins.high:+.1%}"
    box = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": "none", "alpha": 0.85}
    panel.text(0.03, 0.98, text, transform=panel.transAxes, va="top", fontsize=7.5, color=look.INK, bbox=box)
