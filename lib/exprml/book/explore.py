"""Figures a reader can play with: in a kernel, on the page, static where nothing moves.

Every choice is drawn beforehand and the controls only turn the pile of pictures (``jslink`` and
``Stack``): no kernel, no network. The static figure comes along for print and for browsers without scripts.
Panels are drawn for a telephone, which a screen shows larger; their axes are the same in every view.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

from exprml.base.errors import ParameterError
from exprml.book.figures.page import alt_of, figure_texts, picture, stamp

MOST_PANELS = 30
MOST_BYTES = 1_000_000

Choices = Mapping[str, Sequence[Any] | Mapping[str, Any]]


def explorable(
    draw: Callable[..., Figure],
    controls: Choices,
    *,
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
        ``draw(**choice)`` → a figure of `figures`, which says what it shows; one keyword a control.
    controls : mapping
        Control → its values, or ``{words: value}`` to name them. Numbers become a slider, words buttons.
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
        More than 30 panels, more than a megabyte, or a panel without alt text.

    Notes
    -----
    With ``EXPRML_PAGE=1`` the controls work without a kernel; without it they are live widgets.
    """
    named = {one: _named(values) for one, values in controls.items()}
    first = {one: (start or {}).get(one, next(iter(values.values()))) for one, values in named.items()}
    _check(named, first)
    words = {one: (labels or {}).get(one, one.replace("_", " ")) for one in named}
    drawn = _drawn(draw, named)
    pictures, texts = {}, {}
    for values, figure in drawn.items():
        texts[values] = figure_texts(name, caption, alt_of(figure)) | {"role": stamp(figure, role)}
        pictures[values] = picture(figure, name, texts[values]["alt"], 'class="explorable-panel"')
    _weigh(pictures)
    _show(pictures, named, first, words, texts[tuple(first.values())])


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


def _drawn(draw: Callable[..., Figure], named: Mapping[str, Mapping[str, Any]]) -> dict[tuple, Figure]:
    """Return the figure of every choice, by the controls' values in order; no axis differs between them."""
    drawn = {}
    for values in itertools.product(*(values.values() for values in named.values())):
        figure = draw(**dict(zip(named, values, strict=True)))
        drawn[values] = figure.again() if getattr(figure, "again", None) else figure
    for panels in zip(*(figure.axes for figure in drawn.values()), strict=True):
        for axis in "xy":
            ends = np.array([getattr(panel, f"get_{axis}lim")() for panel in panels])
            down = ends[0, 0] > ends[0, 1]
            both = (ends.max(), ends.min()) if down else (ends.min(), ends.max())
            for panel in panels:
                panel.set(**{f"{axis}lim": both})
    return drawn


def _weigh(pictures: Mapping[tuple, str]) -> None:
    size = sum(map(len, pictures.values()))
    if size > MOST_BYTES:
        weight = f"{len(pictures)} panels weigh {size / 1e6:.1f} MB"
        raise ParameterError(f"{weight}, more than {MOST_BYTES / 1e6:g} MB: draw fewer or simpler ones")


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


def _show(pictures, named, first, words, texts: dict[str, str]) -> None:
    """Display controls, panels and static figure as one output, so that it is one numbered figure."""
    widgets = [_control(values, first[one], words[one]) for one, values in named.items()]
    pile = _stack(pictures, widgets, list(named.values()))
    box = ipywidgets.VBox([*widgets, pile], layout={"width": "100%"}).add_class("explorable")
    if os.environ.get("EXPRML_PAGE") != "1":
        return display(box)
    view = json.dumps({"model_id": box.model_id, "version_major": 2, "version_minor": 0})
    static = pictures[tuple(first.values())].replace("explorable-panel", "explorable-static", 1)
    html = f'<script type="application/vnd.jupyter.widget-view+json">{view}</script>\n{static}'
    bundle = {"text/html": html, "text/plain": f"Explorable figure: {texts['alt']}"}
    return display(bundle, raw=True, metadata={"exprml": texts})
