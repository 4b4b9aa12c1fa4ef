"""The chat page and its partials: what is shown, and to whom."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, User
from accounts.services import share
from agents.models import Agent
from agents.services import ensure_builtin_agents
from chat.models import Conversation, Message
from chat.sidebar.history import list_history
from chat.thread import list_thread
from knowledge.excerpts import find_excerpt
from knowledge.models import Collection, Document, DocumentText, Source

TEXT = "First sentence. Second sentence with the answer. Third sentence. 中文句子。最后一句。"


@pytest.fixture
def client_of():
    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return Conversation.objects.create(owner=alice, title="Trains or planes?")


@pytest.fixture
def document(alice: User) -> Document:
    collection = Collection.objects.create(owner=alice, name="Handbook")
    source = Source.objects.create(collection=collection, kind="upload", name="Uploads")
    made = Document.objects.create(
        collection=collection, source=source, title="Travel", file_name="t.md",
        media_type="text/markdown", size=1, sha256="0" * 64, language="en",
    )  # fmt: skip
    DocumentText.objects.create(document=made, text=TEXT)
    return made


def say(conversation: Conversation, parent: Message | None, role: str, text: str) -> Message:
    return Message.objects.create(conversation=conversation, parent=parent, role=role, text=text)


def test_pages_need_a_session(conversation: Conversation) -> None:
    for path in ("/", f"/c/{conversation.pk}", "/conversations/", f"/passages/{uuid4()}"):
        assert Client().get(path).headers["Location"].startswith("/accounts/login/")


def test_another_persons_conversation_does_not_exist(
    client_of, conversation: Conversation, charlie: User
) -> None:
    stranger = client_of(charlie)
    for path in (f"/c/{conversation.pk}", f"/c/{conversation.pk}/thread", f"/c/{uuid4()}"):
        assert stranger.get(path).status_code == 404
    assert not list_history(charlie)


def test_a_reader_has_no_composer(
    client_of, conversation: Conversation, alice: User, bob: User
) -> None:
    share(conversation, bob, Grant.Role.READER, by=alice)
    page = client_of(bob).get(f"/c/{conversation.pk}").content.decode()
    assert 'id="composer"' not in page
    assert 'id="composer"' in client_of(alice).get(f"/c/{conversation.pk}").content.decode()


def test_the_picker_knows_that_the_chosen_collections_are_gone(
    client_of, conversation: Conversation, alice: User
) -> None:
    client = client_of(alice)
    assert "data-limited" not in client.get(f"/c/{conversation.pk}").content.decode()
    Conversation.objects.filter(pk=conversation.pk).update(is_limited=True)
    assert "data-limited" in client.get(f"/c/{conversation.pk}").content.decode()


def test_model_output_reaches_the_page_as_data_only(
    client_of, conversation: Conversation, alice: User
) -> None:
    question = say(conversation, None, "user", "<script>alert(1)</script>")
    say(conversation, question, "assistant", "</script><img src=x onerror=alert(1)>")
    page = client_of(alice).get(f"/c/{conversation.pk}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_the_shown_path_and_its_versions(
    client_of, conversation: Conversation, alice: User
) -> None:
    question = say(conversation, None, "user", "Which?")
    first = say(conversation, question, "assistant", "Trains.")
    follow_up = say(conversation, first, "user", "Why?")
    second = say(conversation, question, "assistant", "Planes.")
    Conversation.objects.filter(pk=conversation.pk).update(leaf_id=follow_up.pk)
    conversation.refresh_from_db()
    shown = list_thread(conversation, conversation.owner)
    assert [item.message.text for item in shown] == ["Which?", "Trains.", "Why?"]
    assert (shown[1].versions.number, shown[1].versions.count) == (1, 2)
    assert shown[1].versions.next == second.pk

    answer = client_of(alice).post(f"/c/{conversation.pk}/thread", {"message": str(second.pk)})
    assert "Planes." in answer.content.decode()
    conversation.refresh_from_db()
    assert conversation.leaf_id == second.pk
    assert [item.message.pk for item in list_thread(conversation, alice, first.pk)][
        -1
    ] == follow_up.pk


def test_a_message_of_another_conversation_chooses_nothing(
    client_of, conversation: Conversation, alice: User
) -> None:
    mine = say(conversation, None, "user", "Mine")
    other = say(Conversation.objects.create(owner=alice), None, "user", "Other")
    page = client_of(alice).post(f"/c/{conversation.pk}/thread", {"message": str(other.pk)})
    assert "Mine" in page.content.decode()
    conversation.refresh_from_db()
    assert conversation.leaf_id == mine.pk


def test_history_is_grouped_by_day_and_searched(alice: User) -> None:
    ages = {"Now": 0, "Before": 1, "Week": 4, "Month": 20, "Old": 60}
    for title, days in ages.items():
        made = Conversation.objects.create(owner=alice, title=title)
        at = timezone.now() - timedelta(days=days)
        Conversation.objects.filter(pk=made.pk).update(updated_at=at)
    Conversation.objects.create(owner=alice, title="差旅报销", is_pinned=True)
    groups = list_history(alice)
    assert [group.title for group in groups[:5]] == [
        "Pinned", "Today", "Yesterday", "Previous 7 days", "Previous 30 days",
    ]  # fmt: skip


def test_a_search_that_cannot_be_stored_is_still_a_search(client_of, alice: User) -> None:
    Conversation.objects.create(owner=alice, title="Trains")
    page = client_of(alice).get("/conversations/?q=%00").content.decode()
    assert "Trains" in page


def test_an_excerpt_marks_exactly_the_quoted_words(alice: User, document: Document) -> None:
    start = TEXT.index("the answer")
    chinese = TEXT.index("中文")
    spans = [(start, start + 10), (chinese, chinese + 5)]
    excerpt = find_excerpt(alice, document.pk, spans)
    assert excerpt is not None
    marked = [segment.text for segment in excerpt.segments if segment.is_marked]
    assert marked == ["the answer", "中文句子。"]
    assert "".join(segment.text for segment in excerpt.segments) == TEXT
    assert not excerpt.starts_inside
    assert not excerpt.ends_inside


def test_an_excerpt_begins_and_ends_with_whole_sentences(alice: User, document: Document) -> None:
    text = "Some words stand here. " * 200
    DocumentText.objects.filter(document=document).update(text=text)
    middle = len("Some words stand here. ") * 100
    excerpt = find_excerpt(alice, document.pk, [(middle, middle + 22)])
    assert excerpt is not None
    assert excerpt.segments[0].text.startswith("Some words")
    assert excerpt.segments[-1].text.endswith("here.")
    assert excerpt.starts_inside
    assert excerpt.ends_inside


def test_a_passage_is_only_for_those_who_may_see_the_document(
    client_of, document: Document, alice: User, charlie: User
) -> None:
    path = f"/passages/{document.pk}?at=0-15"
    assert "<mark>First sentence.</mark>" in client_of(alice).get(path).content.decode()
    hidden = client_of(charlie).get(path)
    missing = client_of(charlie).get(f"/passages/{uuid4()}?at=0-15")
    assert (hidden.status_code, hidden.content) == (404, missing.content)


@pytest.mark.parametrize("query", ["", "at=", "at=x-y", "at=9-", "at=5-99999999999999"])
def test_a_malformed_span_opens_nothing(
    client_of, document: Document, alice: User, query: str
) -> None:
    assert client_of(alice).get(f"/passages/{document.pk}?{query}").status_code == 404


def test_sentences_for_scripts_are_cacheable_by_language(db) -> None:
    answer = Client().get("/jsi18n/zh-hans/")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "max-age" in answer.headers["Cache-Control"]
    assert Client().get("/jsi18n/xx/").status_code == 404


def test_the_answers_data_is_complete(conversation: Conversation) -> None:
    question = say(conversation, None, "user", "Which?")
    say(conversation, question, "assistant", "Trains [1].")
    data = list_thread(conversation, conversation.owner)[-1].data
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {
        "text", "reasoning", "steps", "usage", "model", "notice", "error", "citations",
        "gone", "changed", "can_continue",
    }  # fmt: skip


def test_the_address_may_choose_the_agent(alice: User) -> None:
    ensure_builtin_agents(alice)
    Agent.objects.create(owner=alice, name="Poet", slug="poet")
    client = Client()
    client.force_login(alice)
    for address, ticked in (("/?agent=poet", "poet"), ("/?agent=nobody", "documents")):
        page = client.get(address).content.decode()
        assert f'data-agent="{ticked}" aria-checked="true"' in page
        assert page.count('role="menuitemradio"') == 2
