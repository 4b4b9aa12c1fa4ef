"""The pages and states that are looked at; each brings a page where its picture is taken."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.cable import Cable

Act = Callable[[Page], None]


@dataclass(frozen=True)
class Scene:
    """What is where in the running product: ids that addresses need."""

    conversations: dict[str, str]
    collection: str
    document: str
    link: str
    language: str = "en"

    @property
    def conversation(self) -> str:
        """One in the language of the page."""
        own = {"zh-Hans": "hans", "zh-Hant": "hant"}.get(self.language, "leave")
        return f"/c/{self.conversations[own]}"


@dataclass(frozen=True)
class State:
    name: str
    path: str | Callable[[Scene], str]
    act: Act | None = None
    after: Act | None = None  # so that the next picture finds what this one found
    options: dict[str, Any] = field(default_factory=dict)  # of the context
    is_signed_in: bool = True
    only: str = ""  # "desktop" or "phone"
    full_page: bool = False

    def address(self, scene: Scene) -> str:
        return self.path if isinstance(self.path, str) else self.path(scene)


def _sources(page: Page) -> None:
    page.locator(".answer a.cite").first.click()
    expect(page.locator("#sources mark").first).to_be_visible()


def _more(page: Page) -> None:
    page.locator("#more").click()


def _share(page: Page) -> None:
    page.locator("#share").click()
    expect(page.locator("#sharing")).to_be_visible()


def _drawer(page: Page) -> None:
    page.locator("[data-open-side]").click()


def _row_menu(page: Page) -> None:
    row = page.locator("#history [data-conversation]").first
    row.hover()
    row.locator("[data-conversation-menu]").click()


def _search(page: Page) -> None:
    page.locator("#conversation-search").fill("leave")
    expect(page.locator("#history .hits, #history .none").first).to_be_visible()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator("dialog[open]").first).to_be_visible()


def _shortcuts(page: Page) -> None:
    page.locator("body").press("?")
    expect(page.locator("dialog[open]").first).to_be_visible()


def _agents(page: Page) -> None:
    page.locator("#agent-picker").click()


def _collections(page: Page) -> None:
    page.locator("#collection-picker").click()


def _slash(page: Page) -> None:
    page.locator("#message").press_sequentially("/")


def _draft(page: Page) -> None:
    page.locator("#message").fill(
        "Please compare both policies:\n\n- who may travel\n- who pays\n- and when"
    )


def _edit(page: Page) -> None:
    page.locator(".user").last.hover()
    page.locator(".user [data-edit]").last.click()


def _offline(page: Page) -> None:
    cable = Cable(page)
    page.reload()
    expect(page.locator(".answer[data-drawn]").last).to_be_visible()
    cable.cut()
    expect(page.locator("#offline")).to_be_visible()


def _unsent(page: Page) -> None:
    _offline(page)
    page.locator("#message").fill("And what about Taipei?")
    page.locator("#message").press("Enter")
    expect(page.locator("[data-problem]").last).to_be_visible()


def _deleted(page: Page) -> None:
    page.evaluate("document.getElementById('gone').hidden = false")


def _steps(page: Page) -> None:
    page.locator(".answer .steps summary").first.click()


def _toast(page: Page) -> None:
    row = page.locator("#history > ul [data-conversation]").last
    row.hover()
    row.locator("[data-conversation-menu]").click()
    page.locator("#conversation-menu [data-archive]").click()
    undo = page.locator(".toast [data-action]")
    expect(undo).to_be_visible()


def _undo(page: Page) -> None:
    page.locator(".toast [data-action]").click()
    expect(page.locator(".toast")).to_have_count(0)


def _wrong_password(page: Page) -> None:
    page.locator("input[name=login]").fill("nobody@heronbay.example")
    page.locator("input[name=password]").fill("wrong")
    page.locator(".card button.primary").click()
    expect(page.locator(".notice.bad")).to_be_visible()


def _print(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")


def _reference(page: Page) -> None:
    expect(page.locator(".opblock").first).to_be_visible()


STATES = [
    State("sign-in", "/accounts/login/", is_signed_in=False),
    State("sign-in-refused", "/accounts/login/", _wrong_password, is_signed_in=False),
    State("sign-in-kept", "/accounts/login/?kept=1", is_signed_in=False),
    State("password-reset", "/accounts/password/reset/", is_signed_in=False),
    State("new-chat", "/"),
    State("new-chat-agents", "/", _agents),
    State("new-chat-collections", "/", _collections),
    State("composer-slash", "/", _slash),
    State("composer-draft", "/", _draft),
    State("answer", lambda scene: scene.conversation),
    State("answer-code", lambda scene: f"/c/{scene.conversations['code']}"),
    State("answer-sources", lambda scene: scene.conversation, _sources),
    State("answer-steps", lambda scene: scene.conversation, _steps),
    State("answer-edit", lambda scene: scene.conversation, _edit),
    State("answer-menu", lambda scene: scene.conversation, _more),
    State("answer-print", lambda scene: scene.conversation, _print, full_page=True, only="desktop"),
    State("offline", lambda scene: scene.conversation, _offline),
    State("offline-unsent", lambda scene: scene.conversation, _unsent),
    State("deleted", lambda scene: scene.conversation, _deleted),
    State("drawer", lambda scene: scene.conversation, _drawer, only="phone"),
    State("row-menu", lambda scene: scene.conversation, _row_menu, only="desktop"),
    State("toast", "/", _toast, only="desktop", after=_undo),
    State("search", "/", _search, only="desktop"),
    State("palette", "/", _palette),
    State("shortcuts", lambda scene: scene.conversation, _shortcuts, only="desktop"),
    State("share-dialog", lambda scene: scene.conversation, _share),
    State("shared-link", lambda scene: scene.link),
    State("memory", "/settings/memory/"),
    State("prompts", "/prompts/"),
    State("knowledge", "/knowledge/"),
    State("collection", lambda scene: f"/knowledge/{scene.collection}/"),
    State("collection-access", lambda scene: f"/knowledge/{scene.collection}/access/"),
    State("collection-settings", lambda scene: f"/knowledge/{scene.collection}/settings/"),
    State("document", lambda scene: f"/knowledge/documents/{scene.document}/?start=30&end=120"),
    State("knowledge-search", "/knowledge/search/?q=leave"),
    State("agents", "/agents/"),
    State("settings", "/settings/", full_page=True),
    State("settings-chat", "/settings/chat/"),
    State("settings-teams", "/settings/teams/"),
    State("settings-sessions", "/settings/sessions/"),
    State("settings-data", "/settings/data/", full_page=True),
    State("settings-links", "/settings/links/"),
    State("settings-import", "/settings/import/"),
    State("settings-tokens", "/settings/tokens/"),
    State("settings-password", "/accounts/password/change/"),
    State("error-404", "/nowhere"),
    State("offline-page", lambda scene: f"/offline/{scene.language.lower()}", is_signed_in=False),
    State("admin", "/admin/"),
    State("admin-people", "/admin/accounts/user/"),
    State("admin-audit", "/admin/security/auditentry/"),
    State("admin-documents", "/admin/knowledge/document/"),
    State("admin-endpoint", "/admin/gateway/endpoint/add/"),
    State("api-reference", "/api/v1/docs", _reference),
]
