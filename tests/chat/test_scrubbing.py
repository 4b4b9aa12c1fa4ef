"""What is left of a deleted document: nothing, in no table and on no disk (statement s52)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from chat.models import Message
from chat.retention.scrubbing import scrub_deleted_documents
from chat.services import start_turn
from events import leases, log
from events.models import Event, Stream
from knowledge import retrieval, services
from knowledge.models import Collection, DeletedDocument, Document
from knowledge.storage import path_of
from observability.metrics import swept
from tests.knowledge.conftest import run_job
from tests.knowledge.files import as_stream

from .stage import play, running, socket
from .test_visibility import Citing, make_document

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "Xylograph-7731"


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"


def tables_with(words):
    """Every table of the database that has a row with these words in it.

    But for the audit trail, which names what was deleted and by whom, and never quotes it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select oid::regclass::text from pg_class where relkind in ('r', 'p')"
            " and not relispartition and relnamespace = 'public'::regnamespace"
            " and relname <> 'audit_entry'"
        )
        found = []
        for (table,) in cursor.fetchall():
            cursor.execute(f"select exists (select from {table} t where t::text ilike %s)",
                [f"%{words}%"])  # fmt: skip
            if cursor.fetchone()[0]:
                found.append(table)
    return sorted(found)


def answer_about(user, *documents):
    """A turn that a runner has answered, citing these documents."""
    turn = start_turn(user, None, "What is known?")

    async def scenario():
        async with running(Citing(documents)), socket(user) as tab:
            await tab.send(type="subscribe", stream=str(turn.pk), after=0)
            await tab.until("message_completed")

    play(scenario)
    return turn


def a_while_later():
    Stream.objects.update(created_at=Now() - timedelta(hours=2))
    DeletedDocument.objects.update(deleted_at=Now() - timedelta(hours=1))


def test_s52_a_deleted_document_leaves_no_word(alice):
    shelf = services.create_collection(alice, "Shelf")
    text = f"# {CANARY} minutes\n\nThe {CANARY} is in the cellar."
    document, _ = services.add_document(alice, shelf, as_stream(text), f"{CANARY}.md")
    assert run_job(document).status == Document.Status.READY
    kept = make_document(alice, "Kept")
    turn = answer_about(alice, document, kept)
    before = log.read_all(turn.pk)
    assert {"event", "chat_citation", "chat_message", "knowledge_chunk"} <= set(tables_with(CANARY))
    assert retrieval.search(alice, CANARY).passages

    services.delete_document(document)
    assert not path_of(document.pk).exists()
    assert not retrieval.search(alice, CANARY).passages
    assert tables_with(CANARY) == ["chat_message", "event"]  # shown to nobody, and swept next

    counted = swept.labels("events_scrubbed")._value.get()
    scrub_deleted_documents()
    assert swept.labels("events_scrubbed")._value.get() == counted + 2
    assert tables_with(CANARY) == []
    after = log.read_all(turn.pk)
    assert [(row.seq, row.kind) for row in after] == [(row.seq, row.kind) for row in before]
    answer = Message.objects.get(turn=turn)
    told = str([row.payload for row in after]) + str(answer.steps)
    assert told.count("Kept") == 4  # event and step of the search, title and quote of the citation
    assert answer.text == "".join(row.payload["text"] for row in after if row.kind == "text_delta")
    scrub_deleted_documents()
    assert log.read_all(turn.pk) == after


def test_a_turn_that_still_runs_is_scrubbed_when_it_has_ended(alice):
    document = make_document(alice, CANARY)
    turn = start_turn(alice, None, "What is known?")
    claim = leases.claim_one(turn.pk, "a")
    told = {"passages": [{"document_id": str(document.pk), "title": CANARY}]}
    log.append(turn.pk, claim.fence, [("retrieval_completed", told)])
    Collection.objects.all().delete()
    a_while_later()
    assert scrub_deleted_documents() == 0
    assert tables_with(CANARY) == ["event"]
    log.append(turn.pk, claim.fence, [("turn_stopped", {})], close=True)
    assert scrub_deleted_documents() == 1
    assert tables_with(CANARY) == []
    assert not DeletedDocument.objects.exists()


def test_documents_that_go_with_their_collection_or_its_owner_are_noted(alice, bob):
    first, second = make_document(alice, "first"), make_document(bob, "second")
    for document in (first, second):
        path_of(document.pk).parent.mkdir(parents=True, exist_ok=True)
        path_of(document.pk).write_text("left by a process that died after its commit")
    Collection.objects.get(pk=first.collection_id).delete()
    bob.delete()
    assert DeletedDocument.objects.count() == 2
    a_while_later()
    assert scrub_deleted_documents() == 2
    assert not path_of(first.pk).exists()
    assert not path_of(second.pk).exists()
    assert not Event.objects.exists()


def test_many_are_taken_in_batches(alice, monkeypatch):
    monkeypatch.setattr("chat.retention.scrubbing.BATCH", 2)
    monkeypatch.setattr("knowledge.deletions.BATCH", 2)
    documents = [make_document(alice, f"{CANARY} {n}") for n in range(5)]
    turn = answer_about(alice, *documents)
    Collection.objects.all().delete()
    a_while_later()
    assert scrub_deleted_documents() == 5
    assert tables_with(CANARY) == []
    assert len(log.read_all(turn.pk)) > 5
