"""Browser tests drive a real Chromium; without one they are skipped with one clear line.

Where Chromium's headless shell is installed too, it runs what needs no window: the same pages for
two thirds of the work. Modules marked `windowed` show notifications or drag, which it cannot.

The browser lives for the tests of one folder: Playwright's synchronous interface keeps an event
loop running, which the database tests that follow must not see.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.browser.canary import Canary
from tests.browser.static_site import StaticSite
from tests.browser.windows import Windows

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
expect.set_options(timeout=20_000)  # on a machine with other work, too
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
SHELL = (not os.environ.get("CHROMIUM") and shutil.which("chromium-headless-shell")) or CHROMIUM


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))  # the first of them starts the product
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="No Chromium: `apt-get install chromium`."))


@pytest.fixture(scope="session")
def canary() -> Iterator[Canary]:
    """Hears every connection to a name under `.example`, whatever made it."""
    with Canary() as listener:
        yield listener


class Chromium:
    """Started for the first that asks, and again if it has ended."""

    def __init__(self) -> None:
        self.is_last = False  # whether no other test of the folder follows this one
        self._held = ExitStack()
        self._playwright: Playwright | None = None
        self._windows: dict[str | None, Windows] = {}

    def windows(self, program: str | None, canary: Canary) -> Windows:
        if not all(windows.browser.is_connected() for windows in self._windows.values()):
            self.end()
        if program not in self._windows:
            if self._playwright is None:
                self._playwright = self._held.enter_context(sync_playwright())
            flags = [*FLAGS, canary.flag]
            browser = self._playwright.chromium.launch(executable_path=program, args=flags)
            self._held.callback(browser.close)
            self._windows[program] = Windows(browser)
        return self._windows[program]

    def end(self) -> None:
        self._playwright = None
        self._windows.clear()
        self._held.close()


chromium = Chromium()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    chromium.is_last = nextitem is None or nextitem.path.parent != item.path.parent
    try:
        return (yield)
    finally:
        if chromium.is_last:
            chromium.end()


@pytest.fixture(scope="module")
def windows(request: pytest.FixtureRequest, canary: Canary) -> Iterator[Windows]:
    is_windowed = request.node.get_closest_marker("windowed") is not None
    yield chromium.windows(CHROMIUM if is_windowed else SHELL, canary)
    if chromium.is_last:
        chromium.end()  # before the database of the tests is taken away


@pytest.fixture(scope="module")
def browser(windows: Windows) -> Browser:
    return windows.browser


@dataclass
class Watched:
    """A page whose every error, refusal by the CSP and foreign request is remembered."""

    page: Page
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def listen(self, origin: str) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"pageerror: {error}"))
        self.page.on("dialog", lambda dialog: (self.errors.append("dialog"), dialog.dismiss()))
        self.page.on(
            "request",
            lambda request: (
                self.foreign.append(request.url)
                if not request.url.startswith((origin, "blob:", "data:"))
                else None
            ),
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in self.expected):
            self.errors.append(f"console: {message.text} {message.location['url']}")

    def forget(self) -> None:
        for found in (self.errors, self.foreign, self.expected):
            found.clear()

    def check(self) -> None:
        assert not self.errors
        assert not self.foreign


@pytest.fixture(scope="session")
def static_site() -> Iterator[StaticSite]:
    """Our static files under the product's policy, without Django: for the pure modules."""
    with StaticSite() as site:
        yield site


@pytest.fixture(scope="module")
def harness(browser: Browser, static_site: StaticSite) -> Iterator[Watched]:
    with open_harness(browser, static_site) as watched:
        yield watched


@contextmanager
def open_harness(browser: Browser, site: StaticSite) -> Iterator[Watched]:
    """A page on which `MarkdownStream`, `safe`, `enhance` and the checks are loaded."""
    context = browser.new_context()
    watched = Watched(context.new_page())
    watched.listen(site.origin)
    watched.page.goto(f"{site.origin}/")
    watched.page.locator("body[data-ready]").wait_for(state="attached", timeout=5000)
    yield watched
    context.close()


@pytest.fixture
def watched(harness: Watched) -> Iterator[Watched]:
    """The harness, emptied; fails on any error or foreign request."""
    harness.forget()
    harness.page.evaluate("document.getElementById('out').replaceChildren()")
    yield harness
    harness.check()


@pytest.fixture
def module_page(watched: Watched) -> Page:
    return watched.page
