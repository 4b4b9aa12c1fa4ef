"""Hostile names and texts on every page that lists or shows them: they stay text (s26);
the chat has tests of its own.

What is looked at is what the browser made of them: elements, attributes, requests, dialogs,
refusals by the policy. `visit` fails on the console's errors, where such refusals are told.
"""

import re

import pytest
from django.contrib import admin as site
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Page, expect

from accounts import services as sharing
from accounts import tokens
from accounts.models import User
from agents.models import Agent
from chat import services as chat
from chat.models import Citation, Message
from chat.sidebar import folders
from events import jobs
from gateway.models import Endpoint
from knowledge import services
from knowledge.models import Document
from tests.browser.canary import Canary
from tests.browser.corpus import HOSTILE
from tests.browser.pages.conftest import Visit
from tests.knowledge.files import as_stream

NAME = '"><img src=//attacker.example/p onerror=alert(1)>'
FILE = '"><svg onload=alert(1)><img src=x onerror=alert(1)>.md'  # of a path the last part is kept
SHORT = [text for text in HOSTILE if len(text) < 70]
TEXT = "\n\n".join(text for text in HOSTILE if "/files/" not in text and len(text) < 300)
STORED = re.sub("[\x00-\x08\x0b-\x1f]", "", TEXT)
# What no page of ours has, and what hostile text may turn into.
FORBIDDEN = """() => {
    const leading = ["src", "srcset", "href", "xlink:href", "action", "formaction", "poster",
                     "data", "background"];
    const leaves = (value) =>
        URL.canParse(value, location) && new URL(value, location).origin !== location.origin;
    const bad = (element) =>
        element.matches("iframe, object, embed, base, meta[http-equiv], [srcdoc]") ||
        [...element.attributes].some(({ name, value }) =>
            name.startsWith("on") || /attacker/.test(name === "style" ? value : "") ||
            (leading.includes(name) && leaves(value)));
    return [...document.querySelectorAll("*")].filter(bad).map((e) => e.outerHTML.slice(0, 200));
}"""


@pytest.fixture
def hostile(transactional_db, admin: User, bob: User) -> dict[str, str]:
    """Everything that has a name has a hostile one; ids by kind."""
    User.objects.update(name=NAME)
    team = sharing.create_team(admin, NAME)
    shelf = services.create_collection(admin, NAME, description=STORED[:2000])
    sharing.share(shelf, team, "reader", by=admin)
    tokens.issue(admin, NAME)
    Endpoint.objects.create(name=NAME, base_url="http://127.0.0.1:9/v1")
    body = f"# Zanzibar {NAME}\n\nZanzibar lighthouse. {STORED}"
    document, _ = services.add_document(admin, shelf, as_stream(body), f"attacker.example{FILE}")
    jobs.run(str(document.job_id))
    failed, _ = services.add_document(admin, shelf, as_stream("Broken."), f"broken{FILE}")
    Document.objects.filter(pk=failed.pk).update(status="failed", reason=STORED[:500])
    failed.stages.filter(name="extract").update(status="failed", reason=STORED[:500])
    Agent.objects.create(
        owner=admin, name=NAME, slug="hostile", description=NAME, instructions=STORED
    )
    _hold_conversations(admin, document)
    return {"shelf": str(shelf.pk), "document": str(document.pk), "failed": str(failed.pk)}


def _hold_conversations(owner: User, document: Document) -> None:
    folder = folders.create_folder(owner, NAME)
    talk = chat.create_conversation(owner, title=f"Zanzibar {NAME}")
    folders.move_conversation(owner, talk.pk, folder.pk)
    for place, text in enumerate(SHORT[:12]):
        other = chat.create_conversation(owner, title=text)
        chat.archive_conversation(owner, other.pk, is_archived=place % 2 == 0)
    question = Message.objects.create(conversation=talk, role="user", text=f"Zanzibar {TEXT}")
    answer = Message.objects.create(
        conversation=talk, parent=question, role="assistant", text=f"Zanzibar [1] {TEXT}"
    )
    Citation.objects.create(
        message=answer, document=document, chunk_id=document.chunks.all()[0].pk, n=1, start=0,
        end=60, title=document.title, quote=STORED[:200],
    )  # fmt: skip


PAGES = [
    "/knowledge/",
    "/knowledge/{shelf}/",
    "/knowledge/{shelf}/settings/",
    "/knowledge/{shelf}/access/",
    "/knowledge/documents/{document}/",
    "/knowledge/documents/{document}/?start=0&end=60",
    "/knowledge/documents/{failed}/",
    "/knowledge/search/?q=Zanzibar+lighthouse",
    f"/knowledge/search/?q={NAME}",
    "/agents/",
    "/settings/",
    "/settings/tokens/",
]


def of_the_administration() -> list[str]:
    """The list of every model and the page of its newest row."""
    paths = ["/admin/"]
    for model in site.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths.append(reverse(f"{name}_changelist"))
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            try:
                paths.append(reverse(f"{name}_change", args=[row.pk]))
            except NoReverseMatch:
                continue
    return paths


def check(page: Page, path: str, canary: Canary) -> bool:
    """Whether the hostile name stands on the page, as text or in a field."""
    response = page.goto(path)
    assert response is not None
    assert response.status == 200, path
    assert page.evaluate(FORBIDDEN) == [], path
    assert canary.heard == 0, path
    return "attacker.example" in page.content()


def test_s26_hostile_names_and_texts_on_every_page(
    visit: Visit, admin: User, hostile: dict[str, str], canary: Canary
) -> None:
    page = visit(admin, "/knowledge/")
    silent = [path for path in PAGES if not check(page, path.format(**hostile), canary)]
    assert not silent
    _look_at_the_sidebar(page)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(FORBIDDEN) == []
    assert canary.heard == 0


def _look_at_the_sidebar(page: Page) -> None:
    """The folder, the archive, and what a search finds, with passages."""
    page.goto("/knowledge/")
    sidebar = page.get_by_role("region", name="Conversations")
    sidebar.locator("summary").click()
    expect(sidebar.get_by_text(f"Zanzibar {NAME}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(sidebar.get_by_text(SHORT[0], exact=True)).to_be_visible()
    page.locator("input[type=search]").first.fill("Zanzibar")
    expect(sidebar).to_contain_text("1 conversation found")


def test_s26_hostile_names_and_texts_in_the_administration(
    visit: Visit, admin: User, hostile: dict[str, str], canary: Canary
) -> None:
    page = visit(admin, "/admin/")
    shown = [path for path in of_the_administration() if check(page, path, canary)]
    for part in ("auditentry", "document", "message", "citation", "agent", "team", "endpoint"):
        assert any(f"/{part}/" in path for path in shown), part
