"""Evidence beside the answer: a card at the chip, the panel, what was not cited, what is gone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import DESKTOP, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

QUESTION = "How many days of paid rest does a heliographer of the tower have?"
FREE = "Penguins were never seen on the roof of the old customs house."
CITED = "Each heliographer has 25 working days of paid rest [1]."
REST = """
import io
from accounts.models import User
from knowledge import services
from knowledge.models import Document
owner = User.objects.get(is_superuser=True)
text = b"Each heliographer of the tower has 25 working days of paid rest."
document = Document.objects.filter(file_name="rest-of-the-tower.md").first()
if document is None:
    shelf = services.create_collection(owner, "Tower")
    document, _ = services.add_document(owner, shelf, io.BytesIO(text), "rest-of-the-tower.md")
print(document.pk)
"""
ADD = """
import io
from accounts.models import User
from knowledge import services
owner = User.objects.get(is_superuser=True)
shelf = services.create_collection(owner, "Vanishing")
text = b"# Secret Zeppelin plan\\n\\nThe zeppelin Heliotrope leaves the hangar at seven."
document, _ = services.add_document(owner, shelf, io.BytesIO(text), "secret-zeppelin.md")
print(document.pk)
"""
SAYS = "The function heliograph_delay doubles the pause of the heliograph between two flashes."
ADD_PROGRAM = """
import io
from accounts.models import User
from knowledge import services
owner = User.objects.get(is_superuser=True)
shelf = services.create_collection(owner, "Programs")
text = b\'\'\'# Signals of the tower.

FLASHES = 3

def heliograph_delay(pause):
    # The function heliograph_delay doubles the pause of the heliograph between two flashes.
    return pause * 2
\'\'\'
document, _ = services.add_document(owner, shelf, io.BytesIO(text), "heliograph.py")
print(document.pk)
"""
REMOVE = """
from knowledge import services
from knowledge.models import Collection
services.delete_collection(Collection.objects.get(name="Vanishing"))
"""


def add(page: Page, product: Product, code: str) -> None:
    """A document, and wait until it is found."""
    document = product.run(code).split()[-1]
    for _ in range(200):
        if page.request.get(f"/api/v1/documents/{document}").json()["status"] == "ready":
            return
        page.wait_for_timeout(300)
    raise AssertionError("The document was not indexed in time.")


def test_a_citation_shows_its_words_at_the_chip_and_in_the_panel(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    model.queue(Script(text=f"{CITED} {FREE} **See** {CITED}"))
    page = visit("/?agent=scripted", **DESKTOP)
    add(page, product, REST)
    ask(page, QUESTION)
    answer = answered(page)
    chip = answer.locator("a.cite").first
    chip.hover()
    card = page.locator("#cite-preview")
    expect(card).to_be_visible()
    expect(card.locator("[data-quote]")).to_contain_text("25 working days")
    expect(card).to_contain_text("rest-of-the-tower")
    expect(card.locator("[data-how]")).to_have_text(re.compile("ord for word|other words"))
    card.hover()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.mouse.move(2, 2)
    page.keyboard.press("Tab")  # what comes by keyboard is shown too
    chip.press("Shift")
    chip.click()
    panel = page.get_by_role("complementary", name="Sources")
    expect(panel.locator("mark").first).to_contain_text("25 working days")
    expect(answer.locator("a.cite[aria-current]")).to_have_count(2)
    panel.locator(".others summary").click()
    others = panel.locator(".others .source")
    expect(others.first).to_be_visible()
    others.first.locator("button").first.click()
    expect(others.first.locator("mark").first).to_be_visible()
    n = others.first.get_attribute("data-n")
    assert n != "1"
    _scroll(page, "[data-scroller]")
    assert not accessibility_violations(page)


def _scroll(page: Page, selector: str) -> None:
    page.locator(selector).evaluate("(el) => el.scrollTo(0, el.scrollHeight)")
    page.locator(selector).evaluate("(el) => el.scrollTo(0, 0)")
    expect(page.locator("a.cite[aria-current]").first).to_have_text("1")


def test_a_sentence_without_a_source_is_marked_until_the_reader_says_no(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    model.queue(Script(text=f"{CITED} {FREE} **See** {CITED}"))
    page = visit("/?agent=scripted")
    add(page, product, REST)
    ask(page, QUESTION)
    for _ in ("live", "loaded again"):
        answer = answered(page)
        expect(answer.locator(".unsupported")).to_have_text([FREE])
        note = answer.locator("[data-support]")
        expect(note).to_contain_text("1 sentence has no support")
        page.reload()
    with page.expect_response("**/api/v1/me"):
        note.get_by_role("button", name="Hide the marks").click()
    page.reload()
    answered(page)
    expect(page.locator("body[data-unsupported=off]")).to_have_count(1)
    with page.expect_response("**/api/v1/me"):
        page.get_by_role("button", name="Show them").click()
    expect(page.locator("body[data-unsupported=off]")).to_have_count(0)


def test_a_model_that_names_no_source_is_helped_and_lines_of_a_program_are_told(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    page = visit("/?agent=scripted", **DESKTOP)
    add(page, product, ADD_PROGRAM)
    model.queue(Script(text=f"**It is simple.** {SAYS} {FREE}"))
    ask(page, "What does the function heliograph_delay return for a pause?")
    for _ in ("live", "loaded again"):
        answer = answered(page)
        chip = answer.locator("a.cite.proposed")
        expect(chip).to_have_count(1)
        expect(chip).to_have_accessible_name(re.compile("proposed"))
        expect(answer.locator("[data-proposed]")).to_contain_text("named no sources")
        expect(answer.locator(".unsupported")).to_have_text([FREE])
        answer.locator("button[data-why]").click()
        expect(page.locator("#answer-why")).to_contain_text("1 of 2")
        page.keyboard.press("Escape")
        page.reload()
    chip.click()
    panel = page.get_by_role("complementary", name="Sources")
    source = panel.locator(".source.open")
    expect(source).to_contain_text("proposed")
    expect(source).to_contain_text(re.compile(r"lines? \d+"))
    expect(source.locator("mark").first).to_contain_text("heliograph")
    assert not accessibility_violations(page)
    page.goto(source.locator("[data-open]").get_attribute("href") or "")
    expect(page.locator("mark").first).to_contain_text("heliograph")


def test_a_source_that_is_gone_says_so_and_keeps_its_name(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    document = product.run(ADD).split()[-1]
    page = visit("/?agent=scripted", **DESKTOP)
    for _ in range(200):
        if page.request.get(f"/api/v1/documents/{document}").json()["status"] == "ready":
            break
        page.wait_for_timeout(300)
    model.queue(Script(text="The zeppelin Heliotrope leaves at seven [1]."))
    ask(page, "When does the zeppelin Heliotrope leave the hangar?")
    answer = answered(page)
    answer.locator("a.cite").first.click()
    panel = page.get_by_role("complementary", name="Sources")
    expect(panel).to_contain_text("Secret Zeppelin plan")
    product.run(REMOVE)
    page.reload()
    chip = answered(page).get_by_role("link", name="Source 1, not available")
    assert "Secret" not in page.content()
    chip.hover()
    expect(page.locator("#cite-preview")).to_contain_text("Source not available")
    chip.click()
    expect(panel.locator(".source.gone")).to_contain_text("deleted, or it is not shared with you")
    assert not accessibility_violations(page)
