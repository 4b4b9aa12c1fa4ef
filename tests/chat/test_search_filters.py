"""Conversation search narrowed: by day, agent, collection, place, author, archive; attachments."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pgvector import SparseVector

from accounts.models import User
from accounts.services import share
from agents.models import Agent
from chat import services
from chat.models import Conversation, Message
from chat.search.filters import Wanted, read_wanted
from chat.search.finding import find_hits
from chat.services import start_turn
from knowledge.analyzer import TERM_SPACE, analyze, term_id
from knowledge.models import Chunk, Collection, Document, Source

pytestmark = pytest.mark.django_db


def talk(user: User, title: str, *texts: str, role: str = "assistant") -> Conversation:
    made = services.create_conversation(user, title)
    for text in texts:
        Message.objects.create(conversation=made, role=role, text=text)
    return made


def attach(conversation: Conversation, name: str, text: str) -> Document:
    shelf = Collection.objects.create(
        owner=conversation.owner, name=name, is_shelf=True, conversation_id=conversation.pk
    )
    source = Source.objects.create(collection=shelf, name="Attachment")
    document = Document.objects.create(
        collection=shelf, source=source, title=name, file_name=name, media_type="text/plain",
        size=3, sha256="0" * 64, status="ready",
    )  # fmt: skip
    terms = sorted({term_id(term) for term in analyze(text)})
    Chunk.objects.create(
        document=document, collection=shelf, version=1, position=0, text=text, start=0,
        end=len(text), script="latin", length=len(terms), terms=terms,
        bm25=SparseVector({1: 1.0}, TERM_SPACE),
    )  # fmt: skip
    return document


def titles(user: User, query: str, **wanted: object) -> list[str]:
    return [hit.conversation.title for hit in find_hits(user, query, wanted=Wanted(**wanted))]


def marked(runs) -> list[str]:
    return [run.text for run in runs if run.is_marked]


def test_where_the_words_stand(alice):
    talk(alice, "Needle in the title")
    talk(alice, "Message", "A needle was said.")
    attach(talk(alice, "File"), "needle.txt", "nothing")
    found = {
        place: set(titles(alice, "needle", place=place))
        for place in ("", "title", "message", "attachment")
    }
    assert found == {
        "": {"Needle in the title", "Message", "File"},
        "title": {"Needle in the title"},
        "message": {"Message"},
        "attachment": {"File"},
    }


@pytest.mark.parametrize(
    ("query", "name", "snippet"),
    [
        ("合同", [], ["合同"]),
        ("租赁合同", [], ["租赁合同"]),
        ("lease", ["lease"], []),
        ("tenant pays", [], ["tenant", "pays"]),
        ("tenant nowhere", None, None),
    ],
)
def test_files_are_found_by_name_and_by_what_they_say(alice, query, name, snippet):
    attach(talk(alice, "Flat"), "lease 2026.pdf", "The tenant pays monthly. 租赁合同 is signed.")
    hits = find_hits(alice, query)
    if name is None:
        assert hits == []
        return
    (hit,) = hits
    assert (hit.message_id, marked(hit.file_name), marked(hit.snippet)) == (None, name, snippet)


def test_others_find_no_file_that_is_not_shared_with_them(alice, bob):
    made = talk(alice, "Flat")
    attach(made, "lease.pdf", "The tenant pays.")
    assert titles(bob, "tenant") == []
    share(made, bob, "reader", by=alice)
    assert titles(bob, "tenant") == ["Flat"]


def test_who_wrote_it(alice, bob, builtin):
    made = talk(alice, "Shared", "The needle, says the model.")
    share(made, bob, "editor", by=alice)
    start_turn(bob, made.pk, "Where is the thimble?")
    talk(alice, "Own", "My needle.", role="user")
    assert titles(alice, "needle", author="assistant") == ["Shared"]
    assert titles(alice, "needle", author="me") == ["Own"]
    assert titles(alice, "thimble", author="me") == []
    assert titles(alice, "thimble", author="others") == ["Shared"]
    assert titles(bob, "thimble", author="me") == ["Shared"]


def test_agent_collection_day_and_archive(alice, bob):
    agent = Agent.objects.create(owner=alice, name="Law", slug="law")
    hidden = Agent.objects.create(owner=bob, name="Bob's", slug="bobs")
    shelf = Collection.objects.create(owner=alice, name="Contracts")
    law, old, filed, bobs = (talk(alice, name, "needle") for name in ["Law", "Old", "Filed", "Bob"])
    Conversation.objects.filter(pk=law.pk).update(agent=agent)
    Conversation.objects.filter(pk=bobs.pk).update(agent=hidden)
    law.collections.add(shelf)
    long_ago = timezone.now() - timedelta(days=40)
    Conversation.objects.filter(pk=filed.pk).update(archived_at=timezone.now())
    Conversation.objects.filter(pk=old.pk).update(updated_at=long_ago, created_at=long_ago)
    today = timezone.localdate()
    assert titles(alice, "needle", agent="law") == ["Law"]
    assert titles(alice, "needle", agent=str(agent.pk)) == ["Law"]
    assert titles(alice, "needle", agent="bobs") == []  # whose name alice may not know
    assert titles(alice, "needle", collection=shelf.pk) == ["Law"]
    assert titles(alice, "needle", is_archived=True) == ["Filed"]
    assert "Filed" not in titles(alice, "needle", is_archived=False)
    assert "Old" not in titles(alice, "needle", since=today - timedelta(days=7))
    assert titles(alice, "needle", until=today - timedelta(days=7)) == []
    assert "Law" in titles(alice, "", agent="law")  # without words: all that is let through
    assert titles(alice, "") == []


def test_the_sidebar_and_the_api_take_the_same(alice, client):
    talk(alice, "Needle in the title")
    talk(alice, "Message", "A needle was said.")
    client.force_login(alice)
    page = client.get("/conversations/", {"q": "needle", "in": "message"}).content.decode()
    assert "Needle in the title" not in page
    told = client.get("/api/v1/conversations/search", {"q": "needle", "found_in": "title"}).json()
    assert [item["title"] for item in told["items"]] == ["Needle in the title"]
    nothing = client.get("/conversations/", {"q": "zebra", "in": "title"}).content.decode()
    assert "Without filters" in nothing
    wrong = {"days": "x", "in": "y", "by": "z", "collection": "?", "archived": "1"}
    assert read_wanted(wrong) == Wanted()


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
def test_days_that_nobody_lived_narrow_all_or_nothing(alice, client, day):
    talk(alice, "Needle in the title")
    client.force_login(alice)
    found = {}
    for name in ("since", "until"):
        told = client.get("/api/v1/conversations/search", {"q": "needle", name: day})
        assert told.status_code == 200, name
        found[name] = bool(told.json()["items"])
    assert found == {"since": day < "2000", "until": day > "2000"}
