"""The one look: fonts legible in a 700-pixel column, colours that survive colour blindness, white ground.

A model keeps its colour and marker in every figure of the book; a control is grey with a dash of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from exprml.base.roles import NOT_OWN
from exprml.book.figures.lettering import drawn, families

WIDTH = 7.2  # inches; at 144 dots per inch this is the page's text column, sharp on dense screens
INK, MUTED, RULE = "#1f2933", "#5c6773", "#d9dee3"
LEVEL_DASHES = ((0, (6, 1.5, 1, 1.5)), (0, (3, 2)), (0, (1, 2)))  # of horizontal lines to compare with

# Okabe and Ito's palette, distinct under the common colour-vision deficiencies; without its pale yellow
_MODELS: dict[str, tuple[str, str]] = {
    "logistic regression": ("#0072B2", "o"),
    "linear regression": ("#0072B2", "o"),
    "three layer": ("#E69F00", "s"),
    "three layer batchnorm": ("#8C6BB1", "P"),
    "five layer": ("#D55E00", "^"),
    "five layer no batchnorm": ("#CC79A7", "v"),
    "forest": ("#009E73", "D"),
    "random forest": ("#009E73", "D"),
    "nearest neighbours": ("#56B4E9", "X"),
    "linear converged": ("#4A5568", "h"),
    "lasso": ("#56B4E9", "<"),
    "ridge": ("#4A5568", "h"),
    "reduced rank": ("#332288", "p"),
    "component regression": ("#999933", "d"),
    "knn ge": ("#8C564B", "X"),
    "boosted trees": ("#009E73", "D"),
    "d gex 1": ("#E69F00", "v"),
    "d gex 2": ("#CC79A7", "s"),
    "d gex 3": ("#D55E00", "^"),
    "d gex": ("#D55E00", "^"),
    "mlp": ("#17BECF", "*"),
    "e mlp": ("#8C6BB1", "P"),
    "autoencoder": ("#AA4499", ">"),
}
_WORDS = {
    "lasso": "LR-L1 (lasso)",
    "knn ge": "KNN-GE",
    "d gex": "D-GEX",
    "d gex, as printed": "D-GEX, as printed",
    "e mlp, as printed": "E-MLP, as printed",
    "d gex 1": "D-GEX, 1 layer",
    "d gex 2": "D-GEX, 2 layers",
    "d gex 3": "D-GEX, 3 layers",
    "mlp": "MLP",
    "e mlp": "E-MLP",
    "reduced rank": "reduced-rank regression",
    "component regression": "PCA regression",
}
MODEL_ORDER = tuple(_MODELS)
_SPARE = ("#56B4E9", "#8C564B", "#17BECF", "#7F7F7F", "#BCBD22", "#AA4499")
_SPARE_MARKERS = ("X", "p", "*", "<", ">", "d")
_DASHES = {
    "majority": (3, 2),
    "shuffled": (8, 2.5),
    "linear": (6, 1.5, 1, 1.5),
    "mean": (3, 2),
    "zero": (3, 3),
}

_RULES = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.4,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.0,
    "svg.hashsalt": "exprml",
}


@contextmanager
def look() -> Iterator[None]:
    """Draw with the book's look inside the block; the reader's own settings come back afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**_RULES, "font.family": families()})
        yield


