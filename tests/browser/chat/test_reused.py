"""An answer that was written before: marked, in step after a reload, and asked anew."""

import re

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

QUESTION = "Which colour has the tide table?"
KEEPER = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
Agent.objects.get_or_create(slug="keeper", defaults={
    "owner": owner, "name": "Keeper", "model_name": "scripted", "max_passages": 0})
Agent.objects.filter(slug="keeper").update(
    reuse="person", instructions=f"Be kind, {Agent.objects.get(slug='keeper').version}.")
"""
OFF = "from agents.models import Agent; Agent.objects.filter(slug='keeper').delete()"


def test_a_reused_answer_says_so_and_is_asked_anew(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(OFF)  # what an earlier try has left
    product.run(KEEPER)
    model.queue(Script(text="The tide table is green."), Script(text="On reflection, it is blue."))
    page = visit()
    ask(page, QUESTION, "Keeper")
    answer = answered(page)
    expect(answer).to_contain_text("is green")
    expect(page.get_by_text("Reused answer")).to_have_count(0)

    page.goto("/")
    ask(page, QUESTION, "Keeper")
    mark = answered(page).locator(".reused-mark")
    expect(answered(page)).to_contain_text("is green")
    expect(mark).to_contain_text(re.compile(r"Reused answer · .*\d{4}"))
    assert accessibility_violations(page) == []
    assert len([body for body in model.chat_requests if QUESTION in str(body)]) == 1
    page.reload()
    expect(mark).to_be_visible()

    small = visit(page.url, **PHONE)
    expect(small.locator(".reused-mark")).to_be_visible()
    assert accessibility_violations(small) == []
    width = small.evaluate("document.documentElement.scrollWidth")
    assert width <= small.viewport_size["width"]  # type: ignore[index]

    mark.get_by_role("button", name="Answer again").click()
    expect(page.locator(".answer").last).to_contain_text("it is blue")
    expect(answered(page).locator(".reused-mark")).to_have_count(0)
    product.run(OFF)
