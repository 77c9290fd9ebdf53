"""A headless Chromium and the built site, served on this machine only.

``EXPRML_SITE`` names the site's folder (default: the smoke build). Without Chromium the tests fail with the
command that installs it; ``SKIP_BROWSER=1`` skips them.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

INSTALL = "apt-get update && apt-get install -y chromium chromium-driver"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-extensions", "--disable-sync", "--no-first-run", "--force-device-scale-factor=1",
    "--window-size=1280,900", "--disable-features=Translate,OptimizationHints",
)  # fmt: skip


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
            metafunc.parametrize(name, found() or [None])


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


@pytest.fixture(scope="session")
def chromium(site):
    """Return a Selenium driver that logs console and network."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.fail(f"no Chromium here: {INSTALL}   (or skip: SKIP_BROWSER=1)", pytrace=False)
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = binary
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    browser.set_page_load_timeout(60)
    yield browser
    browser.quit()


class Visit:
    """One page, opened and settled: what the console said and what was asked for."""

    def __init__(self, browser, address: str):
        self.browser, self.address = browser, address
        for kind in ("browser", "performance"):
            browser.get_log(kind)  # forget the page before
        browser.get(address)
        self.settle()

    def run(self, script: str, *values):
        return self.browser.execute_script(script, *values)

    def wait(self, script: str, *values, seconds: float = 20):
        """Return the script's first true value; None when the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script, *values):
                return value
            time.sleep(0.1)
        return None

    def settle(self):
        self.wait("return document.readyState === 'complete'")
        if self.run(
            "return !!document.querySelector('script[type=\"application/vnd.jupyter.widget-view+json\"]')"
        ):
            self.wait("return [...document.querySelectorAll('.explorable-panel')].some(p => p.offsetParent)")
        if self.run("return !!document.querySelector('.math')"):
            self.wait("return !!document.querySelector('mjx-container')")
        time.sleep(0.2)

    def console_errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> tuple[list[str], list[str]]:
        """Return the addresses asked for, and those that failed (with the reason)."""
        asked, failed, names = [], [], {}
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            said = message.get("params", {})
            if message["method"] == "Network.requestWillBeSent":
                names[said["requestId"]] = said["request"]["url"]
                asked.append(said["request"]["url"])
            elif message["method"] == "Network.responseReceived" and said["response"]["status"] >= 400:
                failed.append(f"{said['response']['status']} {said['response']['url']}")
            elif message["method"] == "Network.loadingFailed" and not said.get("canceled"):
                failed.append(f"{said.get('errorText')} {names.get(said['requestId'], '?')}")
        return asked, failed


@pytest.fixture
def visit(chromium, site):
    """Return a function that opens a page of the site (or any address)."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def opened(page: str | None) -> Visit:
        if page is None:
            pytest.fail("the site has no pages", pytrace=False)
        return Visit(chromium, page if "://" in page else f"{site}/{page}")

    return opened
