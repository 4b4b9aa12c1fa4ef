"""The socket, with a real runner behind it and a scripted agent."""

import asyncio

import pytest

from chat.live import pump as pump_module
from chat.models import Turn
from events import leases, log
from events.models import Job
from observability.db import run_sync
from security.ids import new_id
from tests.support.processes import sign_in

from .stage import TEXT, ScriptedAgent, Socket, play, running, socket

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_question_is_accepted_and_its_answer_streamed(alice):
    async def scenario():
        async with running(ScriptedAgent(pause=0.002)), socket(alice) as tab:
            accepted = await tab.ask("Why?", id="1", conversation=None)
            turn = accepted["turn_id"]
            assert accepted["type"] == "accepted"
            assert accepted["id"] == "1"
            await tab.until("message_completed")
            events = tab.events(turn)
            assert events[0]["kind"] == "turn_started"
            assert events[0]["data"] == {
                "turn_id": turn,
                "conversation_id": accepted["conversation_id"],
                "question_id": accepted["question_id"],
                "message_id": accepted["message_id"],
                "agent": {"slug": "documents", "name": "Documents"},
                "model": "",
                "takes_notes": False,
            }
            assert tab.text(turn) == TEXT
            seqs = [event["seq"] for event in events]
            assert seqs == sorted(set(seqs))
            starts = [event.get("from", event["seq"]) for event in events]
            assert all(start == last + 1 for last, start in zip(seqs, starts[1:], strict=False))
            # When the closing event is seen, the message is final.
            stored = await run_sync(Turn.objects.select_related("answer").get, pk=turn)
            assert stored.answer.text == TEXT

    play(scenario)


def test_a_second_tab_and_a_reload_see_every_character_once(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=20)
        async with running(agent), socket(alice) as first:
            turn = (await first.ask("Why?"))["turn_id"]
            await agent.held.wait()
            async with socket(alice) as second:
                await second.send(type="subscribe", stream=turn, after=0)
                await second.until("text_delta")
                lost = await Socket(await run_sync(sign_in, alice)).open()
                await lost.send(type="subscribe", stream=turn, after=0)
                last = (await lost.until("text_delta"))["seq"]
                await lost.close()
                agent.go_on.set()
                async with socket(alice) as back:
                    await back.send(type="subscribe", stream=turn, after=last)
                    for tab in (first, second, back):
                        await tab.until("message_completed")
                    assert first.text(turn) == second.text(turn) == TEXT
                    assert lost.text(turn) + back.text(turn) == TEXT
            async with socket(alice) as late:
                await late.send(type="subscribe", stream=turn, after=0)
                await late.until("message_completed")
                assert late.text(turn) == TEXT

    play(scenario)


def test_the_same_frame_twice_is_one_turn(alice):
    async def scenario():
        async with running(ScriptedAgent()), socket(alice) as tab:
            one = await tab.ask("Why?", id="same")
            two = await tab.ask("Why?", id="same")
            assert one["turn_id"] == two["turn_id"]
            reused = await tab.ask("Other?", id="same")
            assert (reused["type"], reused["problem"]) == ("refused", "idempotency-key-reused")
        assert await run_sync(Turn.objects.count) == 1

    play(scenario)


def test_stop_from_another_tab(alice, monkeypatch):
    """Heard of at once, not found out by the next look."""
    monkeypatch.setattr("chat.turns.runner.LOOK_SECONDS", 60)

    async def scenario():
        agent = ScriptedAgent(hold_after=3)
        async with running(agent), socket(alice) as one, socket(alice) as two:
            turn = (await one.ask("Why?"))["turn_id"]
            await agent.held.wait()
            await two.send(type="subscribe", stream=turn, after=0)
            for _ in range(2):
                await two.send(type="turn.stop", turn_id=turn)
            async with asyncio.timeout(20):
                await one.until("turn_stopped")
            await two.until("turn_stopped")
            assert one.text(turn) == two.text(turn) == "".join(agent.words[:3])

    play(scenario)


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        ({"type": "turn.start", "text": ""}, "empty-question"),
        ({"type": "turn.start", "text": 5}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "conversation": "no"}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "conversation": str(new_id())}, "not-found"),
        ({"type": "turn.start", "text": "x", "collections": [str(new_id())]}, "not-found"),
        ({"type": "turn.start", "text": "x", "collections": "all"}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "agent": "nobody"}, "not-found"),
        ({"type": "turn.start", "text": "x", "agent": ["a"]}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "id": {}}, "invalid-input"),
        ({"type": "turn.stop", "turn_id": str(new_id())}, "not-found"),
        ({"type": "subscribe", "stream": str(new_id())}, "not-found"),
        ({"type": "subscribe", "stream": 7}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "id": True}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "id": "a\0"}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "id": "1", "agent": "a\0"}, "invalid-input"),
        ({"type": "turn.start", "text": "x", "conversation": "\0"}, "invalid-input"),
        ({"type": "turn.start", "text": "\0", "id": "1"}, "empty-question"),
        ({"type": "subscribe", "stream": str(new_id()), "after": -1}, "invalid-input"),
        ({"type": "ack", "stream": str(new_id()), "seq": "x"}, "invalid-input"),
        ({"type": ["subscribe"]}, "invalid-input"),
        ({}, "invalid-input"),
    ],
)
def test_refusals_say_what_is_wrong(alice, frame, problem):
    async def scenario():
        async with socket(alice) as tab:
            await tab.send(**frame)
            refused = await tab.receive()
            assert (refused["type"], refused["problem"]) == ("refused", problem)
            assert refused["title"]
            assert refused["detail"]

    play(scenario)


