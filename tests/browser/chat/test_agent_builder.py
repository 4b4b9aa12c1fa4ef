"""An agent from its making to its rolling back; taken to a file, brought in, and shared."""

import json
import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.support.model_server import ModelServer, Script

LATER = 30_000
OTHERS = """
from accounts.models import User
User.objects.get_or_create(email="bea@example.org", defaults={"name": "Bea"})
"""


def violations(page: Page) -> list[str]:
    """In both themes; what is in the frame is the chat, which has tests of its own."""
    found = Axe().run(page, options={"iframes": False}).response["violations"]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    only = {"iframes": False, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
    found += Axe().run(page, options=only).response["violations"]
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


def make(page: Page, name: str) -> None:
    page.get_by_role("button", name="New agent").click()
    page.locator("#prompt-dialog input").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#builder[data-ready]")).to_be_attached(timeout=LATER)


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_contain_text("Saved", timeout=LATER)


def publish(page: Page, note: str = "") -> None:
    page.get_by_role("button", name="Publish", exact=True).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What changed").fill(note)
    dialog.get_by_role("button", name="Publish").click()
    expect(page.locator("[data-state=same]")).to_be_visible(timeout=LATER)


def tried(page: Page) -> FrameLocator:
    return page.frame_locator(".try iframe")


def systems(model: ModelServer) -> list[str]:
    """The instructions of every request that an answer was asked with."""
    return [request["messages"][0]["content"] for request in model.chat_requests]


def test_an_agent_is_made_tried_published_used_and_rolled_back(visit: Visit, model: ModelServer):
    page = visit("/agents/")
    make(page, "Herons")
    expect(page.locator("[data-state=new]")).to_be_visible()
    page.get_by_label("Description").fill("Knows where herons nest.")
    page.locator("#f-instructions").fill("Speak of herons. Today is ")
    page.locator("[data-variable=today]").click()
    page.get_by_label("Question 1").fill("Where do herons nest?")
    page.get_by_label("Passages at most").evaluate(
        "(field) => field.closest('details').open = true"
    )
    page.get_by_label("Passages at most").fill("0")
    page.get_by_label("Seed").evaluate("(field) => field.closest('details').open = true")
    page.get_by_label("Seed").fill("7")
    saved(page)
    page.reload()
    expect(page.locator("#f-instructions")).to_have_value("Speak of herons. Today is {{today}}")
    expect(page.get_by_label("Question 1")).to_have_value("Where do herons nest?")
    expect(page.get_by_label("Passages at most")).to_have_value("0")
    expect(page.get_by_label("Seed")).to_have_value("7")

    model.queue(Script(text="In high trees."))
    frame = tried(page)
    frame.get_by_role("button", name="Where do herons nest?").click()
    expect(frame.locator(".answer[data-status=complete]")).to_contain_text(
        "In high trees.", timeout=LATER
    )
    assert re.search(r"Speak of herons\. Today is \d{4}-\d\d-\d\d \(\w+\)", systems(model)[-1])
    assert model.chat_requests[-1]["seed"] == 7
    assert not violations(page)

    publish(page, "The first.")
    page.locator("#f-instructions").fill("Speak of storks.")
    expect(page.locator("[data-state=changed]")).to_be_visible(timeout=LATER)
    chat = visit("/agents/")
    chat.get_by_role("link", name="Herons", exact=True).click()
    expect(chat.locator("#agent-picker")).to_contain_text("Herons")
    expect(chat.get_by_role("button", name="Where do herons nest?")).to_be_visible()
    model.queue(Script(text="By the water."))
    ask(chat, "And where do they eat?")
    expect(answered(chat)).to_contain_text("By the water.", timeout=LATER)
    assert "Speak of herons." in systems(model)[-1]

    publish(page, "Other birds.")
    page.get_by_role("link", name="Versions").click()
    expect(page.get_by_role("heading", name="Version 2 against version 1")).to_be_visible()
    expect(page.locator(".changes del").first).to_contain_text("herons")
    expect(page.locator(".changes ins").first).to_contain_text("storks")
    assert not violations(page)
    page.get_by_role("link", name="Version 1").click()
    page.get_by_role("button", name="Roll back to it").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("link", name="Version 3 current")).to_be_visible(timeout=LATER)
    page.get_by_role("link", name="Herons", exact=True).click()
    expect(page.locator("#f-instructions")).to_have_value("Speak of herons. Today is {{today}}")


def test_two_tabs_are_told_of_each_other(visit: Visit):
    first = visit("/agents/")
    make(first, "Owls")
    second = visit(re.sub(r"^https?://[^/]+", "", first.url), expected=("409",))
    first.get_by_label("Description").fill("By night.")
    saved(first)
    second.get_by_label("Name").fill("Hawks")
    expect(second.locator("#conflict")).to_be_visible(timeout=LATER)
    second.get_by_role("button", name="Save mine over it").click()
    expect(second.locator("#conflict")).to_be_hidden(timeout=LATER)
    saved(second)
    first.reload()
    expect(first.get_by_label("Name")).to_have_value("Hawks")


def test_an_agent_goes_to_a_file_comes_back_and_is_shared(visit: Visit, product, tmp_path):
    product.run(OTHERS)
    page = visit("/agents/")
    make(page, "Ferries")
    page.get_by_label("Description").fill("Knows the timetable.")
    saved(page)
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export as a file").click()
    file = json.loads(download.value.path().read_text())
    assert file["agent"]["description"] == "Knows the timetable."
    file["agent"] |= {"name": "Ferries again", "collections": ["No such shelf"], "tools": ["fly"]}
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(file))
    page.goto("/agents/")
    page.set_input_files("#agent-file", path)
    dialog = page.get_by_role("dialog", name="Import an agent")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog).to_contain_text("No such shelf")
    assert not violations(page)
    dialog.get_by_role("button", name="Import").click()
    expect(page.get_by_label("Name")).to_have_value("Ferries again", timeout=LATER)

    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Share…").click()
    page.get_by_label("E-mail address").fill("bea@example.org")
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator(".person")).to_have_count(2)
    page.get_by_role("combobox", name="What Bea may do").select_option("editor")
    expect(page.get_by_role("combobox", name="What Bea may do")).to_have_value("editor")
    assert not violations(page)


def test_on_a_phone_the_form_and_the_trial_are_two_tabs(visit: Visit, model: ModelServer):
    page = visit("/agents/", **PHONE)
    make(page, "Tides")
    expect(page.locator(".try")).to_be_hidden()
    assert not violations(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    page.get_by_role("link", name="Try it").click()
    model.queue(Script(text="At six."))
    frame = tried(page)
    frame.locator("#message").fill("When is high water?")
    frame.get_by_role("button", name="Send").click()
    expect(frame.locator(".answer[data-status=complete]")).to_contain_text("At six.", timeout=LATER)
