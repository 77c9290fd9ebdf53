"""Every page in a real browser: silent console, nothing foreign, nothing missing, usable by keyboard."""

from __future__ import annotations

import json
import urllib.request

import pytest

INLINE = "data:", "blob:", "about:", "chrome:"


def test_site_has_pages_and_a_front_door(folder, all_pages):
    assert len(all_pages) > 3
    assert "url=" in (folder / "index.html").read_text().lower()


def test_page_is_whole(opened_page, site):
    there = opened_page
    foreign = [url for url in there.asked if not url.startswith((site, *INLINE))]
    assert there.asked, "the network log is empty: the test would not see a foreign request"
    assert not foreign
    assert not there.failed
    assert not there.console_errors
    without = there.run("return [...document.images].filter(i => !i.hasAttribute('alt')).map(i => i.src)")
    assert not without, "images without alt text"
    broken = there.run(
        "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert not broken, "images that did not load"


def test_figures_say_something_in_words(opened_page):
    mute = opened_page.run(
        "return [...document.querySelectorAll('.bd-article figure img, .bd-article .cell_output img')]"
        ".filter(i => i.alt.trim().length < 20).map(i => i.alt || i.src.slice(0, 80))"
    )
    assert not mute


# wider than the telephone, and nothing around them scrolls: the theme would hide the overflow
_STICKING_OUT = """
const scrolls = box => box && !box.matches('.bd-article')
    && (/auto|scroll|hidden|clip/.test(getComputedStyle(box).overflowX) || scrolls(box.parentElement));
return [...document.querySelectorAll('.bd-article *')]
    .filter(one => one.getBoundingClientRect().right > 392 && one.offsetParent && !scrolls(one))
    .slice(0, 5).map(one => one.tagName + '.' + one.className + ' ' + one.textContent.slice(0, 40));
"""


def test_page_fits_a_telephone(visit, page):
    there = visit(page, screen="telephone")
    wide, seen = there.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert seen == 390, f"the page is laid out {seen} pixels wide on a telephone of 390"
    assert wide <= 391
    assert not there.run(_STICKING_OUT)
    squeezed = there.run(
        "return [...document.querySelectorAll('.bd-article figure img')].filter(i => i.offsetParent)"
        ".map(i => { const s = getComputedStyle(i), p = parseFloat(s.paddingLeft) + 1;"
        " const shown = (i.clientWidth - 2 * p) / (i.clientHeight - 2 * p);"
        " return [i.alt, shown * i.naturalHeight / i.naturalWidth]; })"
        ".filter(([_, ratio]) => Math.abs(ratio - 1) > 0.04)"
    )
    assert not squeezed, "pictures out of proportion"


_SHOWN = (
    "return [...document.querySelectorAll('.explorable-panel')].filter(p => p.offsetParent).map(p => p.alt)"
)


def test_explorable_moves_by_keyboard(visit, explorable_page):
    if explorable_page is None:
        pytest.skip("no explorable figure in this site")
    there = visit(explorable_page)
    assert there.run(_SHOWN), "the panels never appeared"
    assert not there.run(
        "return [...document.querySelectorAll('.explorable-static')].some(i => i.offsetParent)"
    )
    for handle in there.page.query_selector_all(".explorable [role=slider]"):
        assert handle.get_attribute("aria-label"), "a slider without a name"
        before = there.run(_SHOWN)
        moved = []
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):  # one of them leads away from any end
            handle.press(key)
            moved.append(there.run(_SHOWN))
        assert any(shown != before for shown in moved)
        assert all(len(shown) == len(before) for shown in moved), "one panel at a time"
    for group in there.page.query_selector_all(".explorable .widget-toggle-buttons"):
        before = there.run(_SHOWN)
        group.query_selector("button:not(.mod-active)").press("Enter")
        assert there.run(_SHOWN) != before
    assert not there.console_errors


# The font files that style sheets of this page name first; a browser asks for them only when it needs a sign.
_FONTS = """
return [...document.styleSheets].flatMap(sheet => [...sheet.cssRules].map(rule => [sheet, rule]))
    .filter(([_, rule]) => rule instanceof CSSFontFaceRule)
    .map(([sheet, rule]) => [sheet, (rule.style.getPropertyValue('src').match(/url\\("?([^")]+)/) || [])[1]])
    .filter(([_, address]) => address && !address.startsWith('data:'))
    .map(([sheet, address]) => new URL(address, sheet.href || document.baseURI).href)
"""


def test_every_font_a_page_could_ask_for_is_there(visit, site, folder, explorable_page):
    if explorable_page is None:
        pytest.skip("no explorable figure in this site")
    fonts = visit(explorable_page).run(_FONTS)
    assert any("jupyter-widgets" in address for address in fonts), "the widgets' fonts were not looked at"
    absent = [a for a in fonts if not (folder / a.removeprefix(site).lstrip("/").split("?")[0]).is_file()]
    assert not absent


def test_page_with_an_explorable_stays_light(folder, explorable_page):
    if explorable_page is not None:
        assert (folder / explorable_page).stat().st_size < 2_000_000


def test_search_finds_a_word(visit):
    there = visit("search.html?q=expression")
    assert there.wait("return document.querySelectorAll('#search-results li a').length > 0")
    assert not there.console_errors


def test_dark_mode_is_dark(visit, all_pages):
    there = visit(all_pages[0])
    for _ in range(3):
        if there.run("return document.documentElement.dataset.theme") == "dark":
            break
        there.run("document.querySelector('.theme-switch-button').click()")
    assert there.run("return document.documentElement.dataset.theme") == "dark"
    ground = there.run(
        "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert max(ground) < 60


def test_download_gives_the_source_notebook(visit, site, all_pages):
    notebooks = [page for page in all_pages if page.startswith("notebooks/")]
    assert notebooks
    for page in notebooks:
        there = visit(page)
        address, name = there.run(
            "const link = document.querySelector('.btn-download-source-button');"
            "return [link.href, link.download]"
        )
        assert address.startswith(site)
        assert name.endswith(".ipynb")
        with urllib.request.urlopen(address) as answer:  # this machine's own server
            notebook = json.load(answer)
        assert not any(cell.get("outputs") for cell in notebook["cells"])
        tags = [tag for cell in notebook["cells"] for tag in cell["metadata"].get("tags", [])]
        assert "injected-parameters" not in tags


def test_pages_open_from_a_folder(visit, folder, all_pages):
    for page in [page for page in all_pages if page.startswith("notebooks/")]:
        there = visit((folder / page).as_uri())
        assert there.asked
        assert not [url for url in there.asked if not url.startswith(("file:", *INLINE))]
        assert not there.failed
        assert not there.console_errors
