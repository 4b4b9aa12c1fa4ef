"""Why this answer, comparing two settings of the search, and narrowing the search of conversations:
each a whole path."""

import re

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.chat.test_chat_accessibility import violations

QUESTION = "How much parental leave may each parent take?"


def test_from_an_answer_to_why_and_back(visit: Visit) -> None:
    page = visit("/")
    ask(page, QUESTION, agent="Quoting")
    answer = answered(page)
    answer.locator(".cite").first.click()
    link = page.locator("#sources").get_by_role("link", name="Why these")
    expect(link).to_be_visible()
    address = link.get_attribute("href") or ""
    answer.get_by_role("button", name="More for this answer").click()
    page.get_by_role("menuitem", name="Why this answer").click()
    expect(page).to_have_url(re.compile(re.escape(address)))
    expect(page.get_by_role("heading", name="Why this answer")).to_be_visible()
    rows = page.locator(".why-row")
    expect(rows.first).to_contain_text("Leave policy of Heron Bay Instruments")
    expect(rows.first.locator(".badge")).to_contain_text("cited")
    for part in ("What was searched for", "What the model was given", "How long it took"):
        expect(page.get_by_role("heading", name=part)).to_be_visible()
    assert violations(page) == []
    show = page.locator(".why-show")
    show.get_by_text("Left out", exact=True).click()
    expect(page.locator(".why-row[data-given]").first).to_be_hidden()
    show.get_by_text("All", exact=True).click()
    rows.first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rows.first.locator("blockquote")).to_be_visible()
    page.get_by_role("button", name="Look through and approve").click()
    expect(page.get_by_label("Question", exact=True)).to_have_value(QUESTION)
    expect(page.get_by_label("Quote").first).not_to_be_empty()
    page.go_back()
    page.get_by_role("link", name="Back to the answer").click()
    expect(page.locator(".answer").last).to_be_visible()
    phone = visit(address, **PHONE)
    expect(phone.locator(".why-row").first).to_be_visible()
    assert violations(phone) == []


def test_two_settings_side_by_side_and_a_golden_question(visit: Visit) -> None:
    page = visit("/knowledge/search/?q=parental+leave")
    page.get_by_role("link", name="Compare settings").click()
    expect(page.locator(".trial-sides section")).to_have_count(2)
    page.locator("[name=a_legs]").select_option("words")
    page.locator("[name=b_legs]").select_option("meaning")
    first, second = page.locator(".trial-sides section").all()
    expect(first).to_contain_text("weight of meaning 0.00")
    expect(second).to_contain_text("weight of meaning 1.00")
    expect(page).to_have_url(re.compile("a_legs=words"))
    assert violations(page) == []
    first.get_by_label("answers the question").first.check()
    page.locator("#golden [name=collection]").select_option(index=0)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept as a golden question.")).to_be_visible()
    expect(page).to_have_url(re.compile("a_legs=words"))


def test_the_search_of_conversations_is_narrowed(visit: Visit) -> None:
    page = visit("/")
    ask(page, QUESTION, agent="Quoting")
    answered(page)
    button = page.get_by_role("button", name="Narrow the search")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#history-filters select").first).to_be_focused()
    page.locator("#conversation-search").fill("parental leave")
    hits = page.locator("#history .hits a")
    expect(hits.first).to_be_visible()
    assert violations(page) == []
    page.locator("#history-filters [name=in]").select_option("attachment")
    expect(page.locator("#history")).to_contain_text("Try fewer words")
    page.locator("#history").get_by_role("button", name="Without filters").click()
    expect(hits.first).to_be_visible()
    page.locator("#history-filters select").first.focus()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Control+k")
    page.keyboard.type("parental leave")
    page.locator("#palette [data-kind=passage]").click()
    option = page.locator("#palette-list [role=option]").first
    expect(option).to_contain_text("Leave policy of Heron Bay Instruments")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/knowledge/documents/.*at="))
