"""Who answered and why, where another endpoint went on, and going on with what broke off."""

import threading
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from observability.remembered import SECONDS as REMEMBERED_SECONDS
from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.chat.test_chat_accessibility import RULES
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

CONNECT = """
from gateway.models import Deployment, Endpoint, Model
first = Endpoint.objects.get()
Endpoint.objects.update(name="first", idle_timeout=200)
second = Endpoint.objects.create(name="second", base_url="{url}")
Deployment.objects.create(model=Model.objects.get(name="scripted"), endpoint=second,
    upstream_name="scripted", priority=50, probed={{"prefix": True}})
print("id=" + str(first.pk))
"""
DISCONNECT = """
from gateway.models import Endpoint
from gateway.routing.state import reset
Endpoint.objects.filter(name="second").delete()
Endpoint.objects.update(idle_timeout=30)
reset(Endpoint.objects.get().pk)
"""
BEGUN, REST = "The sky is blue because short waves", " are scattered more than long ones."


@pytest.fixture(scope="module", autouse=True)
def second(product: Product) -> Iterator[ModelServer]:
    with ModelServer() as server:
        product.run(CONNECT.format(url=server.url))
        time.sleep(REMEMBERED_SECONDS)  # so long a runner may know the routes of before
        yield server
        product.run(DISCONNECT)


def faults(page: Page, part: str) -> list[str]:
    found = (
        Axe()
        .run(page, context=part, options={"runOnly": RULES, "preload": False})
        .response["violations"]
    )
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


def test_another_endpoint_goes_on_and_the_message_says_so(
    visit: Visit, model: ModelServer, second: ModelServer
) -> None:
    second.default = Script(text=REST)
    page = visit("/")
    model.default = Script(text=BEGUN + " never said", token_size=len(BEGUN), cut_after=2)
    ask(page, "Why is the sky blue?", agent="Scripted")
    for moment in ("live", "reloaded"):
        answer = answered(page)
        expect(answer.locator("[data-markdown]")).to_contain_text(BEGUN + REST)
        expect(answer.locator("[data-notice]")).to_be_hidden()
        expect(answer.locator("[data-steps]")).to_contain_text("Continued on second")
        footer = answer.locator("[data-why]")
        expect(footer).to_contain_text("continued on second")
        footer.focus()
        page.keyboard.press("Enter")
        box = page.locator("#answer-why")
        expect(box).to_be_visible()
        for said in ("Endpoint", "second", "Attempts", "First word", "first → second"):
            expect(box).to_contain_text(said)
        assert faults(page, "#answer-why") == []
        page.keyboard.press("Escape")
        expect(box).to_be_hidden()
        expect(footer).to_be_focused()
        if moment == "live":
            page.reload()
    page.locator("[data-why]").last.click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Every attempt").click()
    attempts = opened.value.locator("#result_list")
    expect(attempts).to_contain_text("stream_cut")
    expect(attempts).to_contain_text("attempt 2")


def test_what_broke_off_is_gone_on_with(
    visit: Visit, model: ModelServer, second: ModelServer
) -> None:
    page = visit("/", **PHONE)
    model.queue(Script(text=BEGUN, finish_reason="length"))
    ask(page, "Why is the sky blue?")
    answer = answered(page)
    expect(answer.locator("[data-notice]")).to_contain_text("reached its length limit")
    go_on = answer.get_by_role("button", name="Continue")
    assert faults(page, "#messages") == []
    model.queue(Script(text=REST))
    go_on.click()
    answer = answered(page)
    expect(answer.locator("[data-markdown]")).to_contain_text(BEGUN + REST)
    expect(answer.get_by_role("button", name="Continue")).to_be_hidden()
    expect(answer.locator(".branch")).to_contain_text("2 / 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_administration_follows_an_endpoint(visit: Visit, model: ModelServer) -> None:
    go_on = threading.Event()
    page = visit("/admin/gateway/endpoint/?q=first")
    row = page.locator("#result_list .live")
    expect(row).to_contain_text("0/64")
    chat = visit("/")
    model.queue(Script(text=BEGUN, hang_after=2, go_on=go_on))
    ask(chat, "Why?")
    expect(row).to_contain_text("1/64", timeout=30_000)
    go_on.set()
    expect(row).to_contain_text("0/64", timeout=30_000)
    answered(chat)
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_role("heading", name="Right now")).to_be_visible()
    assert faults(page, ".panel-card") == []
    page.get_by_role("button", name="Drain").click()
    expect(page.locator(".messagelist")).to_contain_text("get nothing new")
    page.get_by_role("button", name="Stop draining").click()
    expect(page.get_by_role("button", name="Drain", exact=True)).to_be_visible()
