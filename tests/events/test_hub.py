"""Live events through a real Redis, the rest from a real Postgres."""

import asyncio

import pytest
from asgiref.sync import async_to_sync

from events import doorbell, leases, log
from events import hub as hub_module
from events.cancelling import cancel_all
from events.hub import Hub
from events.types import CannotReplay, EventRow
from events.writer import EventWriter
from observability.db import run_sync
from observability.redis_line import Line
from security.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)


def delta(text):
    return ("text_delta", {"text": text})


class Runner:
    """The writing side: a writer on real servers, and an ear for those who watch."""

    def __init__(self):
        self.line = Line()
        self.writer = EventWriter(lambda *args: doorbell.publish(self.line, *args))
        self.tasks = [
            asyncio.create_task(self.writer.run()),
            asyncio.create_task(self.listen()),
        ]
        self.heard = asyncio.Event()

    async def listen(self):
        async for channel, message in doorbell.listen(doorbell.RUNNERS):
            if channel == "":
                self.heard.set()
            elif "watch" in message:
                self.writer.watch(message["web"], message["watch"])

    async def close(self):
        await cancel_all(self.tasks)
        self.line.close()


def play(scenario):
    async def run():
        hub, runner = Hub(), Runner()
        try:
            async with asyncio.timeout(20):
                await runner.heard.wait()
                await scenario(hub, runner)
        finally:
            await hub.close()
            await runner.close()

    async_to_sync(run)()


async def new_claim():
    stream = await run_sync(leases.open_stream, new_id(), "turn")
    return await run_sync(leases.claim_one, stream.id, "runner")


async def finish(runner, stream):
    await stream.drain()
    seq = await run_sync(
        log.append, stream.claim.stream_id, stream.claim.fence, [("turn_stopped", {})], close=True
    )
    runner.writer.close(stream, [EventRow(seq, "turn_stopped", {}, is_last=True)])


async def collect(subscription):
    return [row async for row in subscription]


def texts(rows):
    return "".join(row.payload.get("text", "") for row in rows)


def test_two_tabs_and_a_late_one_see_the_same_answer():
    async def scenario(hub, runner):
        claim = await new_claim()
        early = [asyncio.create_task(collect(hub.subscribe(claim.stream_id))) for _ in range(2)]
        stream = runner.writer.open(claim, lambda: None)
        words = [f"{n} " for n in range(60)]
        for n, word in enumerate(words):
            stream.emit_text("text_delta", word)
            if n == 30:
                late = asyncio.create_task(collect(hub.subscribe(claim.stream_id)))
            await asyncio.sleep(0.005)
        await finish(runner, stream)
        for task in (*early, late):
            rows = await task
            assert texts(rows) == "".join(words)
            assert rows[-1] == EventRow(rows[-1].seq, "turn_stopped", {}, is_last=True)

    play(scenario)


def test_without_redis_the_tick_finds_everything(monkeypatch):
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.1)

    async def scenario(hub, runner):
        claim = await new_claim()
        following = asyncio.create_task(collect(hub.subscribe(claim.stream_id, is_new=True)))
        await asyncio.sleep(0)
        # Nobody rings: these go into the log only, as when Redis is away.
        await run_sync(log.append, claim.stream_id, claim.fence, [delta("one "), delta("two")])
        await run_sync(log.append, claim.stream_id, claim.fence, [("turn_stopped", {})], close=True)
        assert texts(await following) == "one two"

    play(scenario)


def test_duplicate_and_reordered_doorbells_do_no_harm():
    async def scenario(hub, runner):
        claim = await new_claim()
        subscription = hub.subscribe(claim.stream_id)
        following = asyncio.create_task(collect(subscription))
        await run_sync(
            log.append, claim.stream_id, claim.fence, [delta("a"), delta("b"), delta("c")]
        )
        key = str(claim.stream_id)
        for seq, text in ((3, "c"), (1, "a"), (3, "c"), (2, "b")):
            hub._hear_live([[key, seq, *delta(text), False]])
            await asyncio.sleep(0.01)
        seq = await run_sync(
            log.append, claim.stream_id, claim.fence, [("turn_stopped", {})], close=True
        )
        hub._hear_live([[key, seq, "turn_stopped", {}, True]])
        rows = await following
        assert [row.seq for row in rows] == [1, 2, 3, 4]
        assert texts(rows) == "abc"

    play(scenario)


def test_unknown_and_deleted_streams_ask_for_a_reload(monkeypatch):
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.05)

    async def scenario(hub, runner):
        with pytest.raises(CannotReplay):
            await collect(hub.subscribe(new_id()))
        claim = await new_claim()
        following = asyncio.create_task(collect(hub.subscribe(claim.stream_id)))
        await asyncio.sleep(0.1)
        await run_sync(leases.delete, [claim.stream_id])
        with pytest.raises(CannotReplay):
            await following

    play(scenario)


def test_what_a_killed_runner_rang_but_did_not_store_is_never_mixed_with_its_successor():
    async def scenario(hub, runner):
        claim = await new_claim()
        subscription = hub.subscribe(claim.stream_id)
        await run_sync(log.append, claim.stream_id, claim.fence, [delta("stored ")])
        key = str(claim.stream_id)
        assert texts(await subscription.batch()) == "stored "
        hub._hear_live([[key, 2, *delta("rung only"), False]])
        assert texts(await subscription.batch()) == "rung only"
        await run_sync(leases.release, claim.stream_id, claim.fence)
        successor = await run_sync(leases.claim_one, claim.stream_id, "b")
        seq = await run_sync(log.append, claim.stream_id, successor.fence, [delta("anew")])
        hub._hear_live([[key, seq, *delta("anew"), False]])
        with pytest.raises(CannotReplay):
            await subscription.batch()

    play(scenario)
