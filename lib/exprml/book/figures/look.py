"""The one look: seaborn's theme with fonts legible in a 700-pixel column, one palette, white ground.

A model keeps its colour and marker in every figure of the book; a control is grey with a dash of its own.
Every kind of figure can be drawn twice: for the page, and narrow, panels below each other, for a telephone.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from exprml.base.files import from_yaml
from exprml.base.roles import NOT_OWN
from exprml.book.figures.lettering import Says, drawn

WIDTH, NARROW = 7.2, 3.5  # inches of 100 pixels: the page's text column, and that of a telephone
STYLE = from_yaml(Path(__file__).with_name("style.yml").read_text(encoding="utf-8"))
COLOURS, MODELS = STYLE["colours"], STYLE["models"]
INK, MUTED, RULE = COLOURS["ink"], COLOURS["muted"], COLOURS["rule"]
PALETTE = tuple(COLOURS.values())[:8]
BLUE, ORANGE, GREEN, PINK, AMBER, SKY, BROWN, GREY = PALETTE
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
MARKERS = "osv^DXPp"
LEVEL_DASHES = ((0, (6, 1.5, 1, 1.5)), (0, (3, 2)), (0, (1, 2)))  # of horizontal lines to compare with


class Drawing(Figure):
    """A figure that says in words what it shows, and can draw itself again for a telephone.

    Attributes
    ----------
    says : Says
        What its alt text is made of.
    again : callable
        Returns the same for a telephone; None if there is no other.
    """

    says: Says | None = None
    again: Callable[[], Drawing] | None = None

    def draw(self, renderer: Any) -> None:
        """Draw; where that is only to lay it out, as ``savefig`` does beforehand, lay it out only."""
        beforehand = self.canvas.is_saving() and self.get_constrained_layout()
        self.get_layout_engine().execute(self) if beforehand else super().draw(renderer)


@contextmanager
def theme(width: float = WIDTH) -> Iterator[None]:
    """Draw with the book's look, in a block; the reader's own comes back."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a reader's browser has more letters
        mpl.rcdefaults()
        rules = STYLE["rules"] | {"figure.figsize": (width, 3)}
        sns.set_theme("paper", "whitegrid", PALETTE, font_scale=0.95, rc=rules)
        yield


def kind(draw: Callable[..., Drawing]) -> Callable[..., Drawing]:
    """Make a function a kind of figure: in the book's look, and narrow when its ``again`` is called."""

    def at(width: float, args: tuple, options: dict) -> Drawing:
        with theme(width):
            figure = draw(*args, **options)
            if narrow():
                _wrap(figure)
        return figure

    @wraps(draw)
    def twice(*args: Any, **options: Any) -> Drawing:
        figure = at(WIDTH, args, options)
        figure.again = partial(at, NARROW, args, options)
        return figure

    return twice


def narrow() -> bool:
    """Tell whether a telephone is drawn for."""
    return mpl.rcParams["figure.figsize"][0] == NARROW


def _wrap(figure: Figure) -> None:
    """Break the words of a narrow figure into lines, and give their rows the room."""
    for panel in figure.axes:
        wide = 22 if (named := isinstance(panel.yaxis.get_major_locator(), FixedLocator)) else 40
        below = "\n".join(fill(one, wide) for one in panel.get_xlabel().split("\n"))
        around = {"ylabel": fill(panel.get_ylabel(), 30), "title": fill(panel.get_title("left"), wide)}
        panel.set(xlabel=below, **around)
        if named:
            words = [fill(one.get_text(), 22) for one in panel.get_yticklabels()]
            panel.set_yticks(panel.get_yticks(), words)
            more = max(one.count("\n") for one in [*words, ""])
            figure.set_figheight(figure.get_figheight() + 0.12 * more * len(words))


