"""A headless Chromium and the built site, served on this machine only.

``EXPRML_SITE`` names the site's folder (default: the smoke build). Without a Chromium that starts the tests
fail (``python tests/browser/chromium.py`` gets one); ``SKIP_BROWSER=1`` skips them.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from chromium import NONE_STARTS, launch


def site_folder() -> Path:
    default = Path(__file__).resolve().parents[2] / "_build" / "smoke" / "html"
    return Path(os.environ.get("EXPRML_SITE", default)).resolve()


def pages() -> list[str]:
    """Return the site's pages, redirects and the theme's own files left out."""
    found = (path.relative_to(site_folder()) for path in site_folder().rglob("*.html"))
    kept = [
        str(path)
        for path in found
        if path.parts[0] not in ("_static", "_sources") and str(path) != "index.html"
    ]
    return sorted(kept)


def explorable_pages() -> list[str]:
    return [page for page in pages() if "explorable-static" in (site_folder() / page).read_text("utf-8")]


def pytest_generate_tests(metafunc):
    for name, found in (("page", pages), ("explorable_page", explorable_pages)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, found() or [None], scope="module")  # all tests of a page together


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site():
    """Return the address of the site, served for the length of the session."""
    if os.environ.get("SKIP_BROWSER") == "1":
        pytest.skip("SKIP_BROWSER=1: the pages were NOT opened in a browser")
    folder = site_folder()
    if not (folder / "index.html").is_file():
        pytest.fail("no built site: run `exprml build --profile smoke`, or set EXPRML_SITE", pytrace=False)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def folder(site) -> Path:
    """Return the folder that is served."""
    return site_folder()


@pytest.fixture(scope="session")
def all_pages(site) -> list[str]:
    return pages()


@pytest.fixture(scope="module")
def chromium(site):
    """Return a browser; with the module it goes, and its event loop, which notebooks run here would meet."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            pytest.fail(NONE_STARTS, pytrace=False)
        yield browser
        browser.close()


class Visit:
    """One page, opened and settled: what the console said and what was asked for."""

    def __init__(self, page, address: str):
        self.page, self.address = page, address
        self.console_errors: list[str] = []
        self.asked: list[str] = []
        self.failed: list[str] = []
        page.on("console", lambda said: said.type == "error" and self.console_errors.append(said.text))
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", self._note_response)
        page.on("requestfailed", self._note_failure)
        page.goto(address, timeout=60_000)
        self._settle()

    def run(self, script: str):
        """Return what the body of a JavaScript function returns."""
        return self.page.evaluate(f"() => {{ {script} }}")

    def wait(self, script: str, seconds: float = 20):
        """Return the script's first true value; None when the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script):
                return value
            self.page.wait_for_timeout(100)
        return None

    def _settle(self):
        if self.run(
            "return !!document.querySelector('script[type=\"application/vnd.jupyter.widget-view+json\"]')"
        ):
            self.wait("return [...document.querySelectorAll('.explorable-panel')].some(p => p.offsetParent)")
        if self.run("return !!document.querySelector('.math')"):
            self.wait("return !!document.querySelector('mjx-container')")
        self.page.wait_for_timeout(200)

    def _note_response(self, response):
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")

    def _note_failure(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page itself thought better of it
            self.failed.append(f"{request.failure} {request.url}")


SCREENS = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "telephone": {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2, "is_mobile": True},
}


@pytest.fixture(scope="module")
def opened_page(page, chromium, site):
    """Return a page of the site on a desk's screen, for tests that only look at it."""
    context = chromium.new_context(**SCREENS["desk"])
    yield Visit(context.new_page(), address_of(page, site))
    context.close()


def address_of(page: str | None, site: str) -> str:
    if page is None:
        pytest.fail("the site has no pages", pytrace=False)
    return page if "://" in page else f"{site}/{page}"


@pytest.fixture
def visit(chromium, site):
    """Return a function that opens a page of the site (or any address) on a screen of its own."""
    opened = []

    def open_page(page: str | None, screen: str = "desk") -> Visit:
        opened.append(chromium.new_context(**SCREENS[screen]))
        return Visit(opened[-1].new_page(), address_of(page, site))

    yield open_page
    for context in opened:
        context.close()
