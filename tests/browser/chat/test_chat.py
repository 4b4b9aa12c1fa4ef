"""From a question to a cited answer, and what must survive on the way."""

import re

from playwright.sync_api import WebSocketRoute, expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.support.model_server import ModelServer, Script

ENGLISH = "How much parental leave may each parent take?"
CHINESE = "出差结束后多久要提交报销单？"
LONG = " ".join(f"word{i}" for i in range(300)) + " the end [1]."
SLOW = Script(text=LONG, token_size=12, delay=0.02)
WORD = re.compile(r"word\d\d ")


def test_an_english_question_is_answered_with_a_citation_that_opens(visit: Visit) -> None:
    page = visit()
    ask(page, ENGLISH, "Quoting")
    answer = answered(page)
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))
    expect(page.locator("#temporary-switch")).to_be_hidden()
    expect(answer).to_contain_text("20 weeks")
    expect(answer).to_contain_text("no model is connected")
    expect(answer.locator(".steps summary")).to_contain_text("Searched")
    expect(page.locator("#answer-status")).to_contain_text("Answer ready")
    answer.locator("a.cite").first.click()
    panel = page.get_by_role("complementary", name="Sources")
    expect(panel.locator("mark").first).to_contain_text("20 weeks of fully paid leave")
    with page.context.expect_page() as opened:
        panel.get_by_role("link", name="Open document").click()
    expect(opened.value.locator("mark").first).to_contain_text("20 weeks")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(answer.locator("a.cite").first).to_be_focused()


def test_a_chinese_question_finds_the_chinese_passage(visit: Visit) -> None:
    page = visit()
    ask(page, CHINESE, "Quoting")
    answer = answered(page)
    expect(answer).to_contain_text("十个工作日内提交报销单")
    answer.locator("a.cite").first.click()
    expect(page.locator("#sources mark").first).to_contain_text("十个工作日内")


def test_a_starter_asks_its_question(visit: Visit) -> None:
    page = visit()
    starter = page.locator("[data-starter]:visible").first
    question = starter.locator("[data-question]").inner_text()
    starter.click()
    expect(page.locator(".user .bubble")).to_have_text(question)
    answered(page)


def test_a_reload_in_mid_answer_shows_every_character_once(
    visit: Visit, model: ModelServer
) -> None:
    model.queue(SLOW)
    page = visit()
    ask(page, ENGLISH, "Scripted")
    expect(page.locator(".answer .md")).to_contain_text(WORD)
    page.reload()
    expect(page.locator(".answer[data-status=running] .md")).to_contain_text("word0 word1")
    assert text_of(answered(page)) == LONG.replace("[1]", "1")


def test_a_second_tab_shows_the_same(visit: Visit, model: ModelServer) -> None:
    model.queue(SLOW)
    first = visit()
    ask(first, ENGLISH, "Scripted")
    expect(first.locator(".answer .md")).to_contain_text(WORD)
    second = visit(first.url.removeprefix(first.evaluate("location.origin")))
    assert text_of(answered(second)) == text_of(answered(first)) == LONG.replace("[1]", "1")


def test_a_lost_connection_resumes(visit: Visit, model: ModelServer) -> None:
    model.queue(SLOW)
    page = visit("/knowledge/")
    sockets: list[WebSocketRoute] = []

    def relay(ws: WebSocketRoute) -> None:
        sockets.append(ws)
        ws.connect_to_server()

    page.route_web_socket(re.compile("/ws/$"), relay)
    page.goto("/")
    ask(page, ENGLISH, "Scripted")
    expect(page.locator(".answer .md")).to_contain_text(WORD)
    sockets[0].close()
    assert text_of(answered(page)) == LONG.replace("[1]", "1")
    assert len(sockets) > 1


def test_stop_keeps_what_was_written(visit: Visit, model: ModelServer) -> None:
    model.queue(SLOW)
    page = visit()
    ask(page, ENGLISH, "Scripted")
    expect(page.locator(".answer .md")).to_contain_text(WORD)
    page.get_by_role("button", name="Stop answering").click()
    answer = answered(page, "stopped")
    expect(answer).to_contain_text("The answer was stopped before its end.")
    assert "the end" not in text_of(answer)
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    kept = text_of(answer)
    page.reload()
    assert text_of(answered(page, "stopped")) == kept
    assert model.wait_for(lambda server: server.disconnects == 1), "the upstream stopped too"


def test_regenerate_makes_a_version_to_switch_to(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text="First answer [1]."), Script(text="Second answer [1]."))
    page = visit()
    ask(page, ENGLISH, "Scripted")
    expect(answered(page)).to_contain_text("First answer")
    page.get_by_role("button", name="Answer again").click()
    expect(page.locator(".answer .branch")).to_contain_text("2 / 2")
    expect(answered(page)).to_contain_text("Second answer")
    page.get_by_role("button", name="Previous version").click()
    expect(answered(page)).to_contain_text("First answer")
    expect(page.locator(".answer .branch")).to_contain_text("1 / 2")
    page.reload()
    expect(answered(page)).to_contain_text("First answer")


