"""One product for all chat tests: two agents, one quoting offline, one on a scripted model."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Watched
from tests.browser.product import Product
from tests.browser.windows import Window, Windows
from tests.support.model_server import ModelServer
from tests.support.web import SITE

# Colours that are still changing would be measured half way.
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",
}
AGENTS = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
Agent.objects.create(owner=owner, name="Quoting", slug="quoting", model_name="offline")
Agent.objects.create(owner=owner, name="Scripted", slug="scripted", model_name="scripted")
"""
INDEXING_SECONDS = 60
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def product(model: ModelServer) -> Iterator[Product]:
    settings = {"PARLEY_MODEL_BASE_URL": model.url, "PARLEY_MCP_NETWORKS": f"{SITE}/32"}
    with Product(PARLEY_MODEL="scripted", **settings) as running:
        running.run(AGENTS)
        yield running


@pytest.fixture(scope="session")
def session_file(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test's signed-in cookies are kept for the others."""
    return tmp_path_factory.mktemp("browser") / "session.json"


@pytest.fixture(scope="module")
def signed_in(browser: Browser, product: Product, session_file: Path) -> Path:
    """Cookies of the first administrator, who signed in at the real form; samples are indexed."""
    if not session_file.exists():
        context = browser.new_context(base_url=product.origin)
        page = context.new_page()
        page.goto("/")
        page.locator("input[name=login]").fill(product.email)
        page.locator("input[name=password]").fill(product.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
        wait_for_samples(page)
        context.storage_state(path=session_file)
        context.close()
    return session_file


def wait_for_samples(page: Page) -> None:
    deadline = time.monotonic() + INDEXING_SECONDS
    while time.monotonic() < deadline:
        items = page.request.get("/api/v1/documents?limit=50").json()["items"]
        if items and all(item["status"] == "ready" for item in items):
            return
        page.wait_for_timeout(300)
    raise AssertionError(f"The samples were not indexed in time: {items}")


@pytest.fixture
def visit(
    windows: Windows, product: Product, model: ModelServer, signed_in: Path
) -> Iterator[Visit]:
    """Opens a page as the administrator; the test fails on any error in the console."""
    model.reset()
    cookies = json.loads(signed_in.read_text())["cookies"]
    opened: list[tuple[Window, Watched]] = []

    def open_page(path: str = "/", expected: tuple[str, ...] = (), **device: Any) -> Page:
        window = windows.open(product.origin, cookies, **(device or DESKTOP))
        page = window.context.new_page()
        page.set_default_timeout(30_000)
        watched = Watched(page, expected=list(expected))
        watched.listen(product.origin)
        opened.append((window, watched))
        page.goto(path)
        return page

    yield open_page
    for window, _ in opened:
        window.give_back()
    for _, watched in opened:
        watched.check()


def answer_late(page: Page, address: re.Pattern[str]) -> list[Callable[[], None]]:
    """The first request to the address is answered as the server did, but when it is called."""
    late: list[Callable[[], None]] = []

    def take(route: Route) -> None:
        if late:
            return route.continue_()
        response = route.fetch()
        return late.append(lambda: route.fulfill(response=response))

    page.route(address, take)
    return late


def came(page: Page, late: list[Callable[[], None]]) -> Callable[[], None]:
    while not late:
        page.wait_for_timeout(20)
    return late[0]


def ask(page: Page, text: str, agent: str | None = None) -> None:
    if agent:
        page.locator("#agent-picker").click()
        page.get_by_role("menuitemradio", name=agent).click()
    page.locator("#message").fill(text)
    page.locator("#message").press("Enter")


def answered(page: Page, status: str = "complete") -> Any:
    """The last answer, once it has ended."""
    answer = page.locator(f".answer[data-status={status}]").last
    expect(answer.locator("[data-actions]")).to_be_visible()
    expect(page.locator(".answer[data-status=running]")).to_have_count(0)
    return answer
