"""A server of others from the administration to a call in the chat: how far it is, the person's
word, and an account of theirs that was missing."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.mcp.client.fake import FakeServer, event, fake_server, stream, text, tool
from tests.mcp.client.fake_issuer import FakeIssuer
from tests.support.model_server import ModelServer, Script, calling

AGENT = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
Agent.objects.update_or_create(slug="librarian", defaults=dict(
    owner=owner, name="Librarian", model_name="scripted", max_passages=0, tools={tools!r},
))
"""
CONNECT = """
from agents.mcp_client.models import McpServer
McpServer.objects.create(name="{name}", url="{url}", auth="oauth", is_for_everyone=True)
"""
APPROVE = """
from accounts.models import User
from agents.mcp_client import services
from agents.mcp_client.models import McpServer
owner = User.objects.get(is_superuser=True)
server = McpServer.objects.get(name="{name}")
assert services.refresh(server, by=owner) == "", server.last_error
for row in server.tools.all():
    services.approve(row, row.pin, "reads", by=owner)
"""
FORGET = """
from agents.mcp_client.models import McpAccount
McpAccount.objects.all().delete()
"""


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with fake_server() as found:
        found.tools = [tool("look", "Looks a page of the wiki up by its title.", title="Look up")]
        found.answers["look"] = text("It is blue.")
        yield found


@pytest.fixture
def slowly(fake: FakeServer) -> Iterator[threading.Event]:
    """A call says how far it is, and ends once this is set."""
    go_on = threading.Event()

    def call(handler: Any, asked: Any) -> None:
        token = asked["params"]["_meta"]["progressToken"]
        params = {"progressToken": token, "progress": 3, "total": 10, "message": "indexing"}
        note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}

        def said() -> Iterator[bytes]:
            yield event(note)
            while not go_on.wait(0.2):
                yield b": still here\n\n"
            yield event({"jsonrpc": "2.0", "id": asked["id"], "result": fake.answers["look"]})

        stream(handler, said())

    fake.instead["tools/call"] = call
    yield go_on
    go_on.set()


def connect_as_administrator(page: Page, name: str, url: str, effect: str) -> None:
    page.goto("/admin/agents/mcpserver/add/")
    page.get_by_label("Name:").fill(name)
    page.get_by_label("Address:").fill(url)
    page.get_by_label("For everyone").check()
    page.get_by_role("button", name="Save", exact=True).click()
    look = page.get_by_role("article", name=f"{name}__look")
    look.get_by_label("What a call can do").select_option(label=effect)
    look.get_by_role("button", name="Approve").click()
    expect(look).to_contain_text("approved")


def row_of(page: Page) -> Any:
    return page.locator(".answer [data-kind=tool]").last


def test_from_the_administration_to_a_call_that_says_how_far_it_is(
    visit: Visit, model: ModelServer, product: Product, fake: FakeServer, slowly: threading.Event
) -> None:
    page = visit("/")
    connect_as_administrator(page, "wiki", fake.url, "it only reads")
    product.run(AGENT.format(tools=["wiki__look"]))
    model.queue(calling(("wiki__look", {"q": "sky"})), Script(text="The sky is blue."))
    page.goto("/")
    ask(page, "What colour is the sky?", "Librarian")
    expect(row_of(page).locator("summary")).to_contain_text("Calling Look up · 3")
    expect(row_of(page).locator("summary")).to_contain_text("10 — indexing")
    assert accessibility_violations(page) == []
    page.reload()
    expect(row_of(page).locator("summary")).to_contain_text("indexing")
    slowly.set()
    answer = answered(page)
    expect(answer.locator("[data-markdown]")).to_have_text("The sky is blue.")
    expect(row_of(page).locator("summary")).to_contain_text("Called Look up · “sky”")
    row_of(page).locator("summary").click()
    expect(row_of(page)).to_contain_text("A tool of wiki")
    expect(row_of(page)).to_contain_text("It is blue.")
    page.reload()
    answered(page)
    expect(row_of(page).locator("summary")).not_to_contain_text("indexing")


def test_stopping_the_answer_cancels_the_call(
    visit: Visit, model: ModelServer, product: Product, fake: FakeServer, slowly: threading.Event
) -> None:
    page = visit("/")
    connect_as_administrator(page, "atlas", fake.url, "it only reads")
    product.run(AGENT.format(tools=["atlas__look"]))
    model.queue(calling(("atlas__look", {"q": "sky"})))
    page.goto("/")
    ask(page, "What colour is the sky?", "Librarian")
    expect(row_of(page).locator("summary")).to_contain_text("indexing")
    page.get_by_role("button", name="Stop").first.click()
    answered(page, "stopped")
    methods = [one["method"] for one in fake.heard]
    assert methods.count("notifications/cancelled") == 1


def test_a_call_that_waits_is_counted_in_the_sidebar_of_every_tab(
    visit: Visit, model: ModelServer, product: Product, fake: FakeServer
) -> None:
    page, other = visit("/"), visit("/")
    connect_as_administrator(page, "desk", fake.url, "it talks to somebody outside")
    product.run(AGENT.format(tools=["desk__look"]))
    model.queue(calling(("desk__look", {"q": "sky"})), Script(text="The sky is blue."))
    page.goto("/")
    ask(page, "What colour is the sky?", "Librarian")
    badge = page.locator("[data-waiting-approvals]")
    expect(badge).to_contain_text("1")
    expect(other.locator("[data-waiting-approvals]")).to_contain_text("1")
    assert accessibility_violations(page) == []
    card = page.locator(".answer .approval")
    expect(card).to_contain_text("sky")
    card.get_by_role("button", name="Approve").click()
    expect(answered(page).locator("[data-markdown]")).to_have_text("The sky is blue.")
    expect(badge).to_have_count(0)
    expect(other.locator("[data-waiting-approvals]")).to_have_count(0)


def come_back(page: Page, issuer: FakeIssuer) -> None:
    """Agrees at the server, which sends the browser back to the conversation."""
    onward = page.locator("a.primary[href*='/authorize']")
    answer = issuer.agree(onward.get_attribute("href") or "")
    place = urlsplit(issuer.asked["redirect_uri"]).path
    page.goto(f"{place}?{urlencode(answer)}")


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_an_account_that_is_missing_is_asked_for_on_the_way(
    visit: Visit, model: ModelServer, product: Product, fake: FakeServer, device: dict[str, Any]
) -> None:
    issuer, name = FakeIssuer(fake), "shelf-phone" if device else "shelf"
    product.run(CONNECT.format(name=name, url=fake.url))
    page = visit("/settings/connections/", **device)
    page.get_by_role("button", name=f"Connect {name}", exact=True).click()
    come_back(page, issuer)
    product.run(APPROVE.format(name=name) + AGENT.format(tools=[f"{name}__look"]) + FORGET)
    model.queue(calling((f"{name}__look", {"q": "sky"})), Script(text="The sky is blue."))
    page.goto("/?agent=librarian")
    ask(page, "What colour is the sky?")
    card = page.locator(".answer .approval")
    expect(card.get_by_role("heading", name=f"Connect to {name}")).to_be_visible()
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    conversation = urlsplit(page.url).path
    button = card.get_by_role("button", name="Connect", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    come_back(page, issuer)
    expect(page).to_have_url(re.compile(re.escape(conversation)))
    expect(answered(page).locator("[data-markdown]")).to_have_text("The sky is blue.")
    expect(page.locator(".approval")).to_have_count(0)
    called = [one["arguments"] for one in fake.called]
    assert json.dumps(called) == '[{"q": "sky"}]'
