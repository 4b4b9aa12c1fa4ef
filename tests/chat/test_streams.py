"""Server-sent events, as an API client reads them."""

import asyncio
import json

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from accounts import services as accounts
from accounts import tokens
from chat.live import streams
from chat.live.streams import event_stream, position_of
from chat.live.visitors import Visitor
from chat.models import Conversation
from chat.services import start_turn
from events.hub import current_hub
from observability.db import run_sync
from security.ids import new_id
from tests.support.processes import sign_in

from .stage import TEXT, ScriptedAgent, play, running

pytestmark = pytest.mark.django_db(transaction=True)


def parse(raw):
    """(id, event, data) of each event; comments and `retry:` are left out."""
    events = []
    for block in raw.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields:
            events.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return events


def follow(user, stream, after=0):
    """As the person's browser does."""
    return event_stream(user, Visitor(user.pk, sign_in(user), user.password), stream, after)


async def read(response):
    return b"".join([chunk async for chunk in response.streaming_content])


def test_a_turn_is_streamed_to_its_end_and_resumed_anywhere(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=5)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Why?")
            response = await run_sync(follow, alice, turn.pk)
            assert response["Content-Type"].startswith("text/event-stream")
            reading = asyncio.create_task(read(response))
            await agent.held.wait()
            agent.go_on.set()
            raw = await reading
            events = parse(raw)
            kinds = [kind for _, kind, _ in events]
            assert (kinds[0], kinds[-1]) == ("turn_started", "message_completed")
            said = [data["text"] for _, kind, data in events if kind == "text_delta"]
            text = "".join(said)
            assert text == TEXT
            for position in range(len(events)):
                after = int(events[position][0])
                rest = parse(await read(await run_sync(follow, alice, turn.pk, after)))
                assert rest == events[position + 1 :]

    play(scenario)


def test_unknown_positions_and_streams_say_reload(alice):
    async def scenario():
        turn = await run_sync(start_turn, alice, None, "Why?")
        for stream, after in ((turn.pk, 99), (new_id(), 0)):
            events = parse(await read(await run_sync(follow, alice, stream, after)))
            assert events == [(None, "reload", {})]

    play(scenario)


def test_a_silent_stream_beats_and_holds_no_connection(alice, monkeypatch):
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.05)

    async def scenario():
        turn = await run_sync(start_turn, alice, None, "Why?")
        response = await run_sync(follow, alice, turn.pk)
        body = aiter(response.streaming_content)
        seen = [await anext(body) for _ in range(4)]
        assert seen.count(b": still here\n\n") >= 2
        assert connection.connection is None
        await body.aclose()

    play(scenario)


def revoke_grant(user, token, conversation):
    accounts.unshare(conversation, user, by=conversation.owner)


def revoke_token(user, token, conversation):
    tokens.revoke(token)


def let_token_expire(user, token, conversation):
    type(token).objects.filter(pk=token.pk).update(expires_at=timezone.now())


def disable(user, token, conversation):
    accounts.disable(user)


def delete(user, token, conversation):
    Conversation.objects.filter(pk=conversation.pk).delete()


@pytest.mark.parametrize("lose", [revoke_grant, revoke_token, let_token_expire, disable, delete])
def test_who_loses_the_right_to_follow_hears_no_more_within_two_seconds(alice, bob, lose):
    async def scenario():
        agent = ScriptedAgent(hold_after=5)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Why?")
            await run_sync(lambda: accounts.share(turn.conversation, bob, "reader", by=alice))
            token, _text = await run_sync(tokens.issue, bob, "Program")
            response = event_stream(bob, Visitor(bob.pk, token_id=token.pk), turn.pk)
            reading = asyncio.create_task(read(response))
            await agent.held.wait()
            await asyncio.sleep(0.1)
            assert not reading.done()
            await run_sync(lose, bob, token, turn.conversation)
            async with asyncio.timeout(2.5):
                events = parse(await reading)
            assert events[-1] == (None, "reload", {})
            assert "message_completed" not in [kind for _, kind, _ in events]
            agent.go_on.set()

    play(scenario)


def test_the_end_of_a_session_ends_its_streams(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=5)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Why?")
            session = await run_sync(sign_in, alice)
            mine = event_stream(alice, Visitor(alice.pk, session, alice.password), turn.pk)
            reading = asyncio.create_task(read(mine))
            other = asyncio.create_task(read(await run_sync(follow, alice, turn.pk)))
            await agent.held.wait()
            await run_sync(Session.objects.filter(session_key=session).delete)
            async with asyncio.timeout(2.5):
                assert parse(await reading)[-1] == (None, "reload", {})
            agent.go_on.set()
            assert parse(await other)[-1][1] == "message_completed"

    play(scenario)


@pytest.mark.parametrize(
    ("header", "position"), [("12", 12), ("", 3), ("x", 3), ("-1", 3), ("9" * 20, 3), ("٣", 3)]
)
def test_a_reconnecting_browser_says_where_it_stands(header, position):
    request = RequestFactory().get("/", headers={"Last-Event-ID": header})
    assert position_of(request, 3) == position


def test_hubs_belong_to_their_loop():
    async def hub():
        found = current_hub()
        await found.close()
        return found

    assert async_to_sync(hub)() is not async_to_sync(hub)()
