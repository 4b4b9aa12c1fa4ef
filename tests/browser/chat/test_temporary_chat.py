"""A temporary chat on the page: marked, kept through a reload, and gone without a trace."""

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

WORDS = "the heron nests under the third bridge"
LEFT = f"""
from chat.models import Conversation, Message
print(Conversation.objects.exclude(ends_at=None).count(),
      Message.objects.filter(text__contains={WORDS!r}).count())
"""
HASTE = """
from datetime import timedelta
from chat.models import Conversation
from chat.retention import temporary
from django.utils import timezone
ending = Conversation.objects.filter(ends_at__lt=timezone.now() + timedelta({within}))
ending.update(ends_at=timezone.now())
temporary.remove_ended()
"""
SECONDS = 60  # for what a page says while it closes


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


@pytest.fixture(autouse=True)
def nothing_before(product: Product) -> None:
    """What another test left open is gone."""
    product.run(HASTE.format(within="days=365"))


def left(product: Product) -> str:
    return product.run(LEFT).splitlines()[-1]


def left_after_leaving(product: Product) -> str:
    """What is left once the server has heard that no page is open, without the wait it allows."""
    deadline = time.monotonic() + SECONDS
    found = "unknown"
    while found != "0 0" and time.monotonic() < deadline:
        product.run(HASTE.format(within="minutes=2"))
        found = left(product)
    return found


def begin(page: Page, model: ModelServer, words: str = WORDS) -> None:
    model.queue(Script(text=f"Yes, {words}."))
    page.get_by_role("button", name="Temporary chat").click()
    expect(page.locator("#temporary")).to_be_visible()
    ask(page, f"Is it true that {words}?", "Scripted")
    answered(page)
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))


def test_it_survives_a_reload_and_nothing_else(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    page = visit()
    before = page.locator("#history [data-conversation]").count()
    begin(page, model)
    assert not violations(page)
    assert WORDS not in page.title()
    expect(page.locator("#history [data-conversation]")).to_have_count(before)
    expect(page.get_by_role("button", name="Share the conversation")).to_be_hidden()
    with page.expect_response(re.compile("/visits$")):
        page.reload()
    expect(answered(page)).to_contain_text(WORDS)
    expect(page.locator("#temporary")).to_be_visible()
    page.locator("#message").fill("half a thought")
    assert WORDS not in page.evaluate("JSON.stringify(localStorage)")
    assert "half a thought" not in page.evaluate("JSON.stringify(localStorage)")
    page.locator("#message").fill("")
    assert left(product) == "1 2"
    page.locator("[data-new-chat]").click()
    expect(page.locator("#welcome")).to_be_visible()
    assert left_after_leaving(product) == "0 0"


def test_deleted_by_hand_it_is_gone_at_once(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    page = visit("/", **PHONE)
    begin(page, model)
    assert not violations(page)
    page.get_by_role("button", name="Delete now").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#temporary")).to_be_hidden()
    assert left(product) == "0 0"


def test_kept_it_is_in_the_list(visit: Visit, model: ModelServer) -> None:
    page = visit("/?temporary")
    expect(page.locator("#temporary")).to_be_visible()
    page.get_by_role("button", name="Temporary chat").click()
    expect(page.locator("#temporary")).to_be_hidden()
    begin(page, model, "the kettle is descaled on Fridays")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#history [aria-current]")).to_contain_text("Is it true that")
    expect(page.locator("#temporary")).to_be_hidden()
    expect(page.get_by_role("button", name="Share the conversation")).to_be_visible()
