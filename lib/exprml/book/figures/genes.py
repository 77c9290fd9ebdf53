"""Errors of predicted genes: density, one model against another gene by gene, error by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from exprml.base.errors import DataError
from exprml.book.figures.look import (
    BETWEEN,
    INK,
    LEVEL_DASHES,
    MUTED,
    control_label,
    control_style,
    in_order,
    look,
    model_label,
    model_style,
    new_figure,
    put_legend,
    put_note,
)
from exprml.evaluation.gene_errors import GeneWins, Side, errors_beside, gene_wins

ERROR = "mean absolute error"
_LINES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
_POINT = "#0072B2"


def side_label(side: Side) -> str:
    """Return the words for a model, or a (model, setting)."""
    if isinstance(side, str):
        return model_label(side)
    return f"{model_label(side[0])}, {side[1]}" if side[1] else model_label(side[0])


def error_density(genes: pd.DataFrame, *, what: str = f"{ERROR} of a gene", note: str = "") -> Figure:
    """Draw the density of the error over genes, a line for each model and setting, controls in grey.

    As Fig 2 of chen2016. The mean of each line, the overall error, is a mark on the axis.

    Parameters
    ----------
    genes : DataFrame
        Columns gene, absolute_error, model and, where there are several, setting, control, fold, seed
        (``Inference.genes``); errors are averaged over folds and seeds first.
    what, note : str
        Words for the axis; small print.

    Raises
    ------
    DataError
        If there is nothing to draw.
    """
    from scipy.stats import gaussian_kde

    lines = _errors_by_line(genes)
    ends = np.concatenate([errors for *_, errors in lines])
    grid = np.linspace(max(0.0, ends.min() - 0.05), ends.max() + 0.05, 300)
    models = list(dict.fromkeys(model for model, *_ in lines))
    with look():
        figure, axes = new_figure(height=3.0)
        panel = axes[0, 0]
        for model, setting, control, errors in lines:
            own = [line[1] for line in lines if line[0] == model and line[2] == control]
            style = control_style(control) if control else {"color": model_style(model)["color"]}
            if not control:
                style["ls"] = _LINES[(models.index(model) if len(own) == 1 else own.index(setting)) % 4]
            label = control_label(control) if control else side_label((model, setting if own[1:] else ""))
            curve = gaussian_kde(errors)(grid) if np.ptp(errors) > 1e-9 else np.zeros_like(grid)
            panel.plot(grid, curve, label=label, **style)
            panel.plot(
                errors.mean(), 0, "^", ms=9, color=style["color"], mec="white", clip_on=False, zorder=4
            )
        panel.set(xlabel=what, ylabel="density over genes", ylim=(0, None))
        put_legend(figure, axes.flat, columns=3)
        words = f"{len(lines[0][-1]):,} genes; triangles: mean over genes"
        put_note(figure, BETWEEN.join(filter(None, [words, note])))
    return figure


def _errors_by_line(genes: pd.DataFrame) -> list[tuple[str, str, str, np.ndarray]]:
    """Return (model, setting, control, error of each gene), models in the book's order, controls last."""
    if genes.empty:
        raise DataError("no errors of genes to draw: the table is empty")
    given = genes.assign(**{name: "" for name in ("setting", "control") if name not in genes})
    errors = given.groupby(["model", "setting", "control", "gene"], sort=False)["absolute_error"].mean()
    parts = errors.groupby(level=["model", "setting", "control"], sort=False)
    lines = [(*key, part.to_numpy()) for key, part in parts]
    order = {name: place for place, name in enumerate(in_order(line[0] for line in lines))}
    return sorted(lines, key=lambda line: (line[2] != "", order[line[0]]))


def describe_density(genes: pd.DataFrame) -> str:
    """Return a sentence for the alt text of `error_density`: mean and middle half of each line."""
    parts = []
    for model, setting, control, errors in _errors_by_line(genes):
        low, high = np.quantile(errors, [0.25, 0.75])
        words = control_label(control) if control else side_label((model, setting))
        parts.append(f"{words} {errors.mean():.3f} ({low:.3f} to {high:.3f})")
    return f"Mean error over genes, and the range of the middle half of them: {'; '.join(parts)}."


