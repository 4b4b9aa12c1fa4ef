"""The conversation on paper, in a window zoomed to 400 %, by keyboard alone, in high contrast."""

import io

import pypdf
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.chat.conftest import Visit, answered, ask
from tests.support.model_server import ModelServer, Script

ANSWER = "Leave is **20 weeks** [1]. See [the law](https://law.example/leave?of=2026)."
QUESTION = "How much parental leave may each parent take?"


def test_it_prints_with_footnotes_and_without_chrome(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text=ANSWER))
    page = visit("/?agent=scripted", color_scheme="dark")
    ask(page, QUESTION)
    answered(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    text = "\n".join(it.extract_text() for it in pypdf.PdfReader(io.BytesIO(page.pdf())).pages)
    for said in (QUESTION, "20 weeks", "law.example/leave?of=2026", "[1] Leave policy"):
        assert said in " ".join(text.split()), said
    for chrome in ("New chat", "Knowledge", "Answers can be wrong"):
        assert chrome not in text
    expect(page.locator(".print-sources")).to_have_count(0)
    page.emulate_media(media="print")
    colours = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(29, 28, 25)"]


def test_400_percent_keyboard_and_high_contrast(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text=ANSWER))
    page = visit(
        "/?agent=scripted", viewport={"width": 320, "height": 256}, reduced_motion="reduce"
    )
    ask(page, QUESTION)
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#thread").evaluate("(thread) => thread.clientHeight") > 90
    page.reload()
    answered(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.locator("[data-open-side]").click()
    expect(page.locator("[data-close-side]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[data-open-side]")).to_be_focused()
    page.emulate_media(forced_colors="active")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag22aa"]})
    assert [rule["id"] for rule in found.response["violations"]] == []
