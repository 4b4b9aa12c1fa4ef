"""Parley as an app: what a browser checks before it offers to install it, and the offline page."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.chat.conftest import PHONE
from tests.browser.product import Product

LANGUAGES = [
    ("en-GB", "You are offline"),
    ("zh-CN", "当前处于离线状态"),
    ("zh-TW", "目前處於離線狀態"),
]
CONTROLLED = """async () => {
  const { serviceWorker } = navigator;
  const claimed = new Promise((done) => serviceWorker.addEventListener("controllerchange", done));
  await serviceWorker.ready;
  if (!serviceWorker.controller) await claimed;
  return serviceWorker.controller.state;
}"""
KEPT = """async () => {
  const names = await caches.keys();
  const requests = await Promise.all(
    names.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
  return { names, urls: requests.flat().map((url) => new URL(url).pathname) };
}"""


def test_it_can_be_installed_and_says_when_it_is_offline(
    browser: Browser, product: Product
) -> None:
    for locale, title in LANGUAGES:
        context = browser.new_context(base_url=product.origin, locale=locale, **PHONE)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.locator("input[name=login]").fill(product.email)
        page.locator("input[name=password]").fill(product.password)
        page.locator(".card button.primary").click()
        expect(page.locator("#message")).to_be_editable()
        assert page.evaluate(CONTROLLED)
        kept = page.evaluate(KEPT)
        assert len(kept["names"]) == 1
        assert all(re.match(r"/(static|offline)/", url) for url in kept["urls"])
        context.set_offline(True)
        page.goto("/knowledge/")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        assert (
            page.locator(".card").evaluate("(card) => getComputedStyle(card).borderRadius") != "0px"
        )
        context.set_offline(False)  # the page leaves by itself
        expect(page.locator("#side")).to_be_attached()
        context.close()


def test_the_manifest_names_icons_that_are_there(browser: Browser, product: Product) -> None:
    context = browser.new_context(base_url=product.origin, service_workers="block")
    page = context.new_page()
    page.goto("/accounts/login/")
    link = page.locator('link[rel="manifest"]').get_attribute("href")
    assert link
    manifest = page.request.get(link).json()
    for icon in manifest["icons"]:
        size = page.evaluate(
            """async (src) => {
              const image = new Image();
              image.src = src;
              await image.decode();
              return `${image.naturalWidth}x${image.naturalHeight}`;
            }""",
            icon["src"],
        )
        assert size == icon["sizes"]
    for shortcut in manifest["shortcuts"]:
        assert page.request.get(shortcut["url"]).ok
    context.close()
