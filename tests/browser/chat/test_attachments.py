"""Files in the message box and under the question, in a real browser on the real product."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.chat.conftest import PHONE, answered, ask
from tests.browser.chat.test_chat_accessibility import violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

OFFER = "# Offer\n\nThe roof costs 12,400 euros. Work begins on 3 March.\n"
VISION = """
from gateway.models import Model
Model.objects.filter(name="scripted").update(has_vision={sees})
"""
DROP = """
([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  window.fileTransfer = transfer;
}
"""
DRAG = """(kind) => document.body.dispatchEvent(new DragEvent(kind, {
  bubbles: true, cancelable: true, dataTransfer: window.fileTransfer }))"""
PASTE = """([target, text]) => {
  const transfer = new DataTransfer();
  if (text) transfer.setData("text/plain", text);
  else for (const item of window.fileTransfer.files) transfer.items.add(item);
  document.querySelector(target).dispatchEvent(new ClipboardEvent("paste", {
    bubbles: true, cancelable: true, clipboardData: transfer }));
}"""


def png(color: str = "teal", size: tuple[int, int] = (400, 300)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, color).save(target, "PNG")
    return target.getvalue()


def file(name: str, content: bytes | str, media_type: str = "text/markdown") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "mimeType": media_type, "buffer": data}


def choose(page: Page, *files: Any) -> None:
    page.locator("#tray-files").set_input_files(list(files))


def chip(page: Page, name: str) -> Locator:
    return page.locator("#tray .file", has_text=name)


def hold(page: Page, name: str, media_type: str, content: bytes) -> None:
    """Take a file into the hand of the pointer."""
    page.evaluate(DROP, [name, media_type, base64.b64encode(content).decode()])


@pytest.fixture
def seeing(product: Product) -> Iterator[None]:
    product.run(VISION.format(sees=True))
    yield
    product.run(VISION.format(sees=False))


def test_a_document_from_the_button_to_its_citation(visit, model: ModelServer) -> None:
    page = visit()
    choose(page, file("offer.md", OFFER))
    expect(chip(page, "offer.md")).to_have_attribute("data-state", "ready")
    expect(page.locator("#tray-status")).to_contain_text("offer.md")
    page.reload()  # a draft keeps its files
    expect(chip(page, "offer.md")).to_have_attribute("data-state", "ready")
    model.queue(Script(text="The roof costs 12,400 euros [1]."))
    ask(page, "What does the roof cost?", "Scripted")
    answer = answered(page)
    expect(page.locator("#tray .file")).to_have_count(0)
    question = page.locator(".user").last
    expect(question.locator("[data-use]")).to_have_text("Read whole")
    expect(question.locator("a.file")).to_contain_text("offer.md")
    assert not violations(page)
    answer.locator("a.cite").first.click()
    expect(page.locator("#sources mark")).to_contain_text("12,400 euros")
    (asked,) = model.chat_requests
    assert "Attached file: Offer" in asked["messages"][-1]["content"]
    page.reload()
    expect(page.locator(".user [data-use]")).to_have_text("Read whole")
    model.queue(Script(text="On 3 March [1]."))
    question.hover()
    question.locator("[data-edit]").click()
    question.locator(".edit textarea").fill("When does work begin?")
    question.locator(".edit textarea").press("Enter")
    expect(answered(page)).to_contain_text("On 3 March")
    assert "12,400" in model.chat_requests[-1]["messages"][-1]["content"]
    with page.expect_popup() as opened:
        page.locator(".user a.file").click()
    expect(opened.value.get_by_role("heading", name="Offer", level=1)).to_be_visible()
    expect(opened.value.get_by_role("link", name="Conversation")).to_be_visible()


def test_files_alone_are_sent_edited_and_named(visit, model: ModelServer) -> None:
    page = visit()
    send = page.locator("#send")
    expect(send).to_have_attribute("aria-disabled", "true")
    choose(page, file("offer.md", OFFER))
    expect(chip(page, "offer.md")).to_have_attribute("data-state", "ready")
    expect(send).to_have_attribute("aria-disabled", "false")
    model.queue(Script(text="An offer for a roof [1]."))
    ask(page, "", "Scripted")
    expect(answered(page)).to_contain_text("An offer for a roof")
    question = page.locator(".user").last
    expect(question.locator("a.file")).to_contain_text("offer.md")
    expect(question.locator(".bubble")).to_be_hidden()
    expect(page.locator("#conversation-title")).to_have_text("offer.md")
    assert "without a question" in model.chat_requests[-1]["messages"][-1]["content"]
    assert not violations(page)
    model.queue(Script(text="12,400 euros [1]."))
    question.hover()
    question.locator("[data-edit]").click()
    question.locator(".edit textarea").fill("What does it cost?")
    question.locator(".edit textarea").press("Enter")
    expect(answered(page)).to_contain_text("12,400 euros")
    expect(page.locator(".user .bubble")).to_have_text("What does it cost?")


def test_an_image_is_dropped_and_the_model_gets_its_pixels(
    visit, model: ModelServer, seeing
) -> None:
    page = visit()
    hold(page, "roof.png", "image/png", png())
    page.evaluate(DRAG, "dragenter")
    expect(page.locator("#dropping")).to_be_visible()
    page.evaluate(DRAG, "drop")
    expect(page.locator("#dropping")).to_be_hidden()
    expect(chip(page, "roof.png")).to_have_attribute("data-state", "ready")
    expect(chip(page, "roof.png").locator("img")).to_be_visible()
    expect(page.locator("#tray-note")).to_be_hidden()
    model.queue(Script(text="A teal wall."))
    ask(page, "What is on it?", "Scripted")
    answered(page)
    (asked,) = model.chat_requests
    _text, shown = asked["messages"][-1]["content"]
    kind, _, data = shown["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as arrived:
        assert (arrived.size, arrived.getpixel((5, 5))) == ((400, 300), (0, 128, 128))
    picture = page.locator(".user [data-show-picture]")
    expect(picture.locator("[data-use]")).to_have_text("Seen")
    picture.click()
    dialog = page.locator("#picture-dialog")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 400)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(picture).to_be_focused()


def test_a_model_that_cannot_see_is_named_before_and_after(visit, model: ModelServer) -> None:
    page = visit()
    page.locator("#agent-picker").click()
    page.get_by_role("menuitemradio", name="Scripted").click()
    hold(page, "image.png", "image/png", png())
    page.evaluate(PASTE, ["#message", ""])
    expect(chip(page, "Pasted image 1.png")).to_have_attribute("data-state", "ready")
    expect(page.locator("#tray-note")).to_contain_text("cannot see images")
    model.queue(Script(text="I cannot see it."))
    ask(page, "What is on it?")
    answer = answered(page)
    expect(answer.locator("[data-notice]")).to_contain_text("cannot see images")
    expect(page.locator(".user [data-use]")).to_have_text("Not seen")
    assert isinstance(model.chat_requests[-1]["messages"][-1]["content"], str)


def test_a_long_paste_becomes_a_file_and_can_be_put_back(visit) -> None:
    page = visit()
    long = "The roof is made of slate. " * 200
    page.locator("#message").fill("Summarise:")
    page.evaluate(PASTE, ["#message", long])
    expect(chip(page, "Pasted text.txt")).to_have_attribute("data-state", "ready")
    expect(page.locator("#message")).to_have_value("Summarise:")
    chip(page, "Pasted text.txt").get_by_role("button", name="Put the text into").click()
    expect(page.locator("#tray .file")).to_have_count(0)
    expect(page.locator("#message")).to_have_value(f"Summarise:\n\n{long}")
    page.locator("#message").fill("")


def test_errors_are_said_before_the_upload_and_after_it(visit, model: ModelServer) -> None:
    page = visit()
    uploads: list[str] = []
    page.on("request", lambda r: uploads.append(r.url) if r.method == "POST" else None)
    choose(page, file("setup.exe", b"MZ", "application/x-msdownload"), file("empty.txt", ""))
    expect(chip(page, "setup.exe")).to_contain_text("cannot be attached")
    expect(chip(page, "empty.txt")).to_contain_text("empty")
    assert not [url for url in uploads if "attachments" in url]
    assert not violations(page)
    ask(page, "Anything?")
    expect(page.locator(".user")).to_have_count(0)  # one that cannot be sent has to go first
    expect(chip(page, "setup.exe").locator("[data-remove]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(chip(page, "empty.txt").locator("[data-remove]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_be_focused()
    choose(page, file("<img src=x onerror=alert(1)>.txt", "Words of a hostile file name."))
    name = "<img src=x onerror=alert(1)>.txt"
    expect(chip(page, name)).to_have_attribute("data-state", "ready")
    chip(page, name).locator("[data-remove]").click()
    expect(page.locator("#tray")).to_be_hidden()


def test_send_waits_for_the_upload_and_a_refused_question_keeps_its_files(
    visit, model: ModelServer
) -> None:
    page = visit()
    held: list[Any] = []
    page.route("**/api/v1/attachments", lambda route: held.append(route))  # noqa: PLW0108
    choose(page, file("offer.md", OFFER))
    expect(chip(page, "offer.md")).to_have_attribute("data-state", "sending")
    ask(page, "What does it cost?", "Scripted")
    expect(page.locator("#tray-status")).to_contain_text("sent when the files are uploaded")
    expect(page.locator(".user")).to_have_count(0)
    model.queue(Script(text="12,400 euros [1]."))
    held[0].continue_()
    expect(answered(page)).to_contain_text("12,400")
    expect(page.locator(".user a.file")).to_contain_text("offer.md")
    page.unroute("**/api/v1/attachments")
    choose(page, file("again.md", OFFER))
    expect(chip(page, "again.md")).to_have_attribute("data-state", "ready")
    # Too long for the server, though not for the box: it is refused there.
    page.evaluate("document.getElementById('message').value = 'x'.repeat(100001)")
    page.locator("#message").press("Enter")
    expect(page.locator(".user [data-problem]:visible")).to_have_count(1)
    expect(chip(page, "again.md")).to_have_attribute("data-state", "ready")
    page.locator("#message").fill("")
    chip(page, "again.md").locator("[data-remove]").click()


def test_on_a_phone_everything_fits_and_is_named(visit) -> None:
    page = visit("/", **PHONE)
    button = page.get_by_role("button", name="Attach files")
    assert button.bounding_box()["height"] >= 44
    choose(
        page,
        file("a rather long name of a rather long document.md", OFFER),
        file("roof.png", png(), "image/png"),
    )
    expect(page.locator("#tray .file[data-state=ready]")).to_have_count(2)
    expect(page.get_by_role("list", name="Attachments")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not violations(page)
    remove = page.get_by_role("button", name="Remove roof.png")
    assert remove.bounding_box()["width"] >= 44
    remove.click()
    page.locator("#tray [data-remove]").click()
    expect(page.locator("#tray")).to_be_hidden()
