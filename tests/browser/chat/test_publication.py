"""A draft that golden questions hold back: what its author sees and decides, in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import PHONE, Visit
from tests.browser.chat.test_agent_builder import LATER, violations
from tests.browser.product import Product

AGENT = """
from accounts.models import User
from agents.building import drafts, making, publishing
from knowledge.models import Collection, Document
from knowledge.quality.services import Expectation, add_question
owner = User.objects.get(is_superuser=True)
leave = Document.objects.get(title__startswith="Leave policy")
shelf = Collection.objects.get(pk=leave.collection_id)
for word in ("parental", "annual", "unpaid", "sick"):
    add_question(owner, shelf, f"How much {word} leave?", expected=[Expectation(leave.pk)])
said = {"is_limited": True, "collections": [shelf.pk]}
made = making.create_agent(owner, NAME, said)
publishing.publish(owner, made.pk, drafts.find_draft(owner, made.pk).version)
print(made.pk)
"""
AFTER = """
from agents.models import Agent
from security.models import AuditEntry
agent = Agent.objects.get(pk=PK)
entry = AuditEntry.objects.get(act="gate.overridden", object_id=PK)
print(agent.version, agent.max_passages, entry.detail["reason"], "ndcg" in str(entry.detail))
"""


def open_builder(visit: Visit, product: Product, name: str, **device) -> tuple[Page, str]:
    pk = product.run(f"NAME = {name!r}\n{AGENT}").strip()
    page = visit(f"/agents/{pk}/", expected=("409",), **device)
    expect(page.locator("#builder[data-ready]")).to_be_attached(timeout=LATER)
    return page, pk


def publish(page: Page) -> None:
    page.locator("[data-publish]").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()


def test_what_loses_is_held_kept_back_and_published_nevertheless(visit, product):
    page, pk = open_builder(visit, product, "Office")
    field = page.get_by_label("Passages at most")
    field.evaluate("(field) => { field.closest('details').open = true }")
    field.fill("0")
    expect(page.locator("[data-state=changed]")).to_be_visible(timeout=LATER)
    publish(page)
    card = page.locator("#publication")
    expect(card).to_contain_text("Held back", timeout=LATER)
    expect(card.locator(".lost")).to_contain_text(["Right passages high up"])
    expect(card.locator(".publication-worse li").first).to_contain_text("leave?")
    expect(card).to_contain_text("4 questions were asked of both")
    assert not violations(page)
    card.get_by_role("button", name="Keep the old one").click()
    expect(card).to_have_attribute("data-state", "none")
    expect(page.locator("[data-state=changed]")).to_be_visible()

    publish(page)
    expect(card).to_contain_text("Held back", timeout=LATER)
    publish(page)  # the same once more: it says why it is not
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("beyond noise")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name="Publish nevertheless").click()
    reason = card.get_by_label("Why it is published nevertheless")
    expect(reason).to_be_focused()  # it is demanded
    reason.fill("It is to talk only.")
    page.keyboard.press("Enter")
    expect(page.locator("[data-state=same]")).to_be_visible(timeout=LATER)
    expect(card).to_have_attribute("data-state", "none")
    assert product.run(f"PK = {pk!r}\n{AFTER}").strip() == "2 0 It is to talk only. True"


def test_what_loses_nothing_is_published_while_its_author_waits_on_a_phone(visit, product):
    page, _pk = open_builder(visit, product, "Pocket", **PHONE)
    page.locator("#f-instructions").fill("Be brief.")
    expect(page.locator("[data-state=changed]")).to_be_visible(timeout=LATER)
    publish(page)
    card = page.locator("#publication")
    expect(card).to_contain_text("Version 2 is published", timeout=LATER)
    expect(page.locator("[data-state=same]")).to_be_visible(timeout=LATER)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    assert not violations(page)
    page.reload()
    expect(page.locator("#publication")).to_have_attribute("data-state", "none")
