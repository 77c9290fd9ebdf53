"""What `make test` built just before: every notebook at smoke, the site, and the paper profile rehearsed."""

import json
import os
import re
from html import unescape

import matplotlib.pyplot as plt
import pytest

from exprml.base.errors import NotAvailableError
from exprml.book import claims, results, tables
from exprml.book.profiles import notebooks
from exprml.data import catalogue
from exprml_press.cli import main
from exprml_press.keys import key_of_output
from exprml_press.runner.folders import Folders

pytestmark = pytest.mark.skipif(
    os.environ.get("EXPRML_SMOKE") != "1", reason="the smoke profile was not built (make test does)"
)
NAMES = list(notebooks()) if os.environ.get("EXPRML_SMOKE") == "1" else []


@pytest.mark.parametrize("profile", ["smoke", "rehearsal"])
@pytest.mark.parametrize("name", NAMES)
def test_notebook_is_complete(name, profile):
    folders = Folders(profile)
    wanted = folders.key(name).read_text() if folders.key(name).is_file() else ""
    key = key_of_output(folders.page(name))
    failed = folders.failed(name)
    assert not failed.is_file(), f"{name} failed: {failed}"
    assert key, f"{name} has no page"
    assert key in wanted


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_that_its_data_are_simulated(name):
    cells = json.loads(Folders("smoke").page(name).read_text())["cells"]
    figures = [cell["metadata"] for cell in cells if "figure" in cell["metadata"].get("mystnb", {})]
    assert figures
    silent = [
        one["mystnb"]["figure"]["name"]
        for one in figures
        if one["exprml"]["role"] not in ("twin", "made", "drawing")
    ]
    assert not silent, "figures.show(..., role=run.role(slot)), or role='drawing' where no data is drawn"


@pytest.mark.parametrize("name", NAMES)
def test_alt_texts_are_sentences_of_at_most_sixty_words(name):
    cells = json.loads(Folders("smoke").page(name).read_text(encoding="utf-8"))["cells"]
    texts = [cell["metadata"]["mystnb"]["image"]["alt"] for cell in cells if "mystnb" in cell["metadata"]]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    html = "".join("".join(one.get("data", {}).get("text/html", "")) for one in outputs)
    texts += [unescape(one) for one in re.findall(r'<img[^>]* alt="([^"]*)"', html)]
    assert texts
    assert not [one for one in texts if not 5 < len(one.split()) <= 60]
    assert all(re.fullmatch(r"[A-Z].+\. .+\.", one) for one in texts), (
        "chart. message. where the numbers are."
    )


@pytest.mark.parametrize("name", [name for name in NAMES if "/" in name])
def test_the_site_shows_every_verdict_of_a_chapter(name):
    html = (Folders("smoke").html / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    assert not [claim.id for claim in claims.ledger(name) if claim.id not in html]


@pytest.mark.parametrize("name", NAMES)
def test_rehearsed_on_every_own_data_set_that_the_paper_profile_asks_for(name):
    stamp = json.loads(Folders("rehearsal").key(name).read_text())
    for slot, candidates in notebooks()[name].slots.items():
        first = candidates["paper"][0]
        own = catalogue.entry(first).role_for(name) == "own"
        assert not own or stamp["data"][slot][:2] == [first, "own"]


@pytest.mark.parametrize("name", NAMES)
def test_no_output_is_a_warning_or_the_name_of_an_object(name):
    cells = json.loads(Folders("smoke").page(name).read_text(encoding="utf-8"))["cells"]
    outputs = [one for cell in cells for one in cell.get("outputs", [])]
    assert outputs
    assert not [one for one in outputs if one.get("name") == "stderr"]
    shown = [{kind: one for kind, one in each.get("data", {}).items() if one} for each in outputs]
    bare = ["".join(one["text/plain"]) for one in shown if list(one) == ["text/plain"]]
    assert not [one for one in bare if "object" in one]


def test_site_was_rendered_without_a_warning():
    folders = Folders("smoke")
    log = folders.root / "site.log"
    assert log.is_file(), "the site was never rendered"
    warnings = [line for line in log.read_text().splitlines() if "WARNING:" in line or "ERROR:" in line]
    assert not warnings
    assert (folders.html / "index.html").is_file()
    assert (folders.root / "site.key").is_file(), "the last rendering failed"


def test_experiments_have_one_home_each():
    assert main(["list", "--experiments"]) == 0


@pytest.mark.parametrize("half", [0, 1])
def test_front_page_stands_without_half_of_its_chapters_and_names_them(half, monkeypatch):
    lost = notebooks()["index"].needs[half::2]

    def read(name):
        if name in lost:
            raise NotAvailableError(f"no results of {name!r}: it failed, and its page says why")
        return there(name, "smoke")

    there, said = results.read, []
    monkeypatch.setattr(results, "read", read)
    monkeypatch.setattr(tables, "say", lambda *sentences, **_: said.extend(sentences))
    page = {}
    for cell in notebooks()["index"].document["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), page)
    plt.close("all")
    assert len(page["missing"]) == len(lost)
    assert all(any(f"no results of {name!r}" in one for one in said) for name in lost)