def gene_scatter(
    genes: pd.DataFrame,
    x: Side,
    y: Side | Sequence[Side],
    *,
    words: Mapping[Side, str] | None = None,
    note: str = "",
) -> Figure:
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
    note : str
        Small print.
    """
    sides = list(y) if isinstance(y, list) else [y]
    words = words or {}
    with look():
        figure, axes = new_figure(len(sides), height=3.5, sharex=True, sharey=True)
        for panel, side in zip(axes.flat, sides, strict=True):
            both = errors_beside(genes, x, side)
            _scatter(panel, both, gene_wins(genes, x, side))
            panel.set(xlabel=f"error, {words.get(x, side_label(x))}", aspect="equal")
            panel.set_ylabel(f"error, {words.get(side, side_label(side))}")
        text = "dot: a gene; above the line the horizontal axis's model is ahead; shade: within 1 % of it"
        put_note(figure, BETWEEN.join(filter(None, [text, note])))
    return figure


def _scatter(panel: Axes, both: pd.DataFrame, wins: GeneWins) -> None:
    """Draw one panel: genes, the diagonal, what the wins are worth."""
    ends = np.array([0.0, float(both.to_numpy().max()) * 1.03])
    panel.fill_between(ends, 0.99 * ends, 1.01 * ends, color=MUTED, alpha=0.3, lw=0)
    panel.plot(ends, ends, color=INK, lw=0.9)
    panel.scatter(both["x"], both["y"], s=5, color=_POINT, alpha=0.35, lw=0, rasterized=True)
    text = f"lower in {wins.share:.1%} of {wins.n_genes:,} genes\ngain: median {wins.median:+.1%}"
    text += f"\n5–95 %: {wins.low:+.1%} to {wins.high:+.1%}"
    box = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": "none", "alpha": 0.85}
    panel.text(0.03, 0.98, text, transform=panel.transAxes, va="top", fontsize=7.5, color=INK, bbox=box)


def describe_wins(wins: GeneWins, better: str, than: str) -> str:
    """Return a sentence on `gene_wins`: share of genes, and the size of the gains.

    Parameters
    ----------
    wins : GeneWins
    better, than : str
        Words for the two models.
    """
    return (
        f"{better} has the lower error in {wins.share:.1%} of {wins.n_genes:,} genes; its gain over {than} "
        f"is {wins.median:+.1%} in the median gene, {wins.low:+.1%} to {wins.high:+.1%} in nine "
        "tenths of them."
    )


def describe_reductions(table: pd.DataFrame, *, what: str = "Relative reduction of the overall error") -> str:
    """Return a sentence for the alt text of a forest of `error_reductions`, in percent.

    Parameters
    ----------
    table : DataFrame
        Columns comparison, mean, low, high.
    what : str
        What the numbers are: say so for increases.
    """
    rows = table[["comparison", "mean", "low", "high"]].itertuples(index=False)
    parts = (f"{words} {mean:+.1%} ({low:+.1%} to {high:+.1%})" for words, mean, low, high in rows)
    return f"{what}: {'; '.join(parts)}."


def error_by_epoch(
    histories: Mapping[str, pd.DataFrame],
    *,
    column: str = "test",
    chosen: Mapping[str, int] | None = None,
    levels: Mapping[str, float] | None = None,
    what: str = ERROR,
    log_x: bool = False,
    log_y: bool = False,
    note: str = "",
) -> Figure:
    """Draw an error after each epoch, a line for each network (chen2016, Fig 5).

    Parameters
    ----------
    histories : mapping of words to DataFrame
        ``history_`` of fitted networks: columns epoch and `column`. A model's name gets its own colour.
    column : str
        Which error ("test" of ``infer(..., watch_test=True)``).
    chosen : mapping of words to int, optional
        The epoch that validation chose (``best_epoch_``), marked.
    levels : mapping of words to float, optional
        Horizontal lines: errors of models without epochs ("linear regression").
    what, note : str
        Words for the vertical axis; small print.
    log_x, log_y : bool
        Logarithmic axes.

    Raises
    ------
    DataError
        If a history lacks the column.
    """
    for words, history in histories.items():
        if column not in history or "epoch" not in history:
            raise DataError(f"history of {words!r} has no column {column!r}: it has {list(history.columns)}")
    with look():
        figure, axes = new_figure(height=3.1)
        panel = axes[0, 0]
        for place, (words, history) in enumerate(histories.items()):
            colour = _epoch_colours(histories)[words]
            panel.plot(
                history["epoch"],
                history[column],
                color=colour,
                ls=_LINES[place % 4],
                label=_words(words),
            )
            if chosen and words in chosen:
                row = history[history["epoch"] == chosen[words]]
                panel.plot(row["epoch"], row[column], "o", ms=7, color=colour, mec="white", zorder=4)
        for dash, (words, level) in zip(cycle(LEVEL_DASHES), (levels or {}).items(), strict=False):
            panel.axhline(level, color=MUTED, lw=1.3, ls=dash, label=_words(words))
        panel.set(xlabel="epoch", ylabel=what, xscale="log" if log_x else "linear")
        panel.set_yscale("log" if log_y else "linear")
        if not log_x:
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        put_legend(figure, axes.flat, columns=3)
        put_note(
            figure, BETWEEN.join(filter(None, ["dots: the epoch that was chosen" if chosen else "", note]))
        )
    return figure


def _words(name: str) -> str:
    """Return a model's label; words stay as they are."""
    return model_label(name) if "/" in name else name


def _epoch_colours(names: Mapping[str, object]) -> dict[str, str]:
    """Return the colour of each network: its own if names differ in colour, else a palette."""
    own = {name: model_style(name)["color"] for name in names}
    palette = ("#0072B2", "#E69F00", "#D55E00", "#CC79A7", "#009E73", "#56B4E9", "#8C564B", "#7F7F7F")
    known = all("/" in name for name in names) and len(set(own.values())) == len(own)
    return own if known else {name: palette[place % 8] for place, name in enumerate(names)}


def describe_epochs(
    histories: Mapping[str, pd.DataFrame], *, column: str = "test", levels: Mapping[str, float] | None = None
) -> str:
    """Return a sentence for the alt text of `error_by_epoch`: the least error and the last of each line."""
    parts = []
    for words, history in histories.items():
        best = history.loc[history[column].idxmin()]
        last = history.iloc[-1]
        parts.append(
            f"{_words(words)} least {best[column]:.3f} in epoch {best['epoch']:.0f}, "
            f"{last[column]:.3f} in epoch {last['epoch']:.0f}"
        )
    parts += [f"{_words(words)} {level:.3f}" for words, level in (levels or {}).items()]
    return f"Error by epoch: {'; '.join(parts)}."


__all__ = [
    "describe_density",
    "describe_epochs",
    "describe_reductions",
    "describe_wins",
    "error_by_epoch",
    "error_density",
    "gene_scatter",
    "side_label",
]
