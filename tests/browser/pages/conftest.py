"""A signed-in browser on the whole site: pages, static files and the real policy."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from tests.browser.conftest import Watched
from tests.browser.pages import static_files
from tests.browser.windows import Window, Windows
from tests.knowledge.conftest import _files_apart, _ready_to_index  # noqa: F401 - fixtures

# Colours that are still changing would be measured half way.
DESKTOP = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DARK = """() => {
    document.documentElement.dataset.theme = "dark";
    document.body.classList.replace("theme-light", "theme-dark");
}"""
Visit = Callable[..., Page]


@pytest.fixture(scope="module", autouse=True)
def _sync_database() -> Iterator[None]:
    """Playwright's synchronous interface keeps a loop running in this thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        static_files.use(patch)
        yield


@pytest.fixture
def visit(windows: Windows, live_server) -> Iterator[Visit]:
    """Opens a page for a person (None: nobody); the test fails on any error in the console."""
    opened: list[tuple[Window, Watched]] = []

    def open_page(user: User | None, path: str, **device) -> Page:
        cookies = [] if user is None else [session_of(user, live_server.url)]
        window = windows.open(live_server.url, cookies, **(device or DESKTOP))
        page = window.context.new_page()
        page.set_default_timeout(30_000)
        page.set_default_navigation_timeout(60_000)  # the first page loads half of the product
        watched = Watched(page)
        watched.listen(live_server.url)
        opened.append((window, watched))
        page.goto(path)
        return page

    yield open_page
    for window, _ in opened:
        window.give_back()
    for _, watched in opened:
        watched.check()


def session_of(user: User, origin: str) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"name": "session", "value": client.cookies["session"].value, "url": origin}


def accessibility_violations(page: Page, *, ignoring: tuple[str, ...] = ()) -> list[str]:
    """What axe finds in both themes, and whether the page is wider than the window.

    The themes differ in colours alone, so the second is asked only about those.
    """
    violations = _axe(page, {"type": "tag", "values": RULES}, ignoring)
    page.evaluate(DARK)
    violations += _axe(page, {"type": "rule", "values": ["color-contrast"]}, ignoring)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        violations.append("wider than the window")
    return violations


def _axe(page: Page, only: dict[str, object], ignoring: tuple[str, ...]) -> list[str]:
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": only, "preload": False, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(options).then((all) => all.violations)", options)
    return [
        f"{rule['id']}: {rule['nodes'][0]['html'][:200]}"
        for rule in found
        if rule["id"] not in ignoring
    ]
