"""Explorables: precomputed and linked on the page, live in a kernel, never too heavy, never without words."""

from __future__ import annotations

import base64
import json
import re

import ipywidgets
import pytest

from exprml.base.errors import ParameterError
from exprml.book import explore
from exprml.book.explore import explorable
from exprml.book.figures import look
from exprml.book.figures.lettering import Says
from exprml.book.figures.look import new_figure

TEXTS = {"name": "fig-play", "caption": "Play with it."}
CONTROLS = {"distance": [0, 3, 6], "kind": ["linear", "nonlinear"]}


@look.kind
def drawing(distance, kind):
    figure, axes = new_figure()
    axes[0, 0].plot([0, distance], [0, 1])
    axes[0, 0].set_title(kind)
    figure.says = Says("Lines", "", [f"the choice is {distance}, {kind}"])
    return figure


def draw(distance=0, kind=""):
    return drawing(distance, kind)


@pytest.fixture
def page(monkeypatch):
    """Return the list of what reaches the page: bundle and metadata."""
    shown = []
    monkeypatch.setenv("EXPRML_PAGE", "1")
    monkeypatch.setattr(
        "exprml.book.explore.display", lambda bundle, **more: shown.append((bundle, more["metadata"]))
    )
    return shown


@pytest.fixture
def made(page):
    """Return HTML, metadata, and the box with controls and panels that the HTML shows."""
    explorable(draw, CONTROLS, start={"distance": 3}, labels={"distance": "class distance"}, **TEXTS)
    ((bundle, said),) = page
    view = json.loads(re.search(r"widget-view\+json\">(.*?)</script>", bundle["text/html"])[1])
    return bundle["text/html"], said, ipywidgets.widgets.widget._instances[view["model_id"]]


def test_the_page_gets_one_output_with_the_texts_and_a_static_picture(made):
    html, said, _ = made
    assert said["exprml"]["alt"].startswith("Lines. The choice is 3, linear.")
    assert html.count('class="explorable-static"') == 1
    assert 'alt="Lines. The choice is 3, linear.' in html


def test_every_choice_has_its_panel_in_its_place(made):
    slider, buttons, pile = made[2].children
    assert (slider.index, pile.selected_index) == (1, 1)
    assert slider.description == "class distance:"
    for place, distance in enumerate(CONTROLS["distance"]):
        for inner, kind in enumerate(CONTROLS["kind"]):
            assert f"The choice is {distance}, {kind}." in pile.children[place].children[inner].value
    assert isinstance(slider, ipywidgets.SelectionSlider)
    assert isinstance(buttons, ipywidgets.ToggleButtons)


def test_controls_are_linked_in_the_browser_to_every_stack(made):
    slider, buttons, pile = made[2].children
    links = [
        one
        for one in ipywidgets.widgets.widget._instances.values()
        if isinstance(one, ipywidgets.jslink.__globals__["Link"])
    ]
    pairs = {(link.source[0], link.target[0]) for link in links}
    assert (slider, pile) in pairs
    assert all((buttons, inner) in pairs for inner in pile.children)


def test_panels_are_pictures_of_the_figure_for_a_telephone(made):
    value = made[2].children[-1].children[0].children[0].value
    picture = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", value)[1])
    assert b'width="252pt"' in picture
    assert len(picture) < 10_000


def test_the_axes_are_the_same_in_every_view():
    def look_at(distance):
        figure, axes = new_figure()
        axes[0, 0].plot([0, distance], [distance, 0])
        axes[0, 0].invert_yaxis()
        return figure

    drawn = explore._drawn(look_at, {"distance": {"1": 1, "6": 6}})
    limits = {(figure.axes[0].get_xlim(), figure.axes[0].get_ylim()) for figure in drawn.values()}
    ((left, right), (low, high)) = limits.pop()
    assert not limits
    assert left < 0 < 6 < right < 7
    assert low > 6 > 0 > high, "an axis that runs down still does"


def test_words_for_values(page):
    controls = {"share": {"none": 0.0, "all": 1.0}}
    explorable(lambda share: draw(kind=str(share)), controls, **TEXTS)
    assert "The choice is 0, 0.0" in page[0][0]["text/html"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"controls": {"distance": list(range(31))}}, r"31 panels \(31 distance\).*at most 30"),
        ({"controls": {"distance": [1]}}, "'distance' has 1 value"),
        ({"controls": {"distance": [1, 2]}, "start": {"distance": 9}}, "start 9 is no value"),
        ({"controls": {"distance": [1, 2]}, "draw": lambda distance: new_figure()[0]}, "no alt"),
        ({"controls": {"distance": [1, 2]}, "caption": ""}, "no caption"),
    ],
)
def test_what_a_page_cannot_carry_is_refused(page, changed, said):
    with pytest.raises(ParameterError, match=said):
        explorable(**({"draw": draw, "controls": CONTROLS} | TEXTS | changed))


def test_heavy_panels_are_refused_with_their_weight(page, monkeypatch):
    monkeypatch.setattr("exprml.book.explore.MOST_BYTES", 5_000)
    with pytest.raises(ParameterError, match=r"6 panels weigh .* MB"):
        explorable(draw, CONTROLS, **TEXTS)


def test_a_live_kernel_gets_the_controls_themselves(monkeypatch):
    shown = []
    monkeypatch.delenv("EXPRML_PAGE", raising=False)
    monkeypatch.setattr("exprml.book.explore.display", shown.append)
    explorable(draw, CONTROLS, **TEXTS)
    (box,) = shown
    assert [type(one).__name__ for one in box.children] == ["SelectionSlider", "ToggleButtons", "Stack"]