def test_ping_and_broken_json(alice):
    async def scenario():
        async with socket(alice) as tab:
            await tab.send(type="ping")
            assert await tab.receive() == {"type": "pong"}
            deep = f'{{"type": "x", "id": {"[" * 300}{"]" * 300}}}'
            for raw in ("{", "[]", '"x"', deep):
                await tab.communicator.send_to(text_data=raw)
                assert (await tab.receive())["problem"] == "invalid-input"

    play(scenario)


def test_an_unknown_position_asks_for_a_reload(alice):
    async def scenario():
        async with running(ScriptedAgent()), socket(alice) as tab:
            turn = (await tab.ask("Why?"))["turn_id"]
            await tab.until("message_completed")
            await tab.send(type="subscribe", stream=turn, after=4711)
            assert (await tab.until("reload"))["stream"] == turn

    play(scenario)


def test_an_event_that_cannot_be_shown_asks_for_a_reload(alice, caplog):
    """Not silence: and the same socket goes on with other streams."""

    async def scenario():
        agent = ScriptedAgent(hold_after=0)
        async with running(agent), socket(alice) as tab:
            held = (await tab.ask("Why?"))["turn_id"]
            await agent.held.wait()
            broken = new_id()
            await run_sync(store_broken_stream, alice, broken)
            await tab.send(type="subscribe", stream=str(broken), after=0)
            assert (await tab.until("reload"))["stream"] == str(broken)
            agent.go_on.set()
            await tab.until("message_completed")
            assert tab.text(held) == TEXT

    play(scenario)
    assert sum("cannot be shown" in record.message for record in caplog.records) == 1


def store_broken_stream(user, stream_id):
    """A job's log in which something else than Parley wrote."""
    leases.open_stream(stream_id, "job")
    Job.objects.create(stream_id=stream_id, task="tests.nothing", owner_id=user.pk)
    claim = leases.claim_one(stream_id, "test")
    log.append(stream_id, claim.fence, [("retrieval_completed", {"passages": 7})], close=True)


def test_a_client_that_never_acknowledges_gets_few_joined_frames(alice, monkeypatch):
    monkeypatch.setattr(pump_module, "FRAME_SECONDS", 0.0)
    monkeypatch.setattr(pump_module, "WINDOW", 5)
    monkeypatch.setattr(pump_module, "SLOW_SECONDS", 0.3)

    async def scenario():
        words = [f"{n} " for n in range(200)]
        async with running(ScriptedAgent(words, pause=0.003)), socket(alice, acks=False) as tab:
            turn = (await tab.ask("Long?"))["turn_id"]
            await tab.until("message_completed")
            assert tab.text(turn) == "".join(words)
            assert len(tab.events(turn)) < 20

    play(scenario)


def test_beyond_the_limit_a_stream_waits_for_its_client(alice, monkeypatch):
    monkeypatch.setattr(pump_module, "FRAME_SECONDS", 0.0)
    monkeypatch.setattr(pump_module, "WINDOW", 3)
    monkeypatch.setattr(pump_module, "LIMIT", 3)

    async def scenario():
        agent = ScriptedAgent(pause=0.02)
        async with running(agent), socket(alice, acks=False) as tab:
            turn = (await tab.ask("Long?"))["turn_id"]
            for _ in range(3):
                frame = await tab.until("event")
            await agent.closed.wait()
            assert await tab.communicator.receive_nothing(timeout=0.3)
            tab.acks = True
            await tab.send(type="ack", stream=turn, seq=frame["seq"])
            await tab.until("message_completed")
            assert tab.text(turn) == TEXT
            assert len(tab.events(turn)) < 12

    play(scenario)


def test_unsubscribing(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent), socket(alice) as tab:
            turn = (await tab.ask("Why?"))["turn_id"]
            await tab.until("text_delta")
            await tab.send(type="unsubscribe", stream=turn)
            await tab.send(type="ping")
            await tab.until("pong")
            agent.go_on.set()
            assert await tab.communicator.receive_nothing(timeout=0.3)

    play(scenario)
