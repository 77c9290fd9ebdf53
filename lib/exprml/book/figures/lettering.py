"""Words from a file as a figure can draw them: short, on one line, no mathematics, every letter."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby

from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font

LETTERS = 30  # of a label beside a panel; a letter of East Asia counts twice
CODE = "U+"
# Asked, in this order, for letters that the book's own font lacks; those installed here are used.
_OTHERS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
    "PingFang SC", "Hiragino Sans GB", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
    "Apple SD Gothic Neo", "Noto Sans Devanagari", "Nirmala UI", "Arial Unicode MS", "Segoe UI Symbol",
)  # fmt: skip


@cache
def families() -> list[str]:
    """Return the book's font and those installed here that help out where it lacks a letter."""
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in _OTHERS if name in installed)]


def drawn(names: Iterable[object], most: int = LETTERS) -> list[str]:
    """Return labels for names from a file, one for each, and different ones for different names.

    What is longer than `most` loses its middle. A letter for which no font is installed, and a sign that
    cannot be seen, are written by their number in Unicode (``[U+6B63 5E38]``).

    Parameters
    ----------
    names : iterable
        Classes, genes, columns, as they stand in the file.
    most : int
        Letters a label may have.
    """
    names = [str(name) for name in names]
    labels = {name: _shortened(_in_letters(" ".join(name.split())), most) for name in names}
    for label in {label for label in labels.values() if list(labels.values()).count(label) > 1}:
        alike = sorted(name for name in labels if labels[name] == label)
        labels |= {name: f"{label} ({number})" for number, name in enumerate(alike, 1)}
    return [labels[name].replace("$", r"\$") for name in names]


@cache
def _letters() -> frozenset[int]:
    """Return the code of every letter that can be drawn here."""
    fonts = [FT2Font(findfont(name, fallback_to_default=False)) for name in families()]
    return frozenset(code for font in fonts for code in font.get_charmap())


def _in_letters(name: str) -> str:
    """Return a name with every letter that cannot be drawn, or seen, as its number."""
    parts = []
    for visible, run in groupby(name, key=_visible):
        letters = list(run)
        parts += letters if visible else [f"[{CODE}{' '.join(f'{ord(one):04X}' for one in letters)}]"]
    return "".join(parts)


def _visible(letter: str) -> bool:
    return ord(letter) in _letters() and not unicodedata.category(letter).startswith("C")


def _shortened(name: str, most: int) -> str:
    """Return a name without its middle, if it is too wide."""
    if _width(name) <= most:
        return name
    half = (most - 1) // 2
    return f"{_cut(name, half)}\N{HORIZONTAL ELLIPSIS}{_cut(name[::-1], half)[::-1]}"


def _cut(name: str, most: int) -> str:
    while _width(name) > most:
        name = name[:-1]
    return name


def _width(name: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in name)
