"""Signing in, settings and tokens in a real browser."""

import re

from playwright.sync_api import expect

from accounts import tokens
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
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".toast")).to_be_visible()
    page.reload()
    expect(page.locator(".rows .line")).to_have_count(1)
    assert plaintext not in page.content()
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No tokens yet")).to_be_visible()
    assert tokens.authenticate(plaintext) is None
