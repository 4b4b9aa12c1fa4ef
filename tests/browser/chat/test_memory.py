"""Memory in a real chat: asked for, shown on the answer, undone, used, and gone."""

import re

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

QUESTION = "Where should my parcels be sent?"
FORGET = """
from accounts.models import User
from agents.models import Memory
Memory.objects.all().delete()
User.objects.update(memory="off")
"""


def test_memory_is_switched_on_used_shown_undone_and_forgotten(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(FORGET)  # what an earlier try has left
    page = visit("/settings/memory/")
    expect(page.get_by_text("Nothing is remembered about you.")).to_be_visible()
    page.get_by_role("radio", name=re.compile("When I ask for it")).check()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    field = page.get_by_label("Something to remember")
    # Tools leave an empty style behind, which no swap may write anew: the policy refuses that.
    field.evaluate("(field) => { field.style.color = 'red'; field.style.color = ''; }")
    field.fill("I work in the Bonn office.")
    page.keyboard.press("Enter")
    expect(page.locator("[data-memory]")).to_have_count(1)

    page.goto("/")
    ask(page, "Remember that my desk is in the attic.", "Scripted")
    answer = answered(page)
    expect(answer).to_contain_text("my desk is in the attic")
    expect(answer.get_by_role("button", name="Saved to memory")).to_be_visible()
    assert not model.chat_requests or "attic" not in str(model.chat_requests[0]["messages"][0])

    model.queue(Script(text="To Bonn."))
    ask(page, QUESTION)
    used = answered(page).get_by_role("button", name="Used 2 memories")
    used.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("I work in the Bonn office")
    assert accessibility_violations(page) == []
    page.keyboard.press("Escape")
    sent = next(str(body) for body in model.chat_requests if QUESTION in str(body))
    assert "my desk is in the attic" in sent

    page.reload()  # the marks are there again
    expect(page.get_by_role("button", name="Used 2 memories")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Saved to memory")).to_have_count(0)
    page.get_by_role("button", name="Used 2 memories").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 that was deleted since")

    phone = visit("/settings/memory/", **PHONE)
    phone.get_by_role("button", name="Edit “I work in the Bonn office”").click()
    phone.get_by_role("dialog").get_by_role("textbox").fill("I work in Cologne")
    phone.keyboard.press("Enter")
    expect(phone.locator("[data-memory]")).to_contain_text("I work in Cologne")
    assert accessibility_violations(phone) == []
    phone.get_by_role("button", name="Forget everything").click()
    phone.get_by_role("dialog").get_by_role("button", name="Forget everything").click()
    expect(phone.get_by_text("Nothing is remembered about you.")).to_be_visible()
    phone.get_by_role("radio", name=re.compile("^Off")).check()
    expect(phone.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


def test_everything_is_exported_with_progress_and_downloaded(visit: Visit) -> None:
    page = visit("/settings/data/")
    page.get_by_role("button", name="Export my data").click()
    link = page.get_by_role("link", name="Download").first
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.endswith(".zip")
    page.get_by_role("button", name="Delete the export").first.click()
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