def test_an_edited_question_is_another_version(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text="First answer."), Script(text="Second answer."))
    page = visit()
    ask(page, "A first question", "Scripted")
    answered(page)
    page.locator("#message").press("ArrowUp")
    page.get_by_role("textbox", name="Edit the question").fill("A better question")
    page.keyboard.press("Enter")
    versions = page.locator(".user .branch")
    expect(versions).to_contain_text("2 / 2")
    assert versions.evaluate("el => el.offsetHeight") < 40  # on one line
    expect(answered(page)).to_contain_text("Second answer")
    expect(page.locator(".user .bubble")).to_have_text("A better question")


def test_the_picker_names_the_agent_before_any_script_runs(visit: Visit) -> None:
    page = visit("/", java_script_enabled=False)
    expect(page.locator("#agent-picker [data-label]")).not_to_be_empty()


def test_a_full_message_box_says_so(visit: Visit) -> None:
    page = visit()
    note = page.locator("#box-note")
    page.locator("#message").fill("x" * 20_000)
    expect(note).to_contain_text("20,000 characters")
    page.locator("#message").press("Backspace")
    expect(note).to_be_empty()


def test_what_cannot_be_sent_during_an_answer_says_so(visit: Visit, model: ModelServer) -> None:
    model.queue(SLOW)
    page = visit()
    ask(page, ENGLISH, "Scripted")
    expect(page.locator(".answer .md")).to_contain_text(WORD)
    ask(page, "And then?")
    expect(page.get_by_text("Stop the answer, or wait for its end")).to_be_visible()
    page.locator("#stop").click()
    answered(page, "stopped")
    expect(page.locator("#box-note")).to_be_empty()
    expect(page.locator("#message")).to_have_value("And then?")
    expect(page.locator(".user")).to_have_count(1)


def test_a_draft_is_kept_and_an_input_method_never_sends(visit: Visit) -> None:
    page = visit()
    page.locator("#message").fill("半句话")
    page.evaluate(
        """document.getElementById("message").dispatchEvent(
          new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }))"""
    )
    expect(page.locator(".user")).to_have_count(0)
    page.reload()
    expect(page.locator("#message")).to_have_value("半句话")
    page.keyboard.press("Control+Shift+O")
    page.locator("#message").fill("")


def test_two_tabs_keep_a_draft_each(visit: Visit) -> None:
    first = visit()
    first.locator("#message").fill("The first thought")
    second = first.context.new_page()
    second.goto("/")
    expect(second.locator("#message")).to_have_value("The first thought")  # what was written last
    second.locator("#message").fill("Another one")
    first.reload()
    expect(first.locator("#message")).to_have_value("The first thought")
    first.locator("#message").fill("")
    first.reload()
    expect(first.locator("#send[aria-disabled]")).to_be_visible()  # the scripts are there
    expect(first.locator("#message")).to_have_value("")
    second.reload()
    expect(second.locator("#message")).to_have_value("Another one")


def test_phone(visit: Visit) -> None:
    page = visit("/", **PHONE)
    page.get_by_role("button", name="Open sidebar").tap()
    expect(page.get_by_role("link", name="Knowledge", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="Close sidebar").tap()
    ask(page, ENGLISH, "Quoting")
    chip = answered(page).locator("a.cite").first
    chip.tap()
    sheet = page.get_by_role("complementary", name="Sources")
    expect(sheet.locator("mark").first).to_be_in_viewport()
    sheet.get_by_role("button", name="Close sources").tap()
    expect(sheet).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_first_load_stays_within_its_budget(visit: Visit) -> None:
    page = visit()
    page.wait_for_load_state("networkidle")
    spent = page.evaluate(
        """performance.getEntriesByType("resource")
          .filter(({ name }) => /\\.(js|css)(\\?|$)|jsi18n/.test(name))
          .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""
    )
    assert 20_000 < spent < 150_000


def test_an_address_elsewhere_is_shown_before_it_is_opened(
    visit: Visit, model: ModelServer
) -> None:
    model.queue(Script(text="See [the page](https://elsewhere.example/?q=secret)."))
    page = visit()
    ask(page, ENGLISH, "Scripted")
    answered(page).get_by_role("link", name="the page").click()
    dialog = page.get_by_role("dialog", name="Open this address?")
    expect(dialog).to_contain_text("https://elsewhere.example/?q=secret")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def text_of(answer: object) -> str:
    assert hasattr(answer, "locator")
    text: str = answer.locator("[data-markdown]").inner_text()
    return " ".join(text.split()).replace(" .", ".")
