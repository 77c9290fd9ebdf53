"""Data cards: everything a reader must know, in Markdown without warnings."""

import re

import pytest
from docutils.core import publish_doctree
from myst_parser.parsers.docutils_ import Parser

from exprml.data import catalogue
from exprml_press import cards, inventory

ABSENT = {"available": False, "why": "not there"}
COUNTS = {
    "available": True, "n_samples": 12, "n_genes": 3, "n_groups": 5, "constant_genes": 1, "minimum": -9.9658,
    "floor_share": 0.25, "maximum": 16.0, "missing": 0,
    "classes": {"tissue": [
        {"label": "<not | provided>", "samples": 9, "groups": 2, "minimum": -9.9658, "floor_share": 0.2,
         "missing": 0},
        {"label": "Skin", "samples": 3, "groups": 3, "minimum": 0.0, "floor_share": 0.0, "missing": 0},
    ]},
}  # fmt: skip


def doctree(text):
    """Return the parsed page; a warning is an error."""
    extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
    settings = {"halt_level": 2, "report_level": 2, "myst_enable_extensions": extensions}
    return publish_doctree(text, parser=Parser(), settings_overrides=settings)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """Give an empty data folder, the project's own catalogue."""
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)


@pytest.mark.parametrize("name", catalogue.names())
def test_every_card_parses_without_a_warning_with_or_without_counts(name, monkeypatch):
    for counts in (COUNTS, ABSENT):
        monkeypatch.setattr(inventory, "describe", lambda name, nearby, counts=counts: counts)
        text = doctree(cards.card(name)).astext()
        assert catalogue.entry(name).floor.split("`")[0][:40] in text


def test_classes_are_shown_with_samples_and_groups_the_largest_first(monkeypatch):
    monkeypatch.setattr(inventory, "describe", lambda name, nearby: COUNTS)
    page = cards.card("gtex-toil")
    rows = [re.split(r" +\| +", row) for row in page.splitlines() if row.startswith(("| Skin", r"| \<not"))]
    assert [row[1:3] for row in rows] == [["3", "3"], ["9", "2"]]
    assert "<not | provided>" in doctree(page).astext()


def test_a_card_without_data_says_so(monkeypatch):
    monkeypatch.setattr(inventory, "describe", lambda name, nearby: ABSENT)
    assert "not on the machine that built this page" in cards.card("gtex-v8")


def test_a_card_shows_role_licence_citation_hash_and_address():
    page = cards.card("dgex-maps")
    file = catalogue.entry("dgex-maps").files[0]
    for part in ("{.page-badge .role-own}", "GPL-2", "10.1093/bioinformatics/btw074", file.sha256, file.url):
        assert part in page


def test_a_conversion_stands_beside_its_original():
    page = cards.card("studies-twin", nearby=False)
    for file in catalogue.entry("studies-twin").files:
        assert file.url in page
        assert file.conversion.path in page
        assert file.conversion.sha256 in page


def test_a_twin_is_counted_and_badged():
    page = cards.card("gtex-twin")
    assert "[twin]{.page-badge .role-twin}" in page
    assert "\n| Blood " in page


def test_pages_are_written_for_all_and_an_index(tmp_path, monkeypatch):
    monkeypatch.setattr(inventory, "describe", lambda name, nearby: ABSENT)
    cards.write_cards(tmp_path / "cards")
    assert {path.stem for path in (tmp_path / "cards").iterdir()} == {*catalogue.names(), "index"}
    index = (tmp_path / "cards" / "index.md").read_text()
    assert all(f"({name}.md)" in index for name in catalogue.names())


def test_a_simulated_build_leaves_the_mirror_alone(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(inventory, "describe", lambda name, nearby: asked.append(nearby) or ABSENT)
    monkeypatch.setattr(catalogue, "plan_for", lambda profile: {"policy": "simulated", "notebooks": {}})
    cards.write_cards(tmp_path / "cards", profile="default")
    assert set(asked) == {False}
