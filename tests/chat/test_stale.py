"""Answers whose sources have changed: told when they are read, and each citation in its version."""

import pytest

from agents.types import CitationAdded
from chat.models import Citation, Message
from chat.selectors import list_messages
from chat.services import create_conversation, start_turn
from chat.stale import changed_numbers
from chat.turns.finishing import _store_citations
from knowledge import services
from knowledge.document_versions.putting import put_document
from tests.knowledge.conftest import _ready_to_index as _warm  # noqa: F401 - a fixture
from tests.knowledge.conftest import run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db

WORDS = "The lamp turns once every twelve seconds."
TEXT = f"# Lighthouse\n\n{WORDS}\n"


@pytest.fixture
def guide(alice, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    guides = services.create_collection(alice, "Guides")
    document, _ = services.add_document(alice, guides, as_stream(TEXT), "guide.md")
    return run_job(document)


def cite(turn, document, chunk_id=None):
    start = len("Lighthouse\n\n")
    chunk = chunk_id or document.chunks.values_list("pk", flat=True).first()
    said = CitationAdded(1, document.pk, chunk, "Guide", (), WORDS, start, start + len(WORDS), None)
    _store_citations(turn.answer_id, [said])
    return Citation.objects.get(message=turn.answer_id)


def change(document, text):
    put_document(document.collection, as_stream(text), "guide.md", document=document)
    document.refresh_from_db()
    run_job(document)


def changed(user, turn) -> list[int]:
    rows = list_messages(user, turn.conversation_id)
    return changed_numbers(next(row for row in rows if row.pk == turn.answer_id))


@pytest.fixture
def turn(alice):
    conversation = create_conversation(alice, title="Lamps")
    turn = start_turn(alice, conversation.pk, "How often does the lamp turn?")
    Message.objects.filter(pk=turn.answer_id).update(text="Every twelve seconds [1].")
    return turn


def test_an_answer_is_stale_when_its_words_are_gone_and_not_before(alice, guide, turn):
    assert cite(turn, guide).version == 1
    assert changed(alice, turn) == []
    change(guide, f"{TEXT}\nAnd it is white.\n")
    assert changed(alice, turn) == []  # another version, the same words
    change(guide, "# Lighthouse\n\nThe lamp was taken down.\n")
    assert changed(alice, turn) == [1]


def test_what_changed_while_the_answer_was_written_was_quoted_before(alice, guide, turn):
    chunk = guide.chunks.values_list("pk", flat=True).first()
    change(guide, "# Lighthouse\n\nThe lamp was taken down.\n")
    assert cite(turn, guide, chunk).version == 1
    assert changed(alice, turn) == [1]


def test_programs_are_told(alice, guide, turn, api_for):
    cite(turn, guide)
    change(guide, "# Lighthouse\n\nThe lamp was taken down.\n")
    answer = api_for(alice).get(f"/conversations/{turn.conversation_id}/messages").json()["items"]
    (citation,) = [c for message in answer for c in message["citations"]]
    assert (citation["version"], citation["has_changed"]) == (1, True)
