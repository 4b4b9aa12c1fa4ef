"""The whole main path without a mouse, from signing in to signing out, and what is heard on it."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chat.conftest import DESKTOP, answered
from tests.browser.conftest import Watched
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

MOST_STEPS = 120  # of Tab to anything on a page
# What a screen reader would have to say of the element that has the focus, and whether it is seen.
FOCUSED = """() => {
  const el = document.activeElement;
  const { outlineStyle, boxShadow } = getComputedStyle(el);
  const labels = [...(el.labels ?? [])].map((label) => label.textContent);
  const ids = (el.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
  const name = [el.ariaLabel, ...ids.map((id) => document.getElementById(id)?.textContent),
    ...labels, el.textContent, el.title, el.placeholder].find((text) => text?.trim());
  const box = el.getBoundingClientRect();
  return {
    html: el.cloneNode().outerHTML, name: name?.trim() ?? "", tag: el.tagName,
    isMarked: outlineStyle !== "none" || boxShadow !== "none" ||
      getComputedStyle(el.parentElement).boxShadow !== "none" ||
      el.closest(".composer, .search, label") !== null,
    isSeen: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
  };
}"""


def step_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Tab by Tab to it; whatever is passed has a name and shows that it has the focus."""
    for _ in range(MOST_STEPS):
        if wanted.evaluate_all("(all) => all.includes(document.activeElement)"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
        found = page.evaluate(FOCUSED)
        if found["tag"] in {"BODY", "HTML"}:
            continue  # out of the page and in again
        assert found["name"], f"without a name: {found['html']}"
        assert found["isMarked"], f"the focus is not seen: {found['html']}"
        assert found["isSeen"], f"the focus is out of sight: {found['html']}"
    raise AssertionError(f"no way by Tab to {wanted}")


def press(page: Page, wanted: Locator, key: str = "Enter", *, back: bool = False) -> None:
    step_to(page, wanted, back=back)
    page.keyboard.press(key)


def choose(page: Page, menu: Locator, item: str) -> None:
    """By the arrow keys."""
    wanted = menu.locator(".menu-item:visible", has_text=item).first
    expect(menu.locator(".menu-item:focus")).to_have_count(1)
    for _ in range(20):
        if wanted.evaluate("(el) => el === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    expect(wanted).to_be_focused()
    page.keyboard.press("Enter")


@pytest.fixture
def page(browser: Browser, product: Product, model: ModelServer, signed_in):
    """Nobody is signed in; samples are indexed."""
    model.reset()
    context = browser.new_context(base_url=product.origin, service_workers="block", **DESKTOP)
    watched = Watched(context.new_page())
    watched.page.set_default_timeout(10_000)
    watched.listen(product.origin)
    watched.page.goto("/")
    yield watched.page
    context.close()
    watched.check()


def test_from_signing_in_to_signing_out(page: Page, product: Product, model: ModelServer) -> None:
    expect(page.locator("input[name=login]")).to_be_focused()
    page.keyboard.type(product.email)
    step_to(page, page.locator("input[name=password]"))
    page.keyboard.type(product.password)
    page.keyboard.press("Enter")
    box = page.locator("#message")
    expect(box).to_be_focused()

    model.queue(Script(text="Leave is **20 weeks** [1], in at most three parts [2]."))
    page.keyboard.type("How much parental leave may each parent take?")
    page.keyboard.press("Enter")
    answer = answered(page)
    expect(box).to_be_focused()

    chip = answer.locator("a.cite").first
    press(page, chip, back=True)
    expect(page.locator("#sources mark").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sources mark").first).to_be_hidden()
    expect(chip).to_be_focused()

    model.queue(Script(text="Twenty weeks."))
    press(page, answer.get_by_role("button", name="Answer again", exact=True))
    expect(page.locator(".answer").last).to_contain_text("Twenty weeks.")
    answer = answered(page)
    expect(answer.locator(".branch")).to_contain_text("2 / 2")
    press(page, answer.get_by_role("button", name="Previous version"), back=True)
    expect(page.locator(".answer").last).to_contain_text("20 weeks")
    expect(answer.locator(".branch")).to_contain_text("1 / 2")

    press(page, answer.get_by_role("button", name="More for this answer"))
    choose(page, page.locator("#answer-menu"), "Branch into a new conversation")
    expect(page.get_by_role("link", name="Branched from")).to_be_visible()

    row = page.locator("#history [data-conversation]:has([aria-current])")
    press(page, row.locator("a"), "F2", back=True)
    page.keyboard.press("Control+a")
    page.keyboard.type("By keyboard alone")
    page.keyboard.press("Enter")
    expect(row.locator("a")).to_be_focused()
    expect(page).to_have_title("By keyboard alone · Parley")

    press(page, row.locator("[data-conversation-menu]"))
    choose(page, page.locator("#conversation-menu"), "Move to folder…")
    choose(page, page.locator("#move-menu"), "New folder…")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    folder = page.locator("[data-folder]").filter(has_text="Keys")
    expect(folder.locator("[data-conversation]")).to_contain_text("By keyboard alone")
    expect(folder.locator("[data-conversation] a")).to_be_focused()

    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("twenty")
    expect(page.locator("#history .hits a").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#history .hits a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#conversation-search")).to_be_focused()
    expect(folder).to_be_visible()

    press(page, page.locator("[popovertarget=account-menu]"))
    choose(page, page.locator(".menu:popover-open"), "Settings")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    step_to(page, page.locator("main select[name=language]"))
    press(page, page.locator("[popovertarget=account-menu]"))
    choose(page, page.locator(".menu:popover-open"), "Sign out")
    expect(page.locator("input[name=login]")).to_be_focused()
