"""Heil et al.'s first figure, redrawn: what is compared, and how folds are cut."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from exprml.book.figures.look import INK, MUTED, look, new_figure

_TRAIN, _TEST, _PRE = "#56B4E9", "#D55E00", "#E69F00"
_STUDIES = [4, 3, 5, 2, 6, 3, 4, 3, 5, 5]  # samples in each of ten made-up studies, forty in all


def _box(panel: Axes, x: float, y: float, text: str, *, width: float = 0.27, height: float = 0.2) -> None:
    """Draw a rounded box with words in its middle (axes units)."""
    panel.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0.004,rounding_size=0.02",
            fc="#f4f6f8",
            ec=MUTED,
            lw=0.9,
        )
    )
    panel.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=8.5, linespacing=1.35)


def _arrow(panel: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    panel.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": MUTED, "lw": 1.1, "shrinkA": 1})


def _comparison(panel: Axes) -> None:
    """Draw the road from data to the question."""
    panel.set(xlim=(-0.008, 1.008), ylim=(0, 1))
    panel.text(0, 0.97, "A   What is compared", weight="bold", fontsize=9.5, va="top")
    _box(panel, 0.0, 0.33, "expression\nsamples × genes\ntissue or sex", height=0.3, width=0.2)
    _box(panel, 0.28, 0.56, "intact", width=0.2)
    _box(panel, 0.28, 0.14, "linear signal\nremoved", width=0.2)
    _box(panel, 0.56, 0.33, "logistic regression\nthree-layer net\nfive-layer net", height=0.3, width=0.2)
    _box(panel, 0.84, 0.33, "balanced\naccuracy\nagainst chance", height=0.3, width=0.16)
    for height in (0.66, 0.24):
        _arrow(panel, (0.205, 0.48), (0.275, height))
        _arrow(panel, (0.485, height), (0.555, 0.48))
    _arrow(panel, (0.765, 0.48), (0.835, 0.48))


def _strip(panel: Axes, y: float, title: str, colour_of, *, gaps: bool = True) -> None:
    """Draw forty samples in a row, grouped by study, coloured by what they are used for."""
    panel.text(0, y + 0.2, title, fontsize=8.5, va="bottom")
    place, sample = 0.0, 0
    for study, size in enumerate(_STUDIES):
        for _ in range(size):
            panel.add_patch(
                Rectangle((place, y), 0.0195, 0.15, fc=colour_of(study, sample), ec="white", lw=0.6)
            )
            place, sample = place + 0.0215, sample + 1
        place += 0.0135 if gaps else 0


def _folds(panel: Axes) -> None:
    """Draw the three ways of splitting on the same ten studies."""
    panel.set(xlim=(-0.008, 1.008), ylim=(-0.16, 1.42))
    panel.text(0, 1.42, "B   How a fold is cut (ten studies or donors, one square a sample)", weight="bold",
               fontsize=9.5, va="top")  # fmt: skip
    scattered = {1, 7, 13, 16, 22, 27, 31, 36}
    _strip(panel, 0.86, "sample-wise: every study is on both sides, so a model can know the study",
           lambda study, sample: _TEST if sample in scattered else _TRAIN)  # fmt: skip
    _strip(panel, 0.43, "study-wise: whole studies are held out",
           lambda study, sample: _TEST if study in (2, 7) else _TRAIN)  # fmt: skip
    _strip(
        panel,
        0.0,
        "pretraining: two folds pretrain, two train, one tests",
        lambda study, _: _TEST if study in (2, 7) else _PRE if study in (0, 4, 5, 9) else _TRAIN,
    )
    for place, (colour, word) in enumerate(((_TRAIN, "train"), (_PRE, "pretrain"), (_TEST, "test"))):
        panel.add_patch(Rectangle((place * 0.16, -0.15), 0.022, 0.08, fc=colour, ec="none"))
        panel.text(place * 0.16 + 0.03, -0.11, word, fontsize=8, va="center", color=INK)


def workflow() -> Figure:
    """Return the schematic of heil2022's figure 1: comparison, study-wise and sample-wise folds, pretraining.

    Drawn by code from nothing: no outcome is in it.
    """
    with look():
        figure, axes = new_figure(1, 2, height=2.35, height_ratios=[1, 1.25])
        for panel, draw in zip(axes.flat, (_comparison, _folds), strict=True):
            draw(panel)
            panel.axis("off")
    return figure
