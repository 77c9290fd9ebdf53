"""Putting a figure on the page: caption, name and an alt text that states its message."""

from __future__ import annotations

import base64
import io
import re
import warnings

import pandas as pd
from IPython.display import display
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text

from exprml.base.errors import ParameterError, check_known
from exprml.base.roles import NOT_OWN, ROLES
from exprml.book import context
from exprml.book.figures.lettering import CODE
from exprml.book.figures.look import model_label, put_note
from exprml.book.figures.rows import rows_of
from exprml.evaluation.scoring import at_full_size

DOTS_PER_INCH = 144
NOTE_HEIGHT = 0.3  # inches of a line of small print
DRAWING = "drawing"
REHEARSED = "rehearsal on generated files: not a result"


def figure_texts(name: str, caption: str, alt: str) -> dict[str, str]:
    """Return name, caption and alt text of a figure, on one line each; refuse one nobody can find or hear.

    Raises
    ------
    ParameterError
        If the name is not a label, caption or alt text is empty, or the alt text only repeats the caption.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", str(name)):
        raise ParameterError(f"figure name {name!r}: use small letters, digits and hyphens, e.g. 'fig-pairs'")
    texts = {"caption": " ".join(str(caption or "").split()), "alt": " ".join(str(alt or "").split())}
    for what, text in texts.items():
        if not text:
            raise ParameterError(f"figure {name!r} has no {what}: give a sentence, computed from the table")
    if texts["alt"] == texts["caption"]:
        remedy = "state what the figure shows"
        raise ParameterError(f"figure {name!r}: the alt text repeats the caption; {remedy}")
    return {"name": name, **texts}


def png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes on an opaque white ground (readable in dark mode too)."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a page is no place for them; a box is drawn
        options = {"dpi": DOTS_PER_INCH, "facecolor": "white", "metadata": {"Software": None}}
        figure.savefig(stream, format="png", **options)
    return stream.getvalue()


def show(figure: Figure, *, name: str, caption: str, alt: str, role: str | None = None) -> None:
    """Display a figure as the last output of its cell, with what the page needs to number and read it out.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Label for cross references: small letters, digits, hyphens (``fig-tissues-curves``).
    caption : str
        What is drawn, in a sentence or two; MyST markup allowed.
    alt : str
        The message in words, computed from the same table as the figure; see `describe_means`.
    role : str, optional
        Of the data drawn: written under the figure, unless the small print says it already, as that of
        figures drawn from a results table does. "drawing" for what shows no data.

    Raises
    ------
    ParameterError
        If name, caption or alt text is missing or unusable.
    UnknownNameError
        If there is no such role.
    """
    texts = figure_texts(name, caption, alt)
    texts["role"] = stamp(figure, role)
    if any(f"[{CODE}" in text.get_text() for text in figure.findobj(Text)):
        texts["caption"] += f" [{CODE}…]: letters for which no font is installed, by their numbers."
    width = round(figure.get_figwidth() * 100)  # without a height: a telephone would squeeze the picture
    bundle = {"image/png": base64.b64encode(png(figure)).decode(), "text/plain": f"Figure: {texts['alt']}"}
    display(bundle, raw=True, metadata={"exprml": texts, "image/png": {"width": width}})
    pyplot.close(figure)


def stamp(figure: Figure, role: str | None) -> str:
    """Write the role of the data into the small print where that lacks it; return it, if known."""
    if role is not None:
        check_known("role", [role], (*ROLES, DRAWING))
    said = figure.get_supxlabel()
    words = NOT_OWN.get(role, "")
    if role is None:
        role = next((one for one, known in NOT_OWN.items() if known in said), "")
    if context.rehearsing() and role not in (*NOT_OWN, DRAWING):
        words = REHEARSED
    if words and words not in said:
        figure.set_figheight(figure.get_figheight() + NOTE_HEIGHT)  # no panel shrinks for its sake
        put_note(figure, f"{said}\n{words}".strip())  # in the corner it would lie on the axis's words
    return role


def describe_differences(
    table: pd.DataFrame, *, what: str = "Differences in balanced accuracy", digits: str = ".3f"
) -> str:
    """Return a sentence for the alt text of `paired_differences`: every difference with its interval.

    Parameters
    ----------
    table : DataFrame
        Columns comparison, mean, low, high (`exprml.evaluation.compare.differences`).
    what : str
        What the numbers are.
    digits : str
        Their format.
    """
    rows = table[["comparison", "mean", "low", "high"]].itertuples(index=False)
    parts = (
        f"{words} {mean:+{digits}} ({low:+{digits}} to {top:+{digits}})" for words, mean, low, top in rows
    )
    return f"{what}: {'; '.join(parts)}."


def describe_reductions(table: pd.DataFrame, *, what: str = "Relative reduction of the overall error") -> str:
    """Return `describe_differences` in percent: for a forest of error reductions, or increases."""
    return describe_differences(table, what=what, digits=".1%")


def describe_means(
    table: pd.DataFrame,
    *,
    by: str | list[str] = "model",
    metric: str | None = "balanced_accuracy",
    chance: float | None = None,
) -> str:
    """Return a sentence that lists a table's means at the largest training size: the core of an alt text.

    Parameters
    ----------
    table : DataFrame
        Long results; controls are left out.
    by : str or list of str
        What tells the means apart, outermost first (``["setting", "model"]``).
    metric : str or None
        Which rows; None if the table has one metric only.
    chance : float, optional
        Added at the end if given.

    Examples
    --------
    >>> rows = pd.DataFrame({"model": ["a", "a", "b"], "value": [0.4, 0.6, 1.0]})
    >>> describe_means(rows)
    'Mean balanced accuracy: a 0.50, b 1.00.'
    """
    rows = at_full_size(rows_of(table, metric))
    rows = rows[rows["control"] == ""].assign(model=lambda part: part["model"].map(model_label))
    parts: dict[str, list[str]] = {}
    for key, mean in rows.groupby([by] if isinstance(by, str) else by, sort=False)["value"].mean().items():
        *outer, last = key if isinstance(key, tuple) else (key,)
        parts.setdefault(" ".join(map(str, outer)), []).append(f"{last} {mean:.2f}")
    body = "; ".join(": ".join(filter(None, [outer, ", ".join(one)])) for outer, one in parts.items())
    end = f"; chance {chance:.2f}." if chance is not None else "."
    return f"Mean {(metric or 'score').replace('_', ' ')}: {body}{end}"
