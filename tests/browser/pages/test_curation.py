"""Passages of a document edited in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from chat import services as chat
from chat.models import Citation, Message
from events import jobs
from knowledge import services, storage
from knowledge.curation import editing
from knowledge.models import Document
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.knowledge.files import as_stream

TEXT = """# Travel policy

## Means of travel

Trains are prefered to planes below six hundred kilometres. Book four weeks ahead, in second class.

## Hotels

A night may cost 140 euros, breakfast included. In Munich during the fair it may cost 220 euros.

## Old rules

Travel by zeppelin needs the approval of the captain.
"""


@pytest.fixture
def policy(transactional_db, alice) -> Document:
    collection = services.create_collection(alice, "Handbook", "How we work.")
    document, _ = services.add_document(alice, collection, as_stream(TEXT), "travel.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


def cite(user, document: Document, words: str) -> None:
    """An answer of theirs that cites the passage with these words."""
    conversation = chat.create_conversation(user, title="Trip")
    turn = chat.start_turn(user, conversation.pk, "How?")
    Message.objects.filter(pk=turn.answer_id).update(text="So [1].", status="complete")
    chunk = document.chunks.get(text__contains=words)
    Citation.objects.create(
        message_id=turn.answer_id, document=document, chunk_id=chunk.pk, n=1, quote=chunk.text,
        start=chunk.start, end=chunk.end, title=document.title,
    )  # fmt: skip


def passages(page: Page):
    return page.locator(".curated")


def test_passages_are_corrected_split_merged_excluded_added_and_undone(visit, alice, bob, policy):
    cite(bob, policy, "140 euros")
    page = visit(alice, f"/knowledge/documents/{policy.pk}/")
    page.get_by_role("link", name="Edit passages").click()
    expect(passages(page)).to_have_count(3)
    expect(passages(page).nth(1)).to_contain_text("cited 1 time")
    expect(passages(page).nth(0)).to_contain_text("never cited")
    assert accessibility_violations(page) == []

    first = passages(page).nth(0)
    first.get_by_role("button", name="Correct").click()
    field = first.get_by_label("What the passage should say")
    expect(field).to_be_focused()
    field.fill("Trains are preferred to planes. Book four weeks ahead.")
    assert accessibility_violations(page) == []
    first.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("The passage is corrected.")
    expect(passages(page).nth(0)).to_contain_text("corrected")
    expect(passages(page).nth(0)).to_contain_text("Alice")

    passages(page).nth(1).get_by_role("button", name="Split").click()
    passages(page).nth(1).get_by_role("button", name="Split here").click()
    expect(passages(page)).to_have_count(4)
    expect(passages(page).nth(2)).to_contain_text("In Munich during the fair")
    passages(page).nth(1).get_by_role("button", name="Merge with the next passage").click()
    expect(passages(page)).to_have_count(3)
    passages(page).nth(2).get_by_role("button", name="Exclude from search").click()
    expect(page.locator(".excluded")).to_contain_text("zeppelin")
    passages(page).nth(1).get_by_role("button", name="Add a passage behind it").click()
    passages(page).nth(1).get_by_label("A passage in your own words").fill("Ask Carla for a room.")
    passages(page).nth(1).get_by_role("button", name="Add passage").click()
    expect(passages(page).nth(2)).to_contain_text("Ask Carla for a room.")
    page.locator(".excluded").get_by_role("button", name="Include again").click()
    expect(passages(page)).to_have_count(4)
    page.get_by_role("button", name="Undo the edit of passage 3").click()
    expect(passages(page)).to_have_count(3)
    assert policy.chunks.filter(text__contains="zeppelin").exists()

    page.goto(f"/knowledge/documents/{policy.pk}/")
    page.locator("[data-shows]").first.click()
    expect(page.locator(".own-words mark")).to_contain_text("Trains are preferred to planes.")
    expect(page.locator(".reading mark").first).to_contain_text("Trains are prefered")
    expect(page.locator(".reading")).not_to_contain_text("Carla")
    assert accessibility_violations(page) == []


def test_who_is_late_hears_of_it_and_lost_edits_are_listed(visit, alice, bob, policy):
    page = visit(alice, f"/knowledge/documents/{policy.pk}/curation/", **PHONE)
    expect(passages(page)).to_have_count(3)
    editing.correct(bob, policy, policy.chunks.get(position=0).pk, "Trains are best.")
    passages(page).nth(1).get_by_role("button", name="Correct").click()
    passages(page).nth(1).get_by_label("What the passage should say").fill("My words.")
    passages(page).nth(0).get_by_role("button", name="Exclude from search").click()
    expect(page.locator("#toasts")).to_contain_text("This passage was changed meanwhile.")
    expect(passages(page).nth(0)).to_contain_text("Trains are best.")
    expect(passages(page).nth(1).get_by_label("What the passage")).to_have_value("My words.")

    storage.path_of(policy.pk).write_text(TEXT.replace("prefered", "better"))
    services.reindex_document(policy)
    jobs.run(str(Document.objects.get(pk=policy.pk).job_id))
    page.reload()
    expect(page.locator(".lost")).to_contain_text("1 edit could not be re-applied")
    expect(page.locator(".lost")).to_contain_text("Trains are best.")
    assert accessibility_violations(page) == []
    page.locator(".lost").get_by_role("button", name="Put aside").click()
    expect(page.locator(".lost")).to_have_count(0)


@pytest.fixture
def handbook(policy):
    collection = policy.collection
    words = " ".join(f"Rule {n} holds on day {n * 7}." for n in range(60))
    for name, text in (("a.md", words), ("b.md", words + "\n"), ("c.md", "Something else.")):
        document, _ = services.add_document(collection.owner, collection, as_stream(text), name)
        jobs.run(str(document.job_id))
    services.create_collection(collection.owner, "Archive")
    return collection


def test_documents_that_need_a_look_are_listed_excluded_and_moved(visit, alice, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    rows = page.locator("tr[data-document]")
    expect(rows).to_have_count(4)
    page.get_by_label("List", exact=True).select_option("duplicates")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("The same text as a")
    expect(page.locator("tr.hint")).to_contain_text("nine tenths")
    rows.first.locator("[data-tick]").check()
    assert accessibility_violations(page) == []
    bar = page.get_by_role("toolbar", name="Chosen documents")
    bar.get_by_role("button", name="Exclude").click()
    expect(page.locator("#toasts")).to_contain_text("1 document is excluded from search.")
    expect(rows.first).to_contain_text("Excluded")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(rows.first).to_contain_text("Waiting")
    page.get_by_label("List", exact=True).select_option("")
    page.get_by_label("Order", exact=True).select_option("title")
    expect(rows.locator(".name a").first).to_have_text("a")

    rows.nth(2).locator("[data-tick]").check()
    bar.get_by_role("button", name="Move…").click()
    expect(page.get_by_role("dialog", name="Move documents")).to_be_visible()
    assert accessibility_violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("1 document is moved.")
    expect(rows).to_have_count(3)