def new_figure(columns: int = 1, rows: int = 1, *, height: float = 3.2, width: float = WIDTH, **options: Any):
    """Return ``(figure, axes)``, axes a rows × columns array, in the book's look.

    Parameters
    ----------
    columns, rows : int
        The grid of panels.
    height : float
        Height of one row, inches.
    width : float
        Width of the whole figure, inches.
    **options
        Passed to ``Figure.subplots`` (``sharex``, ``sharey``, ``width_ratios``).

    Notes
    -----
    The figure is unknown to pyplot: nothing is left open, and no backend draws it a second time.
    """
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def panel_grid(count: int, *, across: int, height: float, **options: Any):
    """Return ``(figure, axes)``: `count` panels, `across` in a row at most, spare ones hidden."""
    columns = min(count, across)
    figure, axes = new_figure(columns, -(-count // columns), height=height, **options)
    for spare in axes.flat[count:]:
        spare.set_visible(False)
    return figure, axes


def finish(figure: Figure, axes: Any, *, what: str, note: str) -> None:
    """Name the vertical axis of the left panels, add legend and small print."""
    for panel in axes[:, 0]:
        panel.set_ylabel(what)
    put_legend(figure, axes.flat)
    put_note(figure, note)


def _bare(name: str) -> str:
    """Return a model's name without its protocol prefix, in plain words."""
    return str(name).rsplit("/", 1)[-1].replace("-", " ").replace("_", " ").lower().strip()


def model_label(name: str) -> str:
    """Return the words for a model: ``heil2022/three-layer`` → ``three-layer``; the protocol if corrected."""
    bare = _bare(name)
    if bare == "ridge":  # chen2016's LR-L2, and ours with the penalty that validation samples choose
        return "LR-L2 (ridge)" if str(name).startswith("chen2016/") else "tuned ridge"
    bare = _WORDS.get(bare, bare).replace("three layer", "three-layer").replace("five layer", "five-layer")
    bare = bare.replace("batchnorm", "BatchNorm")
    return f"{bare} (corrected)" if str(name).startswith("corrected/") else bare


def model_style(name: str) -> dict[str, Any]:
    """Return colour and marker of a model: the same in every figure of the book.

    Filled markers by default; the published protocol beside a corrected one (names ``corrected/…``) stays
    recognisable because the corrected one is drawn with a white middle.
    """
    bare = _bare(name).replace(" net", "").replace(" network", "")
    spare = zlib.crc32(bare.encode()) % len(_SPARE)
    colour, marker = _MODELS.get(bare, (_SPARE[spare], _SPARE_MARKERS[spare]))
    hollow = str(name).startswith("corrected/")
    return {"color": colour, "marker": marker, "markerfacecolor": "white" if hollow else colour}


def control_style(control: str) -> dict[str, Any]:
    """Return the grey dashed style of a control: each kind has a dash of its own."""
    dash = next((dash for word, dash in _DASHES.items() if word in str(control).lower()), (2, 2))
    return {"color": MUTED, "linestyle": (0, dash), "linewidth": 1.4, "marker": ""}


def control_label(control: str) -> str:
    """Return the words for a control."""
    return f"control: {str(control).replace('-', ' ').replace('_', ' ')}"


def in_order(names: Any) -> list[str]:
    """Return model names in the book's order: known models first, others as they come."""
    unique = list(dict.fromkeys(str(name) for name in names))
    known = {name: place for place, name in enumerate(MODEL_ORDER)}
    return sorted(unique, key=lambda name: known.get(_bare(name), len(known)))


def with_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column ``line``: the model's name, or ``model · control`` for a control row."""
    table = table.copy()
    control = table["control"].fillna("").astype(str) if "control" in table else pd.Series("", table.index)
    table["control"] = control.mask(control.str.lower().isin(["none", "nan", "false"]), "")
    table["line"] = table["model"].astype(str).where(table["control"] == "", table["control"])
    return table


BETWEEN = "  ·  "  # two parts of the small print
LEGEND_LETTERS = 90  # of a label in a legend that has the whole width
NOTE_LETTERS = 16  # of the small print, to an inch


def honest_note(table: pd.DataFrame, text: str = "") -> str:
    """Return the small print under a figure: what the marks are, and which data if not the paper's own."""
    roles = set(table["role"].dropna().astype(str)) if "role" in table else set()
    notes = [text, *(words for role, words in NOT_OWN.items() if role in roles)]
    if "profile" in table and "smoke" in set(table["profile"].dropna().astype(str)):
        notes.append("smoke profile: sizes for tests only")
    return BETWEEN.join(note for note in notes if note)


def put_note(figure: Figure, note: str) -> None:
    """Write the small print along the bottom edge, inside the layout, in as many lines as it takes."""
    if note:
        figure.supxlabel(_in_lines(note, figure), x=0.01, ha="left", fontsize=7.5, color=MUTED)


def _in_lines(note: str, figure: Figure) -> str:
    """Return the parts of a note, none of them broken, in lines that the figure is wide enough for."""
    lines, most = [""], int(figure.get_figwidth() * NOTE_LETTERS)
    for part in note.split(BETWEEN):
        longer = f"{lines[-1]}{BETWEEN}{part}" if lines[-1] else part
        fits = len(longer.rsplit("\n", 1)[-1]) <= most
        lines = [*lines[:-1], longer] if fits or not lines[-1] else [*lines, part]
    return "\n".join(lines)


def put_legend(figure: Figure, axes: Any, *, columns: int = 4) -> None:
    """Put one legend for all panels above them, each label once; levels of chance that differ share one.

    It has `columns` columns, or as many as fit into the width of the figure.
    """
    entries: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    levels = [label for label in entries if label.startswith("chance (")]
    if len(levels) > 1:
        lines = [entries.pop(label) for label in levels]
        entries["chance"] = lines[0]
    for wide in range(min(columns, len(entries)), 0, -1):
        legend = figure.legend(
            entries.values(), drawn(entries, LEGEND_LETTERS), loc="outside upper left", ncols=wide
        )
        if wide == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()  # long names: fewer beside each other, none cut
