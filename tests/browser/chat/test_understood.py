"""How a question was understood: shown with the answer, and asked again without a narrowing."""

import json
import re

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

QUESTION = "PDFs from last month about annual leave"
READER = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
Agent.objects.update_or_create(slug="reader", defaults={
    "owner": owner, "name": "Reader", "model_name": "scripted",
    "understanding": {"filters": True, "rewrites": True, "hypothetical": True}})
"""
OFF = "from agents.models import Agent; Agent.objects.filter(slug='reader').delete()"
WRITTEN = {
    "rewrites": ["vacation days per year"],
    "hypothetical": "Every employee has 25 days of leave.",
}


def written() -> Script:
    return Script(text=json.dumps(WRITTEN))


def test_a_narrowing_is_shown_and_left_out(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(READER)
    model.queue(written(), Script(text="No PDF says so."))
    page = visit()
    ask(page, QUESTION, "Reader")
    answer = answered(page)
    expect(answer).to_contain_text("No PDF says so.")
    row = answer.locator(".steps details", has_text="Narrowed to")
    expect(row.locator("summary")).to_contain_text("“PDFs” · “from last month” (")
    row.locator("summary").click()
    expect(row).to_contain_text("In other words · vacation days per year")
    expect(row).to_contain_text("A passage that could be the answer · Every employee")
    expect(row).to_contain_text("Written by scripted.")
    assert accessibility_violations(page) == []

    model.queue(written(), Script(text="There is one now."))
    row.get_by_role("button", name="Ask again without “from last month”").click()
    expect(page.locator(".answer").last).to_contain_text("There is one now.")
    again = answered(page).locator(".steps details", has_text="Narrowed to")
    expect(again.locator("summary")).not_to_contain_text("from last month")
    page.reload()
    again.locator("summary").click()
    expect(again).to_contain_text(re.compile("from last month.* · left out"))
    expect(again.get_by_role("button", name="Ask again without “PDFs”")).to_be_visible()

    small = visit(page.url, **PHONE)
    small.locator(".steps summary", has_text="Narrowed to").click()
    assert accessibility_violations(small) == []
    width = small.evaluate("document.documentElement.scrollWidth")
    assert width <= small.viewport_size["width"]  # type: ignore[index]
    product.run(OFF)
