"""Figures a reader can play with: live in a kernel, precomputed on the page, static where nothing moves.

On the page every choice is drawn beforehand and the controls only turn the pile of pictures (``jslink`` and
``Stack``): no kernel, no network. The static figure comes along for print and for browsers without scripts.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
from IPython.display import Image as Picture
from IPython.display import display
from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

from exprml.base.errors import ParameterError
from exprml.book.figures.page import figure_texts, png, stamp

MOST_PANELS = 30
MOST_BYTES = 1_000_000

Choices = Mapping[str, Sequence[Any] | Mapping[str, Any]]


def explorable(
    draw: Callable[..., Figure],
    controls: Choices,
    *,
    alt: Callable[..., str],
    name: str,
    caption: str,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    role: str | None = None,
) -> None:
    """Display a figure with controls; call it last in its cell.

    Parameters
    ----------
    draw : callable
        ``draw(**choice)`` → Figure; one keyword a control.
    controls : mapping
        Control → its values, or ``{words: value}`` to name them. Numbers become a slider, words buttons.
    alt : callable
        ``alt(**choice)`` → what that panel shows, in words, computed.
    name, caption : str
        As in `figures.show`.
    start : mapping, optional
        The first choice and the static figure; the first value of each control by default.
    labels : mapping, optional
        Words beside the controls; their names by default.
    role : str, optional
        As in `figures.show`.

    Raises
    ------
    ParameterError
        On the page: more than 30 panels, more than a megabyte, or a panel without alt text.

    Notes
    -----
    With ``EXPRML_PAGE=1`` the panels are drawn now; without it the cell is a live ``interact``.
    """
    named = {one: _named(values) for one, values in controls.items()}
    first = {one: (start or {}).get(one, next(iter(values.values()))) for one, values in named.items()}
    _check(named, first)
    words = {one: (labels or {}).get(one, one.replace("_", " ")) for one in named}
    texts = figure_texts(name, caption, alt(**first))

    def stamped(**choice: Any) -> Figure:
        figure = draw(**choice)
        texts["role"] = stamp(figure, role)
        return figure

    if os.environ.get("EXPRML_PAGE") == "1":
        _on_page(stamped, alt, named, first, words, texts)
    else:
        _live(stamped, named, first, words)


def _named(values: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{words: value}`` for the values of a control."""
    if isinstance(values, Mapping):
        return {str(words): value for words, value in values.items()}
    return {f"{value:,g}" if isinstance(value, int | float) else str(value): value for value in values}


def _check(named: Mapping[str, Mapping[str, Any]], first: Mapping[str, Any]) -> None:
    for control, values in named.items():
        start, count = first[control], len(values)
        if count < 2:
            raise ParameterError(f"control {control!r} has {count} value(s): give two or more, or drop it")
        if start not in values.values():
            raise ParameterError(f"start {start!r} is no value of control {control!r}: {list(values)}")
    panels = math.prod(map(len, named.values()))
    if panels > MOST_PANELS:
        counts = " × ".join(f"{len(values)} {control}" for control, values in named.items())
        most = f"at most {MOST_PANELS}; thin out"
        raise ParameterError(f"{panels} panels ({counts}) are too many for a page: {most}")


def _control(values: Mapping[str, Any], first: Any, words: str):
    """Return the widget of a control: a slider for ordered numbers, buttons or a list for words."""
    options, layout = list(values.items()), {"width": "auto", "max_width": "36rem"}
    style, numbers = {"description_width": "initial"}, list(values.values())
    if all(isinstance(value, int | float) for value in numbers) and numbers == sorted(numbers):
        kind = ipywidgets.SelectionSlider
    elif len(options) <= 4:
        kind, style["button_width"] = ipywidgets.ToggleButtons, "auto"
    else:
        kind = ipywidgets.Dropdown
    return kind(options=options, value=first, description=f"{words}:", style=style, layout=layout)


def _picture(figure: Figure, alt: str) -> str:
    """Return an ``<img>`` with the figure inside: 128 colours, packed without loss, a third of a PNG."""
    packed = io.BytesIO()
    pixels = Image.open(io.BytesIO(png(figure))).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    pixels.convert("RGB").save(packed, "WEBP", lossless=True, method=4)
    pyplot.close(figure)
    source = base64.b64encode(packed.getvalue()).decode()
    words = escape(alt, quote=True)
    return f'<img class="explorable-panel" alt="{words}" src="data:image/webp;base64,{source}">'


def _panels(draw, alt, named: Mapping[str, Mapping[str, Any]]) -> dict[tuple[Any, ...], str]:
    """Return the picture of every choice, keyed by the controls' values in order."""
    pictures = {}
    for values in itertools.product(*(values.values() for values in named.values())):
        choice = dict(zip(named, values, strict=True))
        text = " ".join(alt(**choice).split())
        if not text:
            raise ParameterError(f"the panel {choice} has no alt text")
        pictures[values] = _picture(draw(**choice), text)
    size = sum(map(len, pictures.values()))
    if size > MOST_BYTES:
        weight = f"{len(pictures)} panels weigh {size / 1e6:.1f} MB"
        raise ParameterError(f"{weight}, more than {MOST_BYTES / 1e6:g} MB: draw fewer or simpler ones")
    return pictures


def _stack(pictures: Mapping[tuple, str], widgets: Sequence[Any], named: Sequence[Mapping[str, Any]]):
    """Return nested ``Stack`` widgets, a level per control, each linked to its control's index."""
    if not widgets:
        return ipywidgets.HTML(pictures[()], layout={"width": "100%"})
    children = []
    for value in named[0].values():
        inner = {key[1:]: picture for key, picture in pictures.items() if key[0] == value}
        children.append(_stack(inner, widgets[1:], named[1:]))
    stack = ipywidgets.Stack(children, selected_index=widgets[0].index, layout={"width": "100%"})
    ipywidgets.jslink((widgets[0], "index"), (stack, "selected_index"))
    return stack


def _on_page(draw, alt, named, first, words, texts: dict[str, str]) -> None:
    """Display controls, panels and static figure as one output, so that it is one numbered figure."""
    pictures = _panels(draw, alt, named)
    widgets = [_control(values, first[one], words[one]) for one, values in named.items()]
    pile = _stack(pictures, widgets, list(named.values()))
    box = ipywidgets.VBox([*widgets, pile], layout={"width": "100%"}).add_class("explorable")
    view = json.dumps({"model_id": box.model_id, "version_major": 2, "version_minor": 0})
    static = pictures[tuple(first.values())].replace("explorable-panel", "explorable-static", 1)
    html = f'<script type="application/vnd.jupyter.widget-view+json">{view}</script>\n{static}'
    bundle = {"text/html": html, "text/plain": f"Explorable figure: {texts['alt']}"}
    display(bundle, raw=True, metadata={"exprml": texts})


def _live(draw, named, first, words) -> None:
    def view(**choice: Any) -> None:
        figure = draw(**choice)
        display(Picture(png(figure), width=round(figure.get_size_inches()[0] * 100)))
        pyplot.close(figure)

    widgets = {one: _control(values, first[one], words[one]) for one, values in named.items()}
    ipywidgets.interact(view, **widgets)
