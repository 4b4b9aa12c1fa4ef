"""A document with versions, an answer whose source changed, and a collection that is held back."""

import pytest
from playwright.sync_api import expect

from chat import services as chat
from chat.models import Citation, Message
from events import jobs
from knowledge import services
from knowledge.control import Order, give
from knowledge.document_versions.putting import put_document
from knowledge.models import Document
from tests.browser.pages.conftest import DESKTOP, PHONE, accessibility_violations
from tests.knowledge.files import as_stream

WORDS = "The umbrella stand is beside the lift."
TEXT = f"# Lobby\n\nCome in.\n\n{WORDS}\n\nThe door is open from eight to six."
NEW = TEXT.replace("beside the lift", "below the stairs")


@pytest.fixture
def lobby(transactional_db, alice) -> Document:
    house = services.create_collection(alice, "House", "Where things are.")
    document, _ = services.add_document(alice, house, as_stream(TEXT), "lobby.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


def answer(user, document: Document):
    conversation = chat.create_conversation(user, title="Umbrellas")
    turn = chat.start_turn(user, conversation.pk, "Where is the umbrella stand?")
    steps = [{"kind": "retrieval_completed", "data": {"passages": [], "took_ms": 3}}]
    Message.objects.filter(pk=turn.answer_id).update(
        text="Beside the lift [1].", status="complete", steps=steps
    )
    start = document.extracted.text.index(WORDS)
    Citation.objects.create(
        message_id=turn.answer_id, document=document, chunk_id=document.chunks.first().pk, n=1,
        quote=WORDS, start=start, end=start + len(WORDS), title=document.title,
    )  # fmt: skip
    return conversation


def change(document: Document, text: str, user=None) -> None:
    put_document(document.collection, as_stream(text), "lobby.md", document=document, user=user)
    document.refresh_from_db()
    jobs.run(str(document.job_id))
    document.refresh_from_db()


def test_a_citation_opens_what_it_quoted_and_the_answer_says_what_changed(visit, alice, lobby):
    conversation = answer(alice, lobby)
    change(lobby, NEW, alice)
    page = visit(alice, f"/knowledge/documents/{lobby.pk}/versions/")
    page.route_web_socket("**/ws/", lambda _socket: None)  # this server has none
    page.goto(f"/c/{conversation.pk}")
    mark = page.locator("[data-mark=stale]")
    expect(mark).to_contain_text("A source has changed since: [1]")
    expect(mark.get_by_role("button", name="Answer again")).to_be_visible()
    start = lobby.versions.get().extracted.text.index(WORDS)
    page.goto(f"/knowledge/documents/{lobby.pk}/?at={start}-{start + len(WORDS)}&version=1")
    expect(page.locator("#reading mark")).to_have_text(WORDS)
    expect(page.get_by_role("note")).to_contain_text("A newer version exists")
    assert accessibility_violations(page) == []
    page.get_by_role("link", name="Compare").click()
    expect(page.locator("del").last).to_have_text(WORDS)
    expect(page.locator("ins").last).to_contain_text("below the stairs")
    assert accessibility_violations(page) == []
    page.get_by_role("link", name="Versions").click()
    expect(page.get_by_role("heading", name="Version 2")).to_contain_text("Searched")
    assert accessibility_violations(page) == []
    traditional = visit(
        alice, f"/knowledge/documents/{lobby.pk}/versions/", **DESKTOP, locale="zh-TW"
    )
    expect(traditional.get_by_role("heading", name="版本 2")).to_contain_text("用於搜尋")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a new version").click()
    chooser.value.set_files(
        {"name": "lobby.md", "mimeType": "text/markdown", "buffer": f"{NEW} Always.".encode()}
    )
    expect(page.locator("#document-status")).to_contain_text("Waiting")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#document-status")).to_contain_text("Paused")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#document-status")).to_contain_text("Version 3 could not be taken up")
    assert accessibility_violations(page) == []


def test_a_collection_is_held_back_and_goes_on(visit, alice, lobby):
    for n in range(3):
        services.add_document(alice, lobby.collection, as_stream(f"Note {n}"), f"{n}.txt")
    page = visit(alice, f"/knowledge/{lobby.collection_id}/")
    card = page.locator("#progress")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Indexing is paused")
    expect(page.locator("#documents [data-state=paused]")).to_have_count(3)
    assert accessibility_violations(page) == []
    card.get_by_role("button", name="Stop").click()
    expect(card).to_contain_text("What could not be indexed")
    give(lobby.collection, Order.PAUSE)
    phone = visit(alice, f"/knowledge/{lobby.collection_id}/", **PHONE)
    phone.locator("#progress").get_by_text("What could not be indexed").click()
    assert accessibility_violations(phone) == []
    phone.goto(f"/knowledge/documents/{lobby.pk}/versions/")
    assert accessibility_violations(phone) == []
