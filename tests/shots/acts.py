"""What a person does before a picture is taken."""

from playwright.sync_api import Page, expect

from tests.browser.cable import Cable
from tests.support.exports import as_json, as_zip, chatgpt_conversation, claude_conversation


def sources(page: Page) -> None:
    page.locator(".answer a.cite").first.click()
    expect(page.locator("#sources mark").first).to_be_visible()


def more(page: Page) -> None:
    page.locator("#more").click()


def share(page: Page) -> None:
    page.locator("#share").click()
    expect(page.locator("#sharing")).to_be_visible()


def drawer(page: Page) -> None:
    page.locator("[data-open-side]").click()


def row_menu(page: Page) -> None:
    row = page.locator("#history [data-conversation]").first
    row.hover()
    row.locator("[data-conversation-menu]").click()


def search(page: Page) -> None:
    page.locator("#conversation-search").fill("leave")
    expect(page.locator("#history .hits, #history .none").first).to_be_visible()


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator("dialog[open]").first).to_be_visible()


def shortcuts(page: Page) -> None:
    page.locator("body").press("?")
    expect(page.locator("dialog[open]").first).to_be_visible()


def agents(page: Page) -> None:
    page.locator("#agent-picker").click()


def collections(page: Page) -> None:
    page.locator("#collection-picker").click()


def slash(page: Page) -> None:
    page.locator("#message").press_sequentially("/")


def draft(page: Page) -> None:
    page.locator("#message").fill(
        "Please compare both policies:\n\n- who may travel\n- who pays\n- and when"
    )


def edit(page: Page) -> None:
    page.locator(".user").last.hover()
    page.locator(".user [data-edit]").last.click()


def offline(page: Page) -> None:
    cable = Cable(page)
    page.reload()
    expect(page.locator(".answer[data-drawn]").last).to_be_visible()
    cable.cut()
    expect(page.locator("#offline")).to_be_visible()


def unsent(page: Page) -> None:
    offline(page)
    page.locator("#message").fill("And what about Taipei?")
    page.locator("#message").press("Enter")
    expect(page.locator("[data-problem]").last).to_be_visible()


def deleted(page: Page) -> None:
    page.evaluate("document.getElementById('gone').hidden = false")


def steps(page: Page) -> None:
    page.locator(".answer .steps summary").first.click()


def toast(page: Page) -> None:
    row = page.locator("#history > ul [data-conversation]").last
    row.hover()
    row.locator("[data-conversation-menu]").click()
    page.locator("#conversation-menu [data-archive]").click()
    undo = page.locator(".toast [data-action]")
    expect(undo).to_be_visible()


def undo(page: Page) -> None:
    page.locator(".toast [data-action]").click()
    expect(page.locator(".toast")).to_have_count(0)


def wrong_password(page: Page) -> None:
    page.locator("input[name=login]").fill("nobody@heronbay.example")
    page.locator("input[name=password]").fill("wrong")
    page.locator(".card button.primary").click()
    expect(page.locator(".notice.bad")).to_be_visible()


def on_paper(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")


def reference(page: Page) -> None:
    expect(page.locator(".opblock").first).to_be_visible()


def compare_dialog(page: Page) -> None:
    agents(page)
    page.locator("#agent-menu [data-compare]").click()
    expect(page.locator("dialog[open]")).to_be_visible()


def temporary(page: Page) -> None:
    page.locator("#temporary-switch").click()
    expect(page.locator("#temporary")).to_be_visible()


def why(page: Page) -> None:
    page.locator("[data-why]").last.click()
    expect(page.locator("#answer-why")).to_be_visible()


def answer_menu(page: Page) -> None:
    page.locator(".answer").last.hover()
    page.locator(".answer [data-more]").last.click()
    expect(page.locator("#answer-menu")).to_be_visible()


def opinion(page: Page) -> None:
    page.locator(".answer").last.hover()
    page.locator(".answer [data-rate=bad]").last.click()
    expect(page.locator(".opinion")).to_be_visible()


def take_back_opinion(page: Page) -> None:
    page.locator(".opinion [data-take-back]").click()
    expect(page.locator(".opinion")).to_have_count(0)


def wide_table(page: Page) -> None:
    frame = page.locator(".answer .table-frame").last
    frame.hover()
    frame.locator("[data-open-table]").click()
    expect(page.locator("dialog[open]")).to_be_visible()


def move(page: Page) -> None:
    row_menu(page)
    page.locator("#conversation-menu [data-move]").click()
    expect(page.locator("#move-menu")).to_be_visible()


def export_seen(page: Page) -> None:
    both = as_json(chatgpt_conversation(), claude_conversation(), {"title": "Broken"})
    page.locator("#import-file").set_input_files(
        {"name": "export.zip", "mimeType": "application/zip", "buffer": as_zip(both)}
    )
    page.locator("#import-form button").last.click()
    expect(page.locator(".import").first).to_have_attribute("data-state", "ready", timeout=30_000)


def discard_export(page: Page) -> None:
    page.locator(".import .foot .btn").first.click()
    expect(page.locator(".import")).to_have_count(0)


def chosen_documents(page: Page) -> None:
    page.locator("[data-tick]").first.check()
    expect(page.locator("#bulk")).to_be_visible()


def pdf(page: Page) -> None:
    expect(page.locator("#pdf[data-state=shown]")).to_be_visible()
    expect(page.locator(".pdf-boxes .cited").first).to_be_in_viewport()


def charts(page: Page) -> None:
    whole(page)
    expect(page.locator("[data-chart] canvas").first).to_be_visible()


def whole(page: Page) -> None:
    """The part that scrolls is within the page: all of it is seen on a screen that is as tall."""
    tall = page.evaluate(
        """Math.max(...[...document.querySelectorAll("#main, #main *")]
            .map((el) => el.scrollHeight))"""
    )
    width = page.viewport_size["width"] if page.viewport_size else 1280
    page.set_viewport_size({"width": width, "height": min(6000, tall + 80)})


def why_page(page: Page) -> None:
    """From the answer's menu; scrolled content stands in a tall window."""
    page.goto(page.locator(".answer").last.evaluate("it => `/why/${it.dataset.message}`"))
    size = page.viewport_size or {"width": 1280, "height": 800}
    page.set_viewport_size({"width": size["width"], "height": 2400})
    expect(page.locator(".why-row").first).to_be_visible()


def narrowed_search(page: Page) -> None:
    if page.locator("[data-open-side]").is_visible():
        page.locator("[data-open-side]").click()
    page.locator("[data-history-filters]").click()
    page.locator("#history-filters [name=in]").select_option("message")
    page.locator("#conversation-search").fill("leave")
    expect(page.locator("#history .hits small b").first).to_be_visible()


def palette_passages(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("parental leave")
    page.locator("#palette [data-kind=passage]").click()
    expect(page.locator("#palette-list [role=option]").first).to_be_visible()
