from datetime import timedelta

import pytest

from accounts.services import share
from chat.models import Citation, Message
from chat.selectors import find_turn, list_messages
from chat.services import start_turn
from chat.thread import list_thread
from knowledge.models import Collection, Document, Source
from security.ids import earlier, new_id


@pytest.fixture
def cited(alice):
    """Alice's answer that cites a document of hers."""
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    document = Document.objects.create(
        collection=shelf, source=source, title="Sky", file_name="sky.txt",
        media_type="text/plain", size=3, sha256="0" * 64,
    )  # fmt: skip
    turn = start_turn(alice, None, "Why?")
    Citation.objects.create(
        message=turn.answer, document=document, chunk_id=new_id(), n=1, quote="blue", start=0,
        end=4, title="Sky",
    )  # fmt: skip
    return turn, shelf


def quotes(user, turn):
    """What each of the three reads shows to `user`."""
    conversation = turn.conversation
    return [
        [c.quote for m in list_messages(user, conversation.pk) for c in m.citations.all()],
        [c.quote for c in find_turn(user, turn.pk).answer.citations.all()],
        [c["quote"] for c in list_thread(conversation, user)[-1].data["citations"]],
    ]


def test_sharing_a_conversation_shares_no_document(alice, bob, cited):
    turn, shelf = cited
    turn.conversation.refresh_from_db()
    share(turn.conversation, bob, "reader", by=alice)
    assert quotes(alice, turn) == [["blue"]] * 3
    assert quotes(bob, turn) == [[]] * 3
    share(shelf, bob, "reader", by=alice)
    assert quotes(bob, turn) == [["blue"]] * 3


def test_a_clock_that_was_set_back_hides_no_message(alice):
    conversation = start_turn(alice, None, "Why?").conversation
    hours = timedelta(hours=23)
    before = Message.objects.create(
        id=earlier(conversation.pk, hours), conversation=conversation, role="user", text="Early?"
    )
    assert before in list_messages(alice, conversation.pk)


def test_a_deleted_document_takes_its_citations_along(alice, cited):
    turn, shelf = cited
    turn.conversation.refresh_from_db()
    Document.objects.filter(collection=shelf).delete()
    assert quotes(alice, turn) == [[]] * 3
