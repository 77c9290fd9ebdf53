"""Tables and computed sentences on the page: nothing cut, nothing typed in advance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from exprml.base.errors import DataError, NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Callable


def show(table: pd.DataFrame, *, digits: int = 3) -> HTML:
    """Return a table as HTML: floats with `digits` decimals, texts never cut, missing values as a dash.

    Thousands are set apart by commas.

    Parameters
    ----------
    table : DataFrame
        What to show; its index is left out.
    digits : int
        Decimals of floating-point columns.
    """
    # Of missing values pandas itself dashes NaN alone; None and pd.NA would be spelt out.
    dashed = table.apply(lambda column: column.astype(object).where(column.notna(), float("nan")).map(_whole))
    html = dashed.rename_axis(columns=None).to_html(
        index=False,
        border=0,
        na_rep="–",
        classes="exprml-table",
        float_format=lambda value: f"{value:,.{digits}f}",
    )
    return HTML(f'<div class="exprml-scroll mathjax_ignore">{html}</div>')  # a $ in a cell is a $


def _whole(value: object) -> object:
    """Return a whole number with commas between its thousands; all else as it is."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return f"{value:,}" if whole else value


def intervals(table: pd.DataFrame, *, digits: int = 1) -> dict[str, str]:
    """Return differences in words, percent with their interval: comparison -> "+2.1% [+0.9%, +3.4%]".

    Parameters
    ----------
    table : DataFrame
        Columns comparison, mean, low, high, as of `exprml.evaluation.inference.error_reductions`.
    digits : int
        Decimals of the percentages.
    """
    rows = table[["comparison", "mean", "low", "high"]].itertuples(index=False)
    return {
        words: f"{mean:+.{digits}%} [{low:+.{digits}%}, {high:+.{digits}%}]"
        for words, mean, low, high in rows
    }


def say(*sentences: str, bullets: bool = False) -> Markdown | None:
    """Return computed sentences as a paragraph or list: what a figure shows, worded after the numbers are in.

    Parameters
    ----------
    *sentences : str
        Markdown; empty ones are left out. Words from a file go through `plain`.
    bullets : bool
        Set each sentence on a line of its own.

    Returns
    -------
    Markdown, or None if there is nothing to say
    """
    folded = [" ".join(one.split()) for one in sentences if one]
    if not folded:
        return None
    said = Markdown("")  # of the text itself IPython would fetch an address, or read a file of that name
    said.data = "\n".join(f"- {one}" for one in folded) if bullets else " ".join(folded)
    return said


_SIGNS = re.compile(r"[!-+\--/:-@\[-`{-~]")  # of ASCII, all that Markdown, MyST, HTML or TeX may read
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # turn what follows around


def plain(value: object) -> str:
    """Return a word from a file (class, gene, file name) for a sentence of `say`: as it stands there.

    Parameters
    ----------
    value : object
        Nothing in it is Markdown, HTML or mathematics on the page. Signs that cannot be seen are replaced.
    """
    text = _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(str(value).split()))
    return _SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", text)


def below(reduction: float, than: str = "") -> str:
    """Return a relative reduction of an error in words: "3.1% below ridge's", "3.1% above ridge's".

    Parameters
    ----------
    reduction : float
        ``1 - error / other error``: positive where the error is the lower one.
    than : str
        Whose error the other one is, in words; nothing follows if empty.
    """
    return f"{abs(reduction):.1%} {'below' if reduction > 0 else 'above'} {than}".rstrip()


def where_possible(part: Callable[[], object], title: str) -> object:
    """Return what a part of a page shows or, where the data at hand do not allow it, a sentence that says so.

    Parameters
    ----------
    part : function
        Takes nothing; returns the output of the cell.
    title : str
        What the page calls that part.
    """
    try:
        return part()
    except (DataError, NotAvailableError) as error:
        return say(f"**{title}** is left out here: {plain(error)}.")
