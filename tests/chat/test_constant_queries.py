"""Opening a conversation and asking in it cost as many queries however long it is, and how many."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.models import Citation, Conversation, Message
from chat.services import start_turn
from knowledge.models import Collection, Document, Source

pytestmark = pytest.mark.django_db(transaction=True)
SHORT, LONG = 4, 400
OPENING = 40  # statements at most, those that open and close the second lock among them


@pytest.fixture
def document(alice):
    collection = Collection.objects.create(owner=alice, name="Handbook")
    source = Source.objects.create(collection=collection, kind="upload", name="Uploads")
    return Document.objects.create(
        collection=collection, source=source, title="Travel", file_name="t.md",
        media_type="text/markdown", size=1, sha256="0" * 64, language="en",
    )  # fmt: skip


def talk_of(owner, document, length):
    """As many messages, every answer with a source."""
    talk, last = Conversation.objects.create(owner=owner, title=f"{length} messages"), None
    for n in range(length):
        role = Message.Role.ASSISTANT if n % 2 else Message.Role.USER
        last = Message.objects.create(conversation=talk, parent=last, role=role, text=f"Text {n}")
        if n % 2:
            Citation.objects.create(
                message=last, document=document, chunk_id=uuid4(), title="Travel", n=1, quote="t",
                start=0, end=1,
            )  # fmt: skip
    Conversation.objects.filter(pk=talk.pk).update(leaf_id=last.pk)
    return talk, last


def statements(act):
    with CaptureQueriesContext(connection) as asked:
        act()
    return [query["sql"].split()[0].lower() for query in asked]


def test_opening_costs_the_same_however_long_it_is(alice, document, builtin):
    client = Client()
    client.force_login(alice)
    client.get("/")  # the first request of all fills caches
    counts = {}
    for length in (SHORT, LONG):
        talk, _last = talk_of(alice, document, length)
        counts[length] = len(statements(lambda talk=talk: client.get(f"/c/{talk.pk}")))
    assert counts[SHORT] == counts[LONG] <= OPENING, counts


def test_asking_costs_the_same_however_long_it_is(alice, document, builtin):
    counts = []
    for length in (SHORT, LONG):
        talk, last = talk_of(alice, document, length)
        start_turn(alice, None, "Warm up", agent=builtin.slug)
        counts.append(
            statements(
                lambda talk=talk, last=last: start_turn(
                    alice, talk.pk, "And then?", parent=last.pk, agent=builtin.slug
                )
            )
        )
    assert counts[0] == counts[1]
    assert counts[1] == ["select", "begin", "select", "select", "with", "commit"]
