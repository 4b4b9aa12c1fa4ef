"""Temporary conversations: hidden while they live, and without a trace when they have ended."""

import logging
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import redis
from django.conf import settings as configured
from django.db import connection
from django.http import Http404
from django.utils import timezone

from agents.loop import run_agent
from agents.models import Agent
from chat import services
from chat.errors import KeyReused
from chat.exports import documents as exports
from chat.live.requests import InvalidFrame, StartTurn
from chat.models import Conversation, Message, SearchEntry, Turn
from chat.retention import deletion, temporary
from chat.search import finding as search
from chat.search import index as search_index
from chat.selectors import find_conversation, list_conversations
from chat.sidebar.history import list_history
from events.models import Event, Stream
from gateway.embedding.embedder import get_embedder
from gateway.models import Endpoint, Usage
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from observability.db import run_sync
from security.ids import new_id
from tests.chat.stage import play, running, socket
from tests.support.model_server import ModelServer, Script, model_server

__all__ = ["model_server"]
CANARY = "the heron nests under the third bridge"
SAID = "xylophone marmalade"


@pytest.fixture
def turn(alice) -> Turn:
    asked = services.start_turn(alice, None, CANARY, temporary=True)
    Message.objects.filter(pk=asked.answer_id).update(text=SAID, status="complete")
    return asked


def life(conversation_id: UUID) -> timedelta:
    ends_at = Conversation.objects.values_list("ends_at", flat=True).get(pk=conversation_id)
    return ends_at - timezone.now()


@pytest.mark.django_db
def test_it_is_in_no_list_search_or_export_and_has_no_title(alice, turn, tmp_path):
    search_index.keep()
    assert not SearchEntry.objects.exists()
    assert search.find_hits(alice, "heron") == []
    assert not list_conversations(alice).exists()
    assert list_history(alice) == []
    assert exports.count_own(alice) == 0
    found = find_conversation(alice, turn.conversation_id)
    assert (found.title, found.is_temporary) == ("", True)
    services.start_turn(alice, found.pk, "And a second question?")
    assert find_conversation(alice, found.pk).title == ""


@pytest.mark.django_db
def test_it_lives_while_it_is_used_and_a_page_is_open(alice, bob, turn):
    talk = turn.conversation_id
    a_day = timedelta(hours=configured.PARLEY_TEMPORARY_HOURS)
    assert timedelta(0) < a_day - life(talk) < timedelta(minutes=5)
    first, second = new_id(), new_id()
    temporary.enter(alice, talk, first)
    temporary.enter(alice, talk, second)  # the page is loaded again …
    temporary.leave(alice, talk, first)  # … and the old one says that it goes
    assert life(talk) > timedelta(hours=1)
    temporary.leave(alice, talk, second)
    assert life(talk) < timedelta(minutes=1)
    temporary.enter(alice, talk, second)
    assert life(talk) > timedelta(hours=1)
    temporary.leave(alice, talk, new_id())  # one that nobody knows changes nothing
    assert life(talk) > timedelta(hours=1)
    temporary.leave(alice, talk, second)
    services.start_turn(alice, talk, "Still there?")
    assert life(talk) > timedelta(hours=1)
    for act in (temporary.enter, temporary.leave):
        with pytest.raises(Http404):
            act(bob, talk, first)


@pytest.mark.django_db
def test_the_clock_removes_what_has_ended_and_nothing_else(alice, turn):
    lasting = services.start_turn(alice, None, "One that stays?")
    assert temporary.remove_ended() == 0
    Conversation.objects.filter(pk=turn.conversation_id).update(ends_at=timezone.now())
    assert temporary.remove_ended() == 1
    assert Conversation.objects.get().pk == lasting.conversation_id
    assert not Stream.objects.filter(pk=turn.pk).exists()


@pytest.mark.django_db
def test_deleting_it_is_for_good_at_once(alice, turn):
    deletion.delete_conversation(alice, turn.conversation_id)
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()
    with pytest.raises(Http404):
        deletion.restore_conversation(alice, turn.conversation_id)


@pytest.mark.django_db
def test_kept_it_is_one_like_any_other(alice, bob, turn):
    talk = turn.conversation_id
    with pytest.raises(Http404):
        temporary.keep_conversation(bob, talk)
    temporary.keep_conversation(alice, talk)
    temporary.keep_conversation(alice, talk)
    assert list_conversations(alice).get().title == CANARY
    assert [hit.conversation.pk for hit in search.find_hits(alice, "heron")] == [talk]
    assert temporary.remove_ended() == 0
    with pytest.raises(Http404):
        temporary.enter(alice, talk, new_id())


