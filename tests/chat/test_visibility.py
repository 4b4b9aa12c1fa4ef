"""Who may read an answer but not a document sees no name and no word of it, on any way out."""

import json

import pytest

from accounts.services import share, unshare
from agents.types import CitationAdded, PackedPassage, RetrievalCompleted
from chat.live.streams import event_stream
from chat.live.visitors import Visitor
from chat.models import Message
from chat.services import start_turn
from chat.thread import list_thread
from chat.visibility import Screen, without_hidden
from events.types import EventRow
from knowledge.models import Collection, Document, Source
from knowledge.types import Passage
from observability.db import run_sync
from security.ids import new_id
from tests.support.processes import sign_in

from .stage import ScriptedAgent, play, running, socket

pytestmark = pytest.mark.django_db(transaction=True)


def make_document(owner, title):
    shelf = Collection.objects.create(owner=owner, name=title)
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    return Document.objects.create(
        collection=shelf, source=source, title=title, file_name="a.txt",
        media_type="text/plain", size=3, sha256="0" * 64,
    )  # fmt: skip


class Citing(ScriptedAgent):
    """Finds and cites the documents it is given."""

    def __init__(self, documents, **options):
        found = [CitationAdded(n, d.pk, new_id(), d.title, ("Head",), f"quote of {d.title}", 0, 4,
            None) for n, d in enumerate(documents, 1)]  # fmt: skip
        super().__init__(citations=found, **options)
        self.documents = documents

    async def __call__(self, task):
        packed = tuple(PackedPassage(n, (passage_of(d),)) for n, d in enumerate(self.documents, 1))
        yield RetrievalCompleted(task.question, packed, 1.0)
        async for step in super().__call__(task):
            if not isinstance(step, RetrievalCompleted):
                yield step


def passage_of(document):
    return Passage(
        chunk_id=new_id(), document_id=document.pk, collection_id=document.collection_id,
        title=document.title, heading_path=("Head",), text="text", start=0, end=4,
        page=None, score=1.0,
    )  # fmt: skip


async def ways_out(user, turn):
    """What the event stream, the socket and the page say, as text."""
    visitor = Visitor(user.pk, await run_sync(sign_in, user), user.password)
    body = event_stream(user, visitor, turn.pk).streaming_content
    streamed = b"".join([part async for part in body]).decode()
    async with socket(user) as tab:
        await tab.send(type="subscribe", stream=str(turn.pk), after=0)
        await tab.until("message_completed")
        framed = json.dumps(tab.frames)
    thread = await run_sync(list_thread, turn.conversation, user)
    return streamed, framed, json.dumps(thread[-1].data)


def test_sources_are_shown_to_those_who_may_see_them_now(alice, bob):
    open_one, secret = make_document(alice, "Open"), make_document(alice, "Secret")
    share(open_one.collection, bob, "reader", by=alice)

    async def scenario():
        async with running(Citing([open_one, secret])):
            turn = await run_sync(start_turn, alice, None, "Why?")
            await run_sync(lambda: share(turn.conversation, bob, "reader", by=alice))
            for said in await ways_out(alice, turn):
                assert "quote of Secret" in said
                assert "quote of Open" in said
            for said in await ways_out(bob, turn):
                assert "quote of Open" in said
                assert "Secret" not in said
                assert str(secret.pk) not in said
            await run_sync(lambda: unshare(open_one.collection, bob, by=alice))
            await run_sync(secret.delete)
            for user in (alice, bob):
                for said in await ways_out(user, turn):
                    assert "Secret" not in said
                    assert ("Open" in said) == (user == alice)

    play(scenario)
    assert Message.objects.filter(role="assistant", status="complete").count() == 1


def event(seq, document, kind="citation_added"):
    data = {"n": 7, "document_id": str(document.pk)}
    return EventRow(seq, kind, data if kind == "citation_added" else {"passages": [data]})


def test_a_decision_is_remembered_for_two_seconds(alice, bob):
    document = make_document(alice, "Paper")
    share(document.collection, bob, "reader", by=alice)
    now = [100.0]

    async def scenario():
        screen = Screen(bob, clock=lambda: now[0])
        row = event(5, document)
        assert await screen.let_through([row]) == [row]
        await run_sync(lambda: unshare(document.collection, bob, by=alice))
        assert await screen.let_through([row]) == [row]
        now[0] += 2.0
        found = event(6, document, "retrieval_completed")
        word = EventRow(7, "text_delta", {"text": "a"})
        assert await screen.let_through([row, found, word]) == [
            EventRow(6, "retrieval_completed", {"passages": []}),
            word,
        ]

    play(scenario)


def test_numbers_stay_as_they_are():
    passages = [{"n": n, "document_id": f"d{n}"} for n in (1, 2, 3)]
    left = without_hidden("retrieval_completed", {"query": "q", "passages": passages}, {"d1", "d3"})
    assert left == {"query": "q", "passages": [passages[0], passages[2]]}
    assert len(passages) == 3
