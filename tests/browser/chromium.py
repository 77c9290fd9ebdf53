"""A Chromium or Chrome that really starts: the system's, else Playwright's own, else the system's package.

``python tests/browser/chromium.py`` is what `make test` does first: it gets one if none is there, and ends
with status 1, saying what to install, if none can be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

# The shell has no window and no extensions of its own: a page opens in half the time.
PACKAGES = "chromium-headless-shell", "chromium"
NAMES = *PACKAGES, "chromium-browser", "google-chrome", "google-chrome-stable"
ON_A_MAC = "Chromium", "Google Chrome"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync",
    "--no-first-run", "--disable-features=Translate,OptimizationHints",
)  # fmt: skip
NONE_STARTS = """make test opens the pages in Chromium or Chrome; none starts here and none could be had.
Install one (as root on Debian: apt-get update && apt-get install -y chromium),
or leave that part out: make test SKIP_BROWSER=1"""


def candidates(playwright: Playwright) -> Iterator[str]:
    """Yield the browsers that are there: the system's first, Playwright's own last."""
    paths = [shutil.which(name) or "" for name in NAMES]
    paths += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ON_A_MAC]
    yield from filter(os.path.exists, [*paths, playwright.chromium.executable_path])


def launch(playwright: Playwright) -> Browser | None:
    """Return the first browser that starts and computes; None, and why not, if none does."""
    for path in candidates(playwright):
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=60_000)
            if browser.new_page().evaluate("6 * 7") == 42:
                return browser
        except Error as error:
            print(f"{path} does not start: {str(error).splitlines()[0]}", file=sys.stderr)
    return None


def starts() -> bool:
    """Return whether a browser that is there starts."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser:
            browser.close()
        return browser is not None


def download() -> None:
    """Let Playwright fetch its own Chromium; behind a wall it gives up within seconds."""
    print("No Chromium or Chrome that starts; fetching Playwright's own ...", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    _say_if_failed(command, {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000"})


def install_package() -> None:
    """Install the system's package, where this is allowed: as root, with apt."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _apt("update")
        for name in PACKAGES:
            print(f"Installing the package {name} ...", flush=True)
            if _apt("install", "-y", name):
                return


def _apt(*words: str) -> bool:
    return _say_if_failed(["apt-get", "-qq", *words], {"DEBIAN_FRONTEND": "noninteractive"})


def _say_if_failed(command: list[str], settings: dict[str, str]) -> bool:
    """Run a command; return whether it did what it should."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", timeout=900, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{' '.join(command)}: no end after 15 minutes", file=sys.stderr)
        return False
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "without a word")
        print(f"{' '.join(command)} failed: {said}", file=sys.stderr)
    return done.returncode == 0


def main(ways: tuple[Callable[[], None], ...] = (download, install_package)) -> int:
    """Return 0 as soon as a browser starts, getting one if need be; else say so and return 1."""
    for get in (lambda: None, *ways):
        get()
        if starts():
            return 0
    print(NONE_STARTS, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
