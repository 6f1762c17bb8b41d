"""A real browser for the tests of Dagster's UI: Debian's Chromium, driven by Playwright.

Skips where either is missing, unless HEAP_TEST_BROWSER=required. HEAP_TEST_SCREENSHOTS names a folder in which
screenshots stay. Here: the browser and its pages. Not here: the server (working_copy.py), what is on the pages.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--no-sandbox",  # Chromium has none for root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_WAIT_MS = 90_000  # a busy machine


class Ui:
    """Dagster's UI in a browser tab; ``errors`` are those that its pages have thrown."""

    def __init__(self, page: "Page", address: str, screenshots: Path) -> None:
        self.page, self.address, self._screenshots = page, address, screenshots
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(_WAIT_MS)

    def open(self, path: str) -> None:
        """Open a page of the UI."""
        self.page.goto(f"{self.address}{path}")

    def click(self, button: str) -> None:
        """Click a button by its name."""
        self.page.get_by_role("button", name=button).first.click()

    def see(self, *texts: str) -> None:
        """Wait until each of these texts is on the page, by itself in some element."""
        for text in texts:
            self.page.get_by_text(text, exact=True).filter(visible=True).first.wait_for()

    def see_like(self, pattern: str) -> str:
        """Wait until some element's text matches, and return the text."""
        found = self.page.get_by_text(re.compile(pattern)).filter(visible=True).first
        found.wait_for()
        return found.inner_text()

    def count(self, text: str) -> int:
        """Return how many elements have this text, by itself."""
        return self.page.get_by_text(text, exact=True).filter(visible=True).count()

    def shoot(self, name: str) -> None:
        """Take a screenshot and print where it is."""
        path = self._screenshots / f"{name}.png"
        self.page.screenshot(path=path)
        print(path)


@contextmanager
def browser_on(address: str, temporary: Path) -> Iterator[Ui]:
    """Open a browser on the UI at this address."""
    from playwright.sync_api import sync_playwright

    kept = os.environ.get("HEAP_TEST_SCREENSHOTS")
    screenshots = Path(kept) if kept else temporary
    screenshots.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        try:
            yield Ui(browser.new_page(viewport={"width": 1500, "height": 1100}), address, screenshots)
        finally:
            browser.close()


def need_browser() -> None:
    """Skip the test where there is no browser, or fail it if the environment requires one."""
    missing = [] if _CHROMIUM.exists() else ["no chromium: apt-get install chromium"]
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing.append("no playwright: uv sync")
    if missing and os.environ.get("HEAP_TEST_BROWSER") == "required":
        pytest.fail("; ".join(missing))
    if missing:
        pytest.skip("; ".join(missing))
