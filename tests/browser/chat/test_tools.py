"""Calls of tools in a real chat: rows that open, a question that waits, an answer that goes on."""

import re

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script, calling

CHART = {
    "kind": "bar", "title": "Cups", "x": ["Mon", "Tue"],
    "series": [{"name": "tea", "values": [3, 5]}],
}  # fmt: skip
SEARCHED = "How much parental leave may each parent take?"
TOOLS = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
Agent.objects.update_or_create(slug="handy", defaults=dict(
    owner=owner, name="Handy", model_name="scripted", max_passages=0,
    tools=["calculate", "search_documents", "draw_chart", "fetch_page"],
))
"""


def test_calls_are_seen_opened_and_there_after_a_reload(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(TOOLS)
    page = visit("/")
    model.queue(
        calling(
            ("calculate", {"expression": "6*7"}),
            ("draw_chart", CHART),
            ("search_documents", {"query": SEARCHED}),
            text="Let me see.",
        ),
        Script(text="It is **42** [1]."),
    )
    ask(page, "What is six times seven?", "Handy")
    answer = answered(page)
    for _ in range(2):  # live, and as it is stored
        expect(answer.locator("[data-markdown]")).to_contain_text("It is 42")
        row = answer.locator("[data-kind=tool]").filter(has_text="Calculate")
        expect(row.locator("summary")).to_contain_text("Called Calculate · “6*7”")
        row.locator("summary").click()
        expect(row).to_contain_text("6*7 = 42")
        found = answer.locator("[data-kind=tool]").filter(has_text="Search documents")
        found.locator("summary").click()
        expect(found.locator("a.hit").first).to_be_visible()
        expect(found.locator(".result pre")).to_contain_text("Passages that fit")
        expect(answer.locator(".chart-card svg")).to_be_visible()
        assert accessibility_violations(page) == []
        page.reload()
        answer = answered(page)
    phone = visit(re.sub(r"^https?://[^/]+", "", page.url), **PHONE)
    row = answered(phone).locator("[data-kind=tool]").first
    row.locator("summary").click()
    expect(row).to_contain_text("6*7")
    assert accessibility_violations(phone) == []


def test_a_call_waits_for_its_person_also_over_a_reload(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(TOOLS)
    page = visit("/")
    model.queue(calling(("fetch_page", {"url": "https://example.org/a?b=c"}), text="I look it up."))
    model.default = Script(text="Then without it.")
    ask(page, "What does the page say?", "Handy")
    card = page.locator(".answer .approval")
    expect(card).to_contain_text("https://example.org/a?b=c")
    expect(page.get_by_text("Waiting for your answer")).to_be_visible()
    assert accessibility_violations(page) == []
    page.reload()
    card = page.locator(".answer .approval")
    expect(card.get_by_role("button", name="Approve")).to_be_visible()
    card.get_by_role("button", name="Do not allow").click()
    answer = answered(page)
    expect(answer.locator("[data-markdown]")).to_have_text(
        re.compile(r"I look it up\.\s*Then without it\.")
    )
    row = answer.locator("[data-kind=tool]")
    expect(row.locator("summary")).to_contain_text("Not allowed")
    expect(page.locator(".approval")).to_have_count(0)
