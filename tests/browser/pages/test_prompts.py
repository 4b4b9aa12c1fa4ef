"""The page of saved prompts, by keyboard and by file, and the palette on an ordinary page."""

import json
import re

import pytest
from playwright.sync_api import expect

from agents import saved_prompts
from agents.models import SavedPrompt
from tests.browser.pages.conftest import DESKTOP, PHONE, accessibility_violations

NAMES = {"en": "Saved prompts", "zh-hans": "提示词", "zh-hant": "提示詞"}


def test_a_prompt_is_made_changed_deleted_and_brought_back(visit, transactional_db, alice):
    page = visit(alice, "/prompts/")
    expect(page.get_by_role("heading", name="Examples to begin with")).to_be_visible()
    page.get_by_role("button", name="New prompt").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").fill("Plan")
    page.get_by_label("Text").fill("Plan {{what}} for {{whom}}.")
    expect(page.locator("#prompt-blanks")).to_have_text("Blanks: what, whom")
    page.keyboard.press("Control+Enter")
    row = page.locator("[data-prompt]")
    expect(row).to_contain_text("Plan {{what}} for {{whom}}.")
    page.get_by_role("button", name="Change Plan").click()
    expect(page.get_by_role("dialog", name="Change prompt")).to_be_visible()
    page.get_by_label("Name").fill("Plans")
    page.keyboard.press("Enter")
    expect(row.locator("b")).to_have_text("Plans")
    page.get_by_role("button", name="Delete Plans").focus()
    page.keyboard.press("Enter")
    expect(row).to_have_count(0)
    expect(page.get_by_role("button", name="New prompt")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(row.locator("b")).to_have_text("Plans")
    page.get_by_role("searchbox", name="Find a prompt").fill("nowhere")
    expect(page.locator("#prompts")).to_contain_text("No prompt has all of these words.")
    page.get_by_role("searchbox", name="Find a prompt").fill("WHOM plan")
    expect(row).to_have_count(1)


def test_a_prompt_is_shared_with_a_team_and_with_a_person(
    visit, transactional_db, alice, bob, charlie, team
):
    prompt = saved_prompts.create_prompt(alice, "Plan", "Plan {{what}}.")
    page = visit(alice, "/prompts/")
    page.get_by_role("button", name="Share Plan").click()
    dialog = page.get_by_role("dialog", name="Share the prompt")
    dialog.get_by_label("People").fill("charlie@example.org")
    dialog.get_by_label("Alice's team").check()
    page.keyboard.press("Enter")
    expect(page.locator("[data-prompt] .badge")).to_have_text("shared")
    assert saved_prompts.find_prompt(bob, prompt.pk).role == "reader"
    theirs = visit(charlie, "/prompts/")
    expect(theirs.locator("[data-prompt] .badge")).to_have_text("from Alice")
    expect(theirs.locator("[data-prompt] button")).to_have_count(0)
    page.get_by_role("button", name="Share Plan").click()
    expect(dialog.get_by_label("Alice's team")).to_be_checked()
    expect(dialog.get_by_label("People")).to_have_value("charlie@example.org")


def test_examples_are_taken_and_files_imported_and_exported(visit, transactional_db, alice):
    page = visit(alice, "/prompts/")
    page.get_by_role("button", name="Take Checklist").click()
    expect(page.locator("[data-prompt] b")).to_have_text("Checklist")
    written = json.dumps([{"command": "/greet", "title": "Greet", "content": "Greet {{name}}."}])
    file = {"name": "p.json", "mimeType": "application/json", "buffer": written.encode()}
    for said in ("1 prompt added.", "0 prompts added. You had 1 already."):
        page.set_input_files("#prompts-file", file)
        expect(page.locator(".toast").last).to_contain_text(said)
    page.set_input_files("#prompts-file", {**file, "buffer": b"no"})
    expect(page.get_by_text("This file is not JSON.")).to_be_visible()
    page.get_by_role("button", name="Import and export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export my prompts").click()
    exported = json.loads(download.value.path().read_text())
    assert {one["name"] for one in exported["prompts"]} == {"Checklist", "Greet"}
    assert SavedPrompt.objects.count() == 2


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_state_of_the_page_is_accessible(visit, transactional_db, alice, team, device):
    page = visit(alice, "/prompts/", **device)
    found = {"examples": accessibility_violations(page)}
    saved_prompts.create_prompt(alice, "Plan", "Plan {{what}}. " * 60)
    page.reload()
    found["list"] = accessibility_violations(page)
    for name in ("New prompt", "Share Plan"):
        page.get_by_role("button", name=name).click()
        found[name] = accessibility_violations(page)
        page.keyboard.press("Escape")
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    found["shortcuts"] = accessibility_violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    found["palette"] = accessibility_violations(page)
    assert not {state: what for state, what in found.items() if what}


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_palette_and_sheet_speak_chinese(visit, transactional_db, alice, language):
    alice.language = language
    alice.save()
    saved_prompts.create_prompt(alice, "差旅计划", "去 {{地点}} 出差")
    page = visit(alice, "/prompts/")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAMES[language])
    page.keyboard.press("Control+k")
    page.keyboard.type("差旅")
    option = page.get_by_role("option").filter(has_text="差旅计划")
    expect(option.locator("b").first).to_contain_text("差")
    expect(page.locator("#palette-list .heading").last).to_have_text(NAMES[language])
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#shortcut-sheet")).to_be_visible()
    latin = re.compile(r"^[\x00-\x7f]+$")
    words = page.locator("#shortcut-sheet dt, #shortcut-sheet h3").all_inner_texts()
    assert len(words) > 20
    assert not [word for word in words if latin.match(word)]


def test_keys_that_act_by_themselves_can_be_switched_off(visit, transactional_db, alice):
    page = visit(alice, "/prompts/")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.get_by_role("searchbox", name="Find a prompt").press("?")
    expect(sheet).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    single = sheet.get_by_role("switch", name="Keys that act by themselves")
    with page.expect_response("**/api/v1/me"):
        single.uncheck()
    expect(sheet.locator("[data-shortcut=sheet-key]")).to_have_count(0)
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("Control+/")
    expect(sheet).to_be_visible()
    expect(single).not_to_be_checked()
    alice.refresh_from_db()
    assert not alice.has_key_shortcuts


def test_a_page_is_opened_from_the_palette(visit, transactional_db, alice):
    page = visit(alice, "/prompts/")
    page.keyboard.press("Control+k")
    page.keyboard.type("settings tok")
    expect(page.locator("#palette-list [aria-selected=true]")).to_contain_text("API tokens")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/tokens/$"))
