"""Words from a file as a figure can draw them: short, on one line, no mathematics; and figures in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

MOST_WORDS = 60  # of an alt text
IN_RESULTS = "Every number is in this page's results table."
IN_CELL = "The numbers are in the table that this cell draws."
IN_FIGURE = "Every number is written in the figure."
LETTERS = 30  # of a label beside a panel; a letter of East Asia counts twice


def drawn(names: Iterable[object], most: int = LETTERS) -> list[str]:
    """Return labels for names from a file, one for each, and different ones for different names.

    What is longer than `most` loses its middle. A sign that cannot be seen is written by its number in
    Unicode (``[U+202E]``).

    Parameters
    ----------
    names : iterable
        Classes, genes, columns, as they stand in the file.
    most : int
        Letters a label may have.
    """
    names = [str(name) for name in names]
    labels = {name: _shortened("".join(map(_visible, " ".join(name.split()))), most) for name in names}
    for label in {label for label in labels.values() if list(labels.values()).count(label) > 1}:
        alike = sorted(name for name in labels if labels[name] == label)
        labels |= {name: f"{label} ({number})" for number, name in enumerate(alike, 1)}
    return [labels[name].replace("$", r"\$") for name in names]


class Says(NamedTuple):
    """What a figure says in words: its chart, the parts of its message, and where the numbers stand."""

    chart: str
    what: str = ""
    parts: Iterable[str] = ()
    where: str = IN_CELL

    def alt(self, message: str = "") -> str:
        """Return the alt text: with the message given, or as many parts as 60 words hold."""
        parts = list(self.parts)
        room = MOST_WORDS - len(f"{self.chart}. {self.what} and 99 more. {self.where}".split())
        fit = sum(length <= room for length in accumulate(len(part.split()) for part in parts))
        told = [*parts[:fit], *([f"and {len(parts) - fit} more"] if fit < len(parts) else [])]
        message = message or ": ".join(filter(None, [self.what, "; ".join(told)]))
        return f"{self.chart}. {message[:1].upper()}{message[1:].rstrip('.')}. {self.where}"


def p_words(p: float) -> str:
    """Return a p-value in words: nothing for NaN, a bound where a bootstrap of 1,000 draws or more ends."""
    return "" if p != p else "p < 0.001" if p <= 0.001 else f"p = {p:.2g}"


def _visible(letter: str) -> str:
    return f"[U+{ord(letter):04X}]" if unicodedata.category(letter).startswith("C") else letter


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
