"""Signing in, settings and tokens in a real browser."""

import re

from playwright.sync_api import expect

from accounts import tokens
from agents.models import Agent
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.support.attached import picture
from tests.support.cast import PASSWORD


def test_signing_in_with_the_language_switch(visit, transactional_db, alice):
    page = visit(None, "/settings/")
    page.get_by_role("button", name="繁體中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    page.locator("[name=login]").fill(alice.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/$"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")


def test_theme_and_language_are_there_in_the_first_byte(visit, transactional_db, alice):
    page = visit(alice, "/settings/")
    page.get_by_text("Dark", exact=True).click()
    page.get_by_label("Language").select_option("zh-hans")
    page.locator(".settings button.primary").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(20, 20, 18)"
    answer = page.request.get("/settings/")
    assert 'data-theme="dark"' in answer.text()


def test_a_token_is_shown_once_and_revoked(visit, transactional_db, alice):
    page = visit(alice, "/settings/tokens/")
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("Read: search").check()
    page.get_by_role("button", name="Create token").click()
    field = page.get_by_label("New token", exact=True)
    expect(field).to_be_focused()
    plaintext = field.input_value()
    assert tokens.authenticate(plaintext).scopes == ["read"]
    page.get_by_role("region", name="Your new token").get_by_role("button", name="Copy").click()
    expect(page.locator(".toast")).to_be_visible()
    page.reload()
    expect(page.locator(".rows .line")).to_have_count(1)
    assert plaintext not in page.content()
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No tokens yet")).to_be_visible()
    assert tokens.authenticate(plaintext) is None


def test_settings_are_walked_by_keyboard_and_saved_at_once(visit, transactional_db, alice):
    agent = Agent.objects.create(owner=alice, name="Scribe", slug="scribe")
    page = visit(alice, "/settings/")
    page.get_by_label("Name").fill("Alice Liddell")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_label("Time zone").select_option("Asia/Taipei")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    nav = page.get_by_role("navigation", name="Settings")
    nav.get_by_role("link", name="Profile").focus()
    page.keyboard.press("ArrowDown")
    expect(nav.get_by_role("link", name="Chat")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/chat/$"))
    page.get_by_label("Agent of a new chat").select_option("Scribe")
    page.get_by_role("switch", name=re.compile("Mark sentences")).uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    alice.refresh_from_db()
    assert (alice.time_zone, alice.default_agent) == ("Asia/Taipei", agent.pk)
    assert (alice.marks_unsupported, alice.has_key_shortcuts) == (False, True)
    chat = page.request.get("/").text()
    assert 'data-agent="scribe" aria-checked="true"' in chat
    assert 'data-unsupported="off"' in chat


def test_another_browser_is_signed_out(visit, transactional_db, alice):
    other = visit(alice, "/settings/")
    page = visit(alice, "/settings/sessions/", **PHONE)
    expect(page.locator(".rows .line")).to_have_count(2)
    expect(page.get_by_text("this browser")).to_be_visible()
    page.get_by_role("button", name="Sign out all others").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out all others").click()
    expect(page.locator(".rows .line")).to_have_count(1)
    other.reload()
    expect(other).to_have_url(re.compile("/accounts/login/"))


def test_an_account_is_left_and_kept(visit, transactional_db, alice, admin):
    page = visit(alice, "/settings/data/")
    page.get_by_role("link", name="Delete my account").click()
    assert accessibility_violations(page) == []
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Goodbye")).to_be_visible()
    back = visit(alice, "/settings/")
    back.get_by_role("button", name="Keep my account").click()
    expect(back.get_by_role("button", name="Keep my account")).to_have_count(0)
    alice.refresh_from_db()
    assert alice.leaves_at is None


def test_a_picture_of_oneself_is_chosen_and_removed(visit, transactional_db, alice):
    page = visit(alice, "/settings/")
    file = {"name": "me.png", "mimeType": "image/png", "buffer": picture(size=(300, 200))}
    page.get_by_label("Choose a picture").set_input_files(file)
    shown = page.locator(".avatar img")
    expect(shown).to_have_count(2)  # on the profile, and beside the name in the account menu
    for image in shown.all():
        expect(image).to_have_js_property("naturalWidth", 256)
    page.locator(".portrait").get_by_role("button", name="Remove").click()
    expect(shown).to_have_count(0)
    expect(page.locator(".portrait .avatar")).to_have_text("AL")