@pytest.mark.django_db
def test_the_word_temporary_counts_when_a_question_is_sent_again(alice):
    asked = services.start_turn(alice, None, "One?", temporary=True, idempotency_key="k")
    again = services.start_turn(alice, None, "One?", temporary=True, idempotency_key="k")
    assert asked.pk == again.pk
    with pytest.raises(KeyReused):
        services.start_turn(alice, None, "One?", idempotency_key="k")


def test_the_frame_takes_a_flag():
    assert StartTurn.parse({"text": "x", "temporary": True}).temporary
    assert not StartTurn.parse({"text": "x"}).temporary
    with pytest.raises(InvalidFrame):
        StartTurn.parse({"text": "x", "temporary": "yes"})


@pytest.mark.django_db
def test_over_the_api(alice, api_for):
    api = api_for(alice)
    made = api.post("/conversations", {"temporary": True}).json()
    assert made["ends_at"]
    place = f"/conversations/{made['id']}"
    assert api.post(f"{place}/turns", {"text": CANARY}).status_code == 202
    assert api.get("/conversations").json()["items"] == []
    assert api.get(place).json()["title"] == ""
    kept = api.post(f"{place}/keep").json()
    assert (kept["title"], kept["ends_at"]) == (CANARY, None)
    other = api.post("/conversations", {"temporary": True}).json()["id"]
    assert api.delete(f"/conversations/{other}").status_code == 204
    assert api.post(f"/conversations/{other}/restore").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_not_one_word_of_it_is_anywhere_when_it_has_ended(alice, model_server: ModelServer, caplog):
    """Asked over the socket, answered by a model that thinks aloud, ended by the clock: tables,
    Redis, files and the log are searched. Numbers of the usage stay."""
    caplog.set_level(logging.DEBUG)
    get_embedder().embed(["warm up"])
    forget_routes()
    endpoint = Endpoint.objects.create(name="scripted", base_url=model_server.url)
    connect_model(endpoint, "scripted", is_default=True)
    Agent.objects.create(owner=alice, name="Documents", slug="documents", is_builtin=True)
    model_server.default = Script(text=f"I say {SAID}.", reasoning=f"I think {CANARY}.")

    async def scenario() -> None:
        async with running(run_agent), socket(alice) as tab:
            accepted = await tab.ask(f"Is it true that {CANARY}?", id="one", temporary=True)
            await tab.until("message_completed")
            talk = accepted["conversation_id"]
            again = await tab.ask(f"Again: {CANARY}!", id="two", conversation=talk)
            await tab.until("message_completed")
            assert again["conversation_id"] == talk
            assert await run_sync(where_is, CANARY)
            assert await run_sync(where_is, SAID)
        await close_pool()

    play(scenario)
    forget_routes()
    Conversation.objects.update(ends_at=timezone.now())
    assert temporary.remove_ended() == 1
    for words in (CANARY, SAID):
        assert where_is(words) == []
        assert words not in "\n".join(f"{it.getMessage()} {it.__dict__}" for it in caplog.records)
    assert caplog.records
    assert not Event.objects.exists()
    assert Usage.objects.filter(account_id=alice.pk).exists()


def where_is(words: str) -> list[str]:
    """Tables, keys of Redis and files of the house with these words in them."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = "
            "c.relnamespace where c.relkind in ('r', 'p') and n.nspname = 'public'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"select 1 from {table} t where t::text like %s limit 1", [f"%{words}%"])
            found += [table] if cursor.fetchone() else []
    client = redis.Redis.from_url(configured.REDIS_URL)
    values = {key: bytes(key) + (client.dump(key) or b"") for key in client.scan_iter()}
    found += [str(key) for key, value in values.items() if words.encode() in value]
    home: Path = configured.PARLEY_HOME.path
    for path in home.rglob("*"):
        parts = path.relative_to(home).parts
        # The database's own files: what is deleted there is free to be written over.
        if path.is_file() and parts[0] not in {"postgres", "redis", "models", "run"}:
            found += [str(path)] if words.encode() in path.read_bytes() else []
    return found
