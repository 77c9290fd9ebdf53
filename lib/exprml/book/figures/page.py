"""Putting a figure on the page: caption, name and an alt text that states its message."""

from __future__ import annotations

import base64
import io
import re
import warnings
from html import escape

from IPython.display import display
from matplotlib import pyplot, rc_context
from matplotlib.collections import Collection, QuadMesh
from matplotlib.figure import Figure
from PIL import Image

from exprml.base.errors import ParameterError, check_known
from exprml.base.roles import NOT_OWN, ROLES
from exprml.book import context
from exprml.book.figures.look import put_note

DOTS_PER_INCH = 144  # of what is a picture inside
MOST_MARKS = 2_000
TELEPHONE = "(max-width: 576px)"
_STYLE = r' style="([^"]*)"'
_UNTOLD = ("Creator", "Date", "Format", "Type")
NOTE_HEIGHT = 0.3  # inches of a line of small print
DRAWING = "drawing"
REHEARSED = "rehearsal on generated files: not a result"


def figure_texts(name: str, caption: str, alt: str) -> dict[str, str]:
    """Return name, caption and alt text of a figure, on one line each; refuse one nobody can find or hear.

    Raises
    ------
    ParameterError
        If the name is not a label, or caption or alt text is empty.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", str(name)):
        raise ParameterError(f"figure name {name!r}: use small letters, digits and hyphens, e.g. 'fig-pairs'")
    texts = {"caption": " ".join(str(caption or "").split()), "alt": " ".join(str(alt or "").split())}
    for what, text in texts.items():
        if not text:
            raise ParameterError(f"figure {name!r} has no {what}: give a sentence, computed from the table")
    return {"name": name, **texts}


def alt_of(figure: Figure, message: str = "") -> str:
    """Return the alt text of a figure: with the message given, or with what it says of itself."""
    says = getattr(figure, "says", None)
    return says.alt(message) if says else message


def drawn(figure: Figure, name: str) -> tuple[str, bytes]:
    """Return type and bytes of the figure on an opaque white ground: SVG, or WebP of more than 2,000 marks.

    Text stays text, ids are salted with the name, and the same figure gives the same bytes.
    """
    stream, options = io.BytesIO(), {"dpi": DOTS_PER_INCH, "facecolor": "white"}
    crowds = [one for one in figure.findobj(Collection) if not isinstance(one, QuadMesh)]
    crowded = sum(max(len(one.get_offsets()), len(one.get_paths())) for one in crowds) > MOST_MARKS
    with warnings.catch_warnings(), rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        warnings.filterwarnings("ignore", "Glyph .* missing")
        if not crowded:
            figure.savefig(stream, format="svg", metadata=dict.fromkeys(_UNTOLD), **options)
            return "svg+xml", _lean(stream.getvalue().decode()).encode()
        figure.savefig(stream, format="png", **options)
    pixels = Image.open(stream).convert("RGB").quantize(128, dither=Image.Dither.NONE).convert("RGB")
    pixels.save(packed := io.BytesIO(), "WEBP", lossless=True, method=4)
    return "webp", packed.getvalue()


def _lean(svg: str) -> str:
    """Return an SVG of matplotlib's at a third of its size: nothing that is drawn changes."""
    svg = svg[svg.index("<svg") :].replace("'DejaVu Sans'", "'DejaVu Sans',Verdana,sans-serif")
    svg = re.sub(r"(\d+\.\d\d)\d+(?=[^<>]*>)", r"\1", svg)  # in tags: words keep their digits
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>| id=\"[A-Za-z2.]+_\d+\"", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*\n\s*(?=[<\"])", "", svg).replace("\n", "")
    while (inner := re.sub(r"<g>((?:(?!</?g\b).)*)</g>", r"\1", svg)) != svg:
        svg = inner
    svg = re.sub(r'(<g clip-path="[^"]+">)(<use[^>]*/>)</g>((?:\1<use[^>]*/></g>)+)',
                 lambda run: run[1] + run[2] + re.sub("</?g[^>]*>", "", run[3]) + "</g>", svg)  # fmt: skip
    styles = {one: f"s{place}" for place, one in enumerate(dict.fromkeys(re.findall(_STYLE, svg)))}
    rules = "".join(f".{name}{{{style}}}" for style, name in styles.items())
    svg = re.sub(_STYLE, lambda style: f' class="{styles[style[1]]}"', svg)
    return svg.replace("</style>", f"{rules}</style>", 1)


def picture(figure: Figure, name: str, alt: str, *more: str) -> str:
    """Return an ``<img>`` with the figure inside; `more` are attributes."""
    words, source = escape(alt, quote=True), _address(figure, name)
    return f'<img alt="{words}" {" ".join(more)} src="{source}">'


def _address(figure: Figure, name: str) -> str:
    form, content = drawn(figure, name)
    pyplot.close(figure)
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"


def show(figure: Figure, *, name: str, caption: str, alt: str = "", role: str | None = None) -> None:
    """Display a figure as the last output of its cell, with what the page needs to number and read it out.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Label for cross references: small letters, digits, hyphens (``fig-tissues-curves``).
    caption : str
        What to see, in a sentence or two; MyST markup allowed.
    alt : str
        The message in words; the alt text says before it which chart it is, and after it where the numbers
        are: 60 words at most. By default what the figure says of itself.
    role : str, optional
        Of the data drawn: written under the figure, unless the small print says it already. By default what
        the table says, or the role of a notebook's only data set; "drawing" for what shows no data.

    Raises
    ------
    ParameterError
        If name, caption or alt text is missing or unusable.
    UnknownNameError
        If there is no such role.
    """
    texts = figure_texts(name, caption, alt_of(figure, alt))
    texts["role"] = stamp(figure, role)
    width = round(figure.get_figwidth() * 100)  # without a height: a telephone would squeeze the picture
    html = picture(figure, name, texts["alt"], f'width="{width}"')
    if (again := getattr(figure, "again", None)) and not context.rehearsing():  # which nobody looks at
        stamp(small := again(), role)
        source = f'<source media="{TELEPHONE}" srcset="{_address(small, name)}">'
        html = f"<picture>{source}{html}</picture>"
    bundle = {"text/html": html, "text/plain": f"Figure: {texts['alt']}"}
    display(bundle, raw=True, metadata={"exprml": texts})


def stamp(figure: Figure, role: str | None) -> str:
    """Write the role of the data into the small print where that lacks it; return it, if known."""
    if role is not None:
        check_known("role", [role], (*ROLES, DRAWING))
    said = figure.get_supxlabel()
    if role is None:
        role = next((one for one, known in NOT_OWN.items() if known in said), "") or context.only_role()
    words = NOT_OWN.get(role, "")
    if context.rehearsing() and role not in (*NOT_OWN, DRAWING):
        words = REHEARSED
    if words and words not in said:
        figure.set_figheight(figure.get_figheight() + NOTE_HEIGHT)  # no panel shrinks for its sake
        put_note(figure, f"{said}\n{words}".strip())  # in the corner it would lie on the axis's words
    return role
