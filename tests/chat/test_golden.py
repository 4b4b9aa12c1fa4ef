"""An answer kept as a golden question: by whom, with what, and out of which conversations."""

from datetime import timedelta

import pytest
from django.http import Http404
from django.test import Client
from django.utils import timezone
from pgvector import SparseVector

from accounts.models import Grant, User
from accounts.services import share
from chat.answers.feedback import rate_answer
from chat.answers.golden import homes_of, keep_as_golden
from chat.models import Citation, Conversation, Feedback, Message
from chat.services import start_turn
from knowledge.analyzer import TERM_SPACE
from knowledge.models import (
    Chunk,
    Collection,
    Document,
    DocumentText,
    GoldenQuestion,
    Source,
)
from knowledge.quality.errors import QuestionRefused

WORDS = "Trains are preferred to planes."


@pytest.fixture
def cited(alice: User) -> Chunk:
    shelf = Collection.objects.create(owner=alice, name="Handbook")
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    document = Document.objects.create(
        collection=shelf, source=source, title="Handbook", file_name="a.txt",
        media_type="text/plain", size=3, sha256="0" * 64,
    )  # fmt: skip
    DocumentText.objects.create(document=document, text=WORDS)
    return Chunk.objects.create(
        document=document, collection=shelf, version=1, position=0, text=WORDS, start=0,
        end=len(WORDS), script="latin", length=5, terms=[1],
        bm25=SparseVector({1: 1.0}, TERM_SPACE),
    )  # fmt: skip


@pytest.fixture
def answered(alice: User, builtin: object, cited: Chunk) -> Message:
    turn = start_turn(alice, None, "May I fly?")
    Message.objects.filter(pk=turn.answer_id).update(status="complete", text="No [1].")
    Citation.objects.create(
        message_id=turn.answer_id, document=cited.document, chunk_id=cited.pk, n=1,
        quote=WORDS, start=0, end=len(WORDS), title="Handbook",
    )  # fmt: skip
    return Message.objects.get(pk=turn.answer_id)


def test_the_question_with_what_the_answer_cites(alice, answered, cited):
    made = keep_as_golden(alice, answered.pk, cited.collection_id)
    assert (made.text, made.state, made.origin) == ("May I fly?", "accepted", "message")
    assert made.expected.get().quote == WORDS
    assert [home.pk for home in homes_of(alice, answered.pk)] == [cited.collection_id]


def test_of_an_answer_that_is_bad_only_the_question(alice, answered, cited):
    rate_answer(alice, answered.pk, Feedback.Rating.BAD, ["wrong"], "It is in chapter two.")
    made = keep_as_golden(alice, answered.pk, cited.collection_id)
    assert (made.origin, made.note) == ("feedback", "It is in chapter two.")
    assert not made.expected.exists()
    assert not GoldenQuestion.objects.counted().exists()  # until somebody says what is right


def test_a_reader_of_both_proposes_and_others_find_nothing(alice, bob, charlie, answered, cited):
    talk = Conversation.objects.get(pk=answered.conversation_id)
    share(talk, bob, Grant.Role.READER, by=alice)
    with pytest.raises(Http404):  # the conversation alone is not enough
        keep_as_golden(bob, answered.pk, cited.collection_id)
    share(cited.collection, bob, Grant.Role.READER, by=alice)
    assert keep_as_golden(bob, answered.pk, cited.collection_id).state == "proposed"
    with pytest.raises(Http404):
        keep_as_golden(charlie, answered.pk, cited.collection_id)
    assert homes_of(charlie, answered.pk) == []


def test_nothing_leaves_a_temporary_chat(alice, builtin, answered, cited):
    Conversation.objects.filter(pk=answered.conversation_id).update(
        ends_at=timezone.now() + timedelta(days=1)
    )
    with pytest.raises(QuestionRefused):
        keep_as_golden(alice, answered.pk, cited.collection_id)


def test_on_the_page_and_for_programs(alice, answered, cited):
    client = Client()
    client.force_login(alice)
    page = client.get(f"/why/{answered.pk}")
    assert "Keep as golden question" in page.content.decode()
    form = {"collection": str(cited.collection_id)}
    assert client.post(f"/why/{answered.pk}/golden", form).status_code == 302
    assert GoldenQuestion.objects.count() == 1
    again = client.post(f"/api/v1/messages/{answered.pk}/golden-question", form, "application/json")
    assert (again.status_code, again.json()["question"]) == (201, "May I fly?")
    assert client.post(f"/why/{answered.pk}/golden", {"collection": "x"}).status_code == 404
