"""Tables and computed sentences on the page: nothing cut, nothing typed in advance."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from exprml.base.errors import DataError, NotAvailableError
from exprml.base.roles import TWIN
from exprml.book.results import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from exprml.book.context import Session


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
    return f"{value:,}" if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value


def intervals(table: pd.DataFrame, *, digits: int = 1) -> dict[str, str]:
    """Return differences in words, percent with their interval: comparison -> "+2.1% [+0.9%, +3.4%]".

    Parameters
    ----------
    table : DataFrame
        Columns comparison, mean, low, high, as of `exprml.evaluation.inference.error_reductions`.
    digits : int
        Decimals of the percentages.
    """
    return {
        words: f"{mean:+.{digits}%} [{low:+.{digits}%}, {high:+.{digits}%}]"
        for words, mean, low, high in table[["comparison", "mean", "low", "high"]].itertuples(index=False)
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
    told = "\n".join(f"- {one}" for one in folded) if bullets else " ".join(folded)
    return _markdown(told) if told else None


def _markdown(text: str) -> Markdown:
    said = Markdown("")  # of the text itself IPython would fetch an address, or read a file of that name
    said.data = text
    return said


def answer(run: Session, found: str, sure: str) -> Markdown:
    """Return the page's answer, which the press sets under its title: the finding, how sure, on what data.

    Parameters
    ----------
    run : Session
        Says what data the page rests on.
    found, sure : str
        The finding and what its certainty rests on, each computed from ``run.table()``; Markdown, as in `say`

    Where all data are twins, the answer says that it proves nothing about real ones. Where networks were
    still improving when their training ended, it says which.
    """
    title, data = "Answer", f"{run.data_words}."
    if {entry["role"] for entry in run.plan.values()} == {TWIN}:
        title = "Answer for simulated data"
        data += " Simulated values are no evidence about real data."
    lines = {title: found, "How sure": f"{sure} {_unfinished(run)}", "On what data": data}
    lines = {title: " ".join(words.split()) for title, words in lines.items()}
    said = [f"**{title}.** {words[:1].upper()}{words[1:]}" for title, words in lines.items()]
    return _markdown("\n\n".join(said))


def _unfinished(run: Session) -> str:
    """Return in words which networks' training ended before their validation had stopped improving."""
    try:
        table = run.table()
    except FileNotFoundError:  # the front page writes none
        return ""
    fits = table[(table["metric"] == ENDED) & (table["control"] == "")].groupby("model")["value"]
    late = fits.agg(late="sum", fits="count")
    late = late.set_axis(_spoken_apart(*late.index)).query("late > 0").sort_values("late", ascending=False)
    told = [f"{name} ({late:.0f} of {fits:.0f} fits)" for name, late, fits in late.itertuples()]
    told[3:] = [f"{len(told) - 3} more"] if told[3:] else []
    return f"Still improving when training ended: {'; '.join(told)}." if told else ""


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


def source(taught: Callable[..., object]) -> Markdown:
    """Return what a function of the library says, without its docstring: shown where a chapter introduces it.

    Parameters
    ----------
    taught : function or class
        Of `exprml`.
    """
    code = textwrap.dedent(inspect.getsource(taught))
    first = ast.parse(code).body[0]
    lines = code.splitlines()
    if ast.get_docstring(first) is not None:
        del lines[first.body[0].lineno - 1 : first.body[0].end_lineno]
    return _markdown("\n".join([f"```python\n# {taught.__module__}", *lines, "```"]))


def ranked(means: pd.Series) -> str:
    """Return models with their scores in words, highest first: "random forest 0.99, five-layer net 0.94".

    Parameters
    ----------
    means : Series
        A score for each model; the index holds the models' names. Models without a score are left out.
    """
    scored = means.dropna().sort_values(ascending=False, kind="stable").items()
    return ", ".join(f"{_spoken(name)} {value:.2f}" for name, value in scored) or "not run here"


def _spoken(name: str) -> str:
    """Return a model's label as a sentence says it: without its protocol, a network by that word."""
    from exprml.book.figures import model_label

    label = model_label(name).removesuffix(" (corrected)")
    return f"{label} net" if label.endswith("-layer") else label


def _spoken_apart(*models: str) -> list[str]:
    """Return models' labels as a sentence says them, "corrected" or "published" where two read alike."""
    said = [_spoken(one) for one in models]
    ways = ["corrected" if one.startswith("corrected/") else "published" for one in models]
    return [f"{way} {one}" if said.count(one) > 1 else one for one, way in zip(said, ways, strict=True)]


def ahead(scores: pd.DataFrame, first: str, second: str, *, metric: str = "balanced_accuracy") -> str:
    """Return in words which of two models is ahead by how much, and whether the folds decide it.

    Parameters
    ----------
    scores : DataFrame
        Rows of a results table of one task and setting, at one training size.
    first, second : str
        Models in it.
    metric : str
        Of the rows to compare; of one that ends in "error" the lower is the better.
    """
    from exprml.evaluation import compare

    one, other = _spoken_apart(first, second)
    if not {first, second} <= set(scores["model"]):
        return f"{one} and {other} are not both run here"
    try:
        found = compare.paired_difference(scores, first, second, metric=metric)
    except DataError:
        return f"{one} against {other}: a single fold, too few to decide"
    over = f"over {found.n} runs (folds and seeds)"
    interval = f"{found.mean:+.2g} [{found.low:+.2g}, {found.high:+.2g}] {over}"
    if found.n < compare.FEWEST_REPLICATES:
        return f"{one} minus {other}: {interval}, too few to decide"
    if found.low <= 0 <= found.high:
        return f"{one} and {other} have no clear order: {interval}"
    if (found.mean > 0) == metric.endswith("error"):
        one, other = other, one
    least, most = sorted(map(abs, (found.low, found.high)))
    return f"{one} is clearly ahead of {other}, by {abs(found.mean):.2g} [{least:.2g}, {most:.2g}] {over}"


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
