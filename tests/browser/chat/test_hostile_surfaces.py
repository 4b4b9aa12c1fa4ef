"""Hostile text in answers, versions and sources: nothing runs, nothing leaves (s26, s27).

`visit` fails the test on any error in the console, which is where refusals by the policy are
told, on any dialog and on any request to elsewhere; the canary hears what no page reports.
"""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.canary import Canary
from tests.browser.chat.conftest import Visit, answered, ask
from tests.browser.corpus import HOSTILE
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

# Without pictures of our own that are not there: a 404 is an error in the console.
# Lists nested deeper than the parser follows swallow what comes after: they stand last.
SHOWN = [text for text in HOSTILE if "/files/" not in text]
TEXT = "\n\n".join(sorted(SHOWN, key=lambda text: text.startswith("- - -")))
NAME = "<img src=//attacker.example/p onerror=alert(1)>"
PATIENCE = 30_000  # a hundred hostile blocks take a while to draw on a busy machine
FURNISH = f"""
import io, json, re
from accounts.models import User
from agents.models import Agent
from chat import services as chat
from chat.models import Message
from knowledge import services
text, name = json.loads({json.dumps(json.dumps([TEXT, NAME]))})
owner = User.objects.get(is_superuser=True)
Agent.objects.create(owner=owner, name=name, slug="hostile", model_name="scripted",
                     description=name, instructions=text)
shelf = services.create_collection(owner, name, description=text[:2000])
body = "# Zanzibar " + name + "\\n\\nZanzibar lighthouse. " + text
file = io.BytesIO(re.sub("[\\x00-\\x08\\x0b-\\x1f]", "", body).encode())
document, _ = services.add_document(owner, shelf, file, "zanzibar " + name + ".md")
talk = chat.create_conversation(owner, title=name)
message = Message.objects.create(conversation=talk, role="user", text=text)
print(json.dumps({{"document": str(document.pk), "shelf": str(shelf.pk), "talk": str(talk.pk),
                  "agent": str(Agent.objects.get(slug="hostile").pk), "message": str(message.pk)}}))
"""


@pytest.fixture(scope="module")
def ids(product: Product) -> Iterator[dict[str, str]]:
    yield json.loads(product.run(FURNISH).splitlines()[-1])
    product.run(
        "from agents.models import Agent; from knowledge.models import Collection;"
        "from knowledge import services; Agent.objects.filter(slug='hostile').delete();"
        f"[services.delete_collection(c) for c in Collection.objects.filter(name={NAME!r})]"
    )


def settled(page: Page, canary: Canary) -> None:
    """Everything that the text may have started had its chance."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("#toasts :text('alert')")).to_have_count(0)
    framed = page.locator("iframe, object, embed, base").and_(page.locator(":not(.diagram-frame)"))
    assert framed.count() == 0
    assert canary.heard == 0


def look_at_everything(page: Page) -> None:
    """Tables in their dialog, and each footnote."""
    for opener in page.get_by_role("button", name="Open the table on its own").all():
        opener.press("Enter")
        expect(page.get_by_role("dialog", name="Table")).to_be_visible()
        page.keyboard.press("Escape")
    for note in page.locator(".answer a.footnote").all():
        note.press("Enter")
        expect(page.locator("li:focus")).to_have_count(1)


def test_s26_a_hostile_answer_live_reloaded_and_as_another_version(
    visit: Visit, model: ModelServer, canary: Canary, ids: dict[str, str]
) -> None:
    model.queue(Script(text=TEXT, token_size=41), Script(text=f"Second.\n\n{TEXT}", token_size=97))
    page = visit("/?agent=scripted")
    ask(page, f"Zanzibar? {TEXT[:3000]}")
    expect(answered(page)).to_contain_text("attacker.example", timeout=PATIENCE)
    settled(page, canary)
    look_at_everything(page)
    settled(page, canary)
    page.reload()
    expect(answered(page)).to_contain_text("attacker.example", timeout=PATIENCE)
    settled(page, canary)
    page.get_by_role("button", name="Answer again").click()
    expect(page.locator(".answer .branch")).to_contain_text("2 / 2")
    expect(answered(page)).to_contain_text("Second.", timeout=PATIENCE)
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".answer .branch")).to_contain_text("1 / 2")
    expect(answered(page)).to_contain_text("attacker.example", timeout=PATIENCE)
    settled(page, canary)


def test_s27_a_link_to_elsewhere_is_opened_from_its_full_address_only(
    visit: Visit, model: ModelServer, canary: Canary
) -> None:
    address = "https://attacker.example/q?secret=%E2%80%AE"
    model.queue(Script(text=f"[your bank]({address})"))
    page = visit("/?agent=scripted")
    ask(page, "Where?")
    answered(page).get_by_role("link", name="your bank").click()
    dialog = page.locator("#away-dialog")
    expect(dialog.locator("[data-address]")).to_have_text(address)
    page.keyboard.press("Escape")
    settled(page, canary)


def test_s26_a_hostile_source_in_the_panel_and_by_the_offline_answerer(
    visit: Visit, canary: Canary, ids: dict[str, str]
) -> None:
    page = visit("/?agent=quoting")
    wait_until_ready(page, ids["document"])
    ask(page, "Where is the Zanzibar lighthouse?")
    answer = answered(page)
    answer.locator("a.cite").first.click()
    panel = page.get_by_role("complementary", name="Sources")
    expect(panel.locator("mark").first).to_be_visible()
    expect(panel).to_contain_text("img src=")
    settled(page, canary)


def wait_until_ready(page: Page, document: str) -> None:
    for _ in range(200):
        state = page.request.get(f"/api/v1/documents/{document}").json()
        if state["status"] in {"ready", "failed"}:
            break
        page.wait_for_timeout(300)
    assert state["status"] == "ready", state