def new_figure(count: int = 1, *, across: int = 3, height: float = 3.2, **options: Any):
    """Return ``(figure, axes)``: `count` panels in rows, spare ones hidden, in the book's look.

    Parameters
    ----------
    count, across : int
        Panels, and how many stand in a row at most; a narrow figure has them all below each other.
    height : float
        Height of one row, inches.
    **options
        Passed to ``Figure.subplots`` (``sharex``, ``sharey``).

    Notes
    -----
    The figure is unknown to pyplot: nothing is left open, and no backend draws it a second time.
    """
    height *= 0.8 if narrow() and count > 2 else 1
    columns = 1 if narrow() else min(count, across)
    rows = -(-count // columns)
    figure = Drawing(figsize=(NARROW if narrow() else WIDTH, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for spare in axes.flat[count:]:
        spare.set_visible(False)
    return figure, axes


def finish(figure: Drawing, axes: Any, *, what: str, note: str, says: Says, columns: int = 4) -> Drawing:
    """Name the vertical axis of the left panels, add legend, small print, alt text; return the figure."""
    for panel in axes.flat:
        panel.set_ylabel("")
    for panel in axes[:, 0]:
        panel.set_ylabel(what)
    put_legend(figure, axes.flat, columns=columns)
    return told(figure, note, says)


def told(figure: Drawing, note: str, says: Says) -> Drawing:
    """Write the small print, and keep what the alt text says; return the figure."""
    put_note(figure, note)
    figure.says = says
    return figure


def _bare(name: str) -> str:
    """Return a model's name without its protocol prefix, in plain words."""
    return str(name).rsplit("/", 1)[-1].replace("-", " ").replace("_", " ").lower().strip()


def model_label(name: str) -> str:
    """Return the words for a model: ``heil2022/three-layer`` → ``three-layer``; the protocol if corrected."""
    bare = _bare(name)
    if bare == "ridge":  # chen2016's LR-L2, and ours with the penalty that validation samples choose
        return "LR-L2 (ridge)" if str(name).startswith("chen2016/") else "tuned ridge"
    *_, words = MODELS.get(bare, ())[2:] or (bare if "/" in str(name) else str(name),)
    for plain, spelled in (("three l", "three-l"), ("five l", "five-l"), ("batchnorm", "BatchNorm")):
        words = words.replace(plain, spelled)
    return f"{words} (corrected)" if str(name).startswith("corrected/") else words


def model_style(name: str) -> dict[str, Any]:
    """Return colour and marker of a model: the same in every figure of the book.

    A paper's own protocol has filled markers, a corrected one (``corrected/…``) a white middle, and what is
    neither (a name without a stroke) a grey one.
    """
    bare = _bare(name).replace(" net", "").replace(" network", "")
    spare = STYLE["spare"][zlib.crc32(bare.encode()) % len(STYLE["spare"])]
    named, marker, *_ = MODELS.get(bare, spare)
    paper, stroke, _ = str(name).partition("/")
    colour = COLOURS[named]
    middle = "white" if paper == "corrected" else colour if stroke else RULE
    return {"color": colour, "marker": marker, "markerfacecolor": middle, "markeredgecolor": colour}


def control_style(control: str) -> dict[str, Any]:
    """Return the grey dashed style of a control: each kind has a dash of its own."""
    dash = next((dash for word, dash in STYLE["controls"].items() if word in str(control).lower()), (2, 2))
    return {"color": MUTED, "linestyle": (0, tuple(dash)), "linewidth": 1.4, "marker": ""}


def control_label(control: str) -> str:
    """Return the words for a control."""
    return f"control: {str(control).replace('-', ' ').replace('_', ' ')}"


def in_order(names: Iterable[object]) -> list[str]:
    """Return model names in the book's order: known models first, others as they come."""
    known = {name: place for place, name in enumerate(MODELS)}
    return sorted(dict.fromkeys(map(str, names)), key=lambda name: known.get(_bare(name), len(known)))


def line_styles(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return style and label of every ``line`` of a table (see `rows.rows_of`): models, then controls."""
    models = in_order(rows.loc[rows["control"] == "", "line"])
    controls = rows.loc[rows["control"] != "", "line"].unique()
    return {name: {**model_style(name), "label": model_label(name)} for name in models} | {
        name: {**control_style(name), "label": control_label(name)} for name in controls
    }


def class_styles(names: Iterable[object]) -> dict[str, dict[str, Any]]:
    """Return style and label of things that are no models: classes, samples, settings."""
    named = {"blue": BLUE, "red": ORANGE}  # classes of heil2022's simulation: named after their colours
    styles = {}
    for place, name in enumerate(map(str, names)):
        colour = named.get(name, PALETTE[place % len(PALETTE)])
        mark = {"marker": MARKERS[place % len(MARKERS)], "markeredgecolor": colour}
        styles[name] = {"color": colour, "linestyle": DASHES[place % len(DASHES)], "label": name, **mark}
    return styles


def log_scale(panel: Axes) -> None:
    """Make the horizontal axis logarithmic, with numbers a reader can say."""
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if not narrow() else (1, 3)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def draw_levels(panel: Axes, levels: Mapping[str, float] | None) -> None:
    """Draw and name horizontal lines to compare with."""
    for place, (words, level) in enumerate((levels or {}).items()):
        panel.axhline(level, color=MUTED, lw=1.3, ls=LEVEL_DASHES[place % 3], label=words)


def draw_marks(panel: Axes, marks: Mapping[str, float] | None) -> None:
    """Draw and name vertical lines."""
    for words, place in (marks or {}).items():
        panel.axvline(place, color=INK, lw=0.9, ls=(0, (7, 3)), alpha=0.7, zorder=1, label=words)


def draw_chance(panel: Axes, chance: float | Mapping[str, float] | None, name: str, *, flat=True) -> None:
    """Draw and name the level of a guess, one for all panels or one for each panel's name."""
    level = chance.get(name) if isinstance(chance, Mapping) else chance
    if level is not None:
        line = panel.axhline if flat else panel.axvline
        words = f"chance ({level:.2g})" if flat else "chance"
        line(level, color=INK, lw=1.0, ls=(0, (1, 2)), zorder=1, label=words)


def chance_words(chance: float | Mapping[str, float] | None) -> str:
    """Return the level of a guess for an alt text, if there is one for all panels."""
    return "" if chance is None or isinstance(chance, Mapping) else f", where a guess has {chance:.2g}"


BETWEEN = "  ·  "  # two parts of the small print
LEGEND_LETTERS = 90  # of a label in a legend that has the whole width
NOTE_LETTERS = 16  # of the small print, to an inch


def honest_note(table: pd.DataFrame, *texts: str) -> str:
    """Return the small print under a figure: what the marks are, and which data if not the paper's own."""
    roles = set(table["role"].dropna().astype(str)) if "role" in table else set()
    notes = [*texts, *(words for role, words in NOT_OWN.items() if role in roles)]
    if "profile" in table and "smoke" in set(table["profile"].dropna().astype(str)):
        notes.append("smoke profile: sizes for tests only")
    return BETWEEN.join(filter(None, notes))


def put_note(figure: Figure, note: str) -> None:
    """Write the small print along the bottom edge, inside the layout, in as many lines as it takes."""
    if note:
        figure.supxlabel(_in_lines(note, figure), x=0.01, ha="left", fontsize=7.5, color=MUTED)


def _in_lines(note: str, figure: Figure) -> str:
    """Return the parts of a note, none of them broken, in lines that the figure is wide enough for."""
    lines, most = [""], int(figure.get_figwidth() * NOTE_LETTERS)
    for part in (fill(one, most) for one in note.replace("\n", BETWEEN).split(BETWEEN)):
        longer = f"{lines[-1]}{BETWEEN}{part}" if lines[-1] else part
        fits = len(longer.rsplit("\n", 1)[-1]) <= most
        lines = [*lines[:-1], longer] if fits or not lines[-1] else [*lines, part]
    return "\n".join(lines)


def put_legend(figure: Figure, axes: Iterable[Axes], *, columns: int = 4) -> None:
    """Put one legend for all panels above them, each label once; levels of chance that differ share one.

    It has `columns` columns, or as many as fit into the width of the figure.
    """
    entries: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    levels = [label for label in entries if label.startswith("chance (")]
    if len(levels) > 1:
        entries["chance"], *_ = [entries.pop(label) for label in levels]
    for wide in range(min(columns, len(entries)), 0, -1):
        words = [fill(one, 42) if narrow() else one for one in drawn(entries, LEGEND_LETTERS)]
        legend = figure.legend(entries.values(), words, loc="outside upper left", ncols=wide)
        if wide == 1 or legend.get_window_extent().width <= 0.98 * figure.bbox.width:
            more = 0.16 * (len(words) - 2) if narrow() else 0  # no panel shrinks for its sake
            return figure.set_figheight(figure.get_figheight() + max(0, more))
        legend.remove()  # long names: fewer beside each other, none cut
