import asyncio

import orjson
import pytest
from django import db

from events import writer as writer_module
from events.stream_writer import LONGEST_DELTA
from events.types import Claim, EventRow, LeaseLost
from events.writer import EventWriter
from security.ids import new_id


class Record:
    """What the writer is given to store with and to ring with."""

    def __init__(self):
        self.batches = []
        self.rung = []
        self.outdated = set()
        self.failures = []
        self.is_asked, self.may_store = asyncio.Event(), asyncio.Event()
        self.may_store.set()

    async def store(self, batches):
        self.is_asked.set()
        await self.may_store.wait()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(list(batches))
        return {batch.stream_id for batch in batches} - self.outdated

    async def publish(self, channel, message):
        self.rung.append((channel, orjson.loads(message)))

    def rows(self, stream_id):
        return [
            row
            for batches in self.batches
            for batch in batches
            if batch.stream_id == stream_id
            for row in batch.rows
        ]


def play(scenario):
    """Run `scenario(record, writer)` with the writer running."""

    async def run():
        record = Record()
        writer = EventWriter(record.publish, record.store)
        running = asyncio.create_task(writer.run())
        try:
            async with asyncio.timeout(10):
                await scenario(record, writer)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def claimed(fence=1):
    return Claim(new_id(), fence, 1, 0)


def opened(writer, claim=None):
    return writer.open(claim or claimed(), lambda: None)


def test_deltas_of_one_tick_are_one_event_and_the_order_is_kept():
    async def scenario(record, writer):
        stream = opened(writer)
        writer.watch("w", [stream.key])
        stream.emit("turn_started", {"agent": "documents"})
        for word in ("The ", "sky", " is"):
            stream.emit_text("text_delta", word)
        stream.emit("citation_added", {"n": 1})
        stream.emit_text("text_delta", " blue\0.")
        await stream.drain()
        stored = record.rows(stream.claim.stream_id)
        assert [(row.seq, row.kind, row.payload.get("text")) for row in stored] == [
            (1, "turn_started", None),
            (2, "text_delta", "The sky is"),
            (3, "citation_added", None),
            (4, "text_delta", " blue."),
        ]
        live = [EventRow(*row[1:]) for channel, rows in record.rung for row in rows if row[2]]
        assert {channel for channel, _ in record.rung} == {"parley:web:w"}
        assert live == stored

    play(scenario)


def test_a_flood_is_several_events_none_of_them_long():
    async def scenario(record, writer):
        stream = opened(writer)
        text = "天" * (2 * LONGEST_DELTA + 1)
        stream.emit_text("text_delta", text)
        await stream.drain()
        told = [row.payload["text"] for row in record.rows(stream.claim.stream_id)]
        assert "".join(told) == text
        assert [len(part) for part in told] == [LONGEST_DELTA, LONGEST_DELTA, 1]

    play(scenario)


def test_first_words_are_rung_at_once_and_later_ones_wait_for_the_tick(monkeypatch):
    monkeypatch.setattr(writer_module, "TICK_SECONDS", 0.05)

    async def scenario(record, writer):
        stream = opened(writer)
        writer.watch("w", [stream.key])
        await asyncio.sleep(0.06)
        record.rung.clear()
        stream.emit_text("text_delta", "first")
        for _ in range(5):
            await asyncio.sleep(0)
        assert [rows[0][3] for _, rows in record.rung] == [{"text": "first"}]
        stream.emit_text("text_delta", " second")
        stream.emit_text("text_delta", " third")
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(record.rung) == 1
        await asyncio.sleep(0.08)
        assert record.rung[1][1][0][3] == {"text": " second third"}

    play(scenario)


def test_who_was_silent_for_half_a_window_does_not_wait_for_the_tick(monkeypatch):
    monkeypatch.setattr(writer_module, "TICK_SECONDS", 5.0)

    async def scenario(record, writer):
        stream = opened(writer)
        writer.watch("w", [stream.key])
        await asyncio.sleep(0.01)
        record.rung.clear()
        stream.emit_text("text_delta", "first")
        await asyncio.sleep(0.05)
        writer._tick()  # a tick has just been: the next is a window away
        stream.told_at -= 2.5  # as if it had been silent as long
        stream.emit_text("text_delta", " second")
        await asyncio.sleep(0.05)
        stream.emit_text("text_delta", " third")
        await asyncio.sleep(0.05)
        assert [rows[0][3]["text"] for _, rows in record.rung] == ["first", " second"]

    play(scenario)


def test_one_message_a_tick_carries_all_streams_of_a_web_process():
    async def scenario(record, writer):
        streams = [opened(writer) for _ in range(writer_module.MOST_A_TICK)]
        writer.watch("w", [stream.key for stream in streams])
        for stream in streams:
            stream.emit_text("text_delta", "first")
        await asyncio.sleep(0.05)
        record.rung.clear()
        for stream in streams:
            stream.emit_text("text_delta", "more")
        await asyncio.sleep(0.05)
        assert [len(rows) for _, rows in record.rung] == [len(streams)]

    play(scenario)


def test_of_many_streams_a_share_is_told_at_once_and_all_within_a_window():
    async def scenario(record, writer):
        streams = [opened(writer) for _ in range(2 * writer_module.MOST_A_TICK + 20)]
        writer.watch("w", [stream.key for stream in streams])
        for stream in streams:
            stream.emit_text("text_delta", "first")
        await asyncio.sleep(0.2)
        record.rung.clear()
        for stream in streams:
            stream.emit_text("text_delta", "more")
        await asyncio.sleep(1.0)  # many windows
        most = 2 * writer_module.MOST_A_TICK  # those who were silent, and a tick behind them
        assert max(len(rows) for _, rows in record.rung) <= most
        assert len({row[0] for _, rows in record.rung for row in rows}) == len(streams)

    play(scenario)


def test_many_streams_share_a_batch():
    async def scenario(record, writer):
        streams = [opened(writer) for _ in range(50)]
        for stream in streams:
            stream.emit_text("text_delta", "x")
        await asyncio.gather(*(stream.drain() for stream in streams))
        assert len(record.batches) == 1

    play(scenario)


def test_who_stores_the_end_stores_the_last_events_with_it():
    async def scenario(record, writer):
        stream = opened(writer)
        writer.watch("w", [stream.key])
        stream.emit_text("text_delta", "stored")
        await stream.drain()
        stream.emit("usage_recorded", {})
        assert [row.seq for row in await stream.last_rows()] == [2]
        await asyncio.sleep(0.2)
        assert [row.seq for row in record.rows(stream.claim.stream_id)] == [1]
        assert [row[1] for _, rows in record.rung for row in rows if row[2]] == [1, 2]
        assert all(record.batches)

    play(scenario)


def test_last_events_wait_for_what_is_on_its_way_to_the_log():
    async def scenario(record, writer):
        record.may_store.clear()
        stream = opened(writer)
        stream.emit_text("text_delta", "first")
        await record.is_asked.wait()
        stream.emit("usage_recorded", {})
        last = asyncio.create_task(stream.last_rows())
        await asyncio.sleep(0.02)
        assert not last.done()
        record.may_store.set()
        assert [row.seq for row in await last] == [2]

    play(scenario)


def test_last_events_of_a_stream_that_was_lost_are_nobodys():
    async def scenario(record, writer):
        claim = claimed()
        stream = opened(writer, claim)
        record.outdated.add(claim.stream_id)
        stream.emit_text("text_delta", "first")
        await record.is_asked.wait()
        with pytest.raises(LeaseLost):
            await stream.last_rows()

    play(scenario)


def test_an_outdated_fence_is_told_once_and_stops_the_stream():
    async def scenario(record, writer):
        lost = []
        claim = claimed()
        stream = writer.open(claim, lambda: lost.append(claim.stream_id))
        record.outdated.add(claim.stream_id)
        stream.emit("turn_started", {})
        with pytest.raises(LeaseLost):
            await stream.drain()
        stream.emit("more", {})
        with pytest.raises(LeaseLost):
            await stream.drain()
        assert lost == [claim.stream_id]
        assert len(record.batches) == 1

    play(scenario)


def test_postgres_being_away_is_waited_out(monkeypatch):
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.01)

    async def scenario(record, writer):
        record.failures = [db.OperationalError("gone"), db.InterfaceError("closed")]
        stream = opened(writer)
        stream.emit_text("text_delta", "kept")
        await stream.drain()
        assert [row.payload["text"] for row in record.rows(stream.claim.stream_id)] == ["kept"]

    play(scenario)


def test_one_stream_that_cannot_be_stored_does_not_hold_up_the_others():
    async def scenario(record, writer):
        bad, good = opened(writer), opened(writer)
        record.failures = [db.DataError("together"), db.DataError("alone")]
        bad.emit("turn_started", {})
        good.emit("turn_started", {})
        await asyncio.gather(good.drain(), bad.drain(), return_exceptions=True)
        assert bad.is_lost
        assert record.rows(good.claim.stream_id)

    play(scenario)


def test_a_new_watcher_is_sent_what_the_log_does_not_have_yet():
    async def scenario(record, writer):
        stream = opened(writer)
        stream.emit("turn_started", {})
        await stream.drain()
        stream.emit_text("text_delta", "fresh")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        writer.watch("w", [stream.key, str(new_id())])
        writer.watch("w", [stream.key])
        await asyncio.sleep(0.01)
        assert [row[1:4] for _, rows in record.rung for row in rows] == [
            [2, "text_delta", {"text": "fresh"}]
        ]
        await stream.drain()
        writer.watch("other", [stream.key])
        await asyncio.sleep(0.01)
        assert record.rung[-1] == ("parley:web:other", [[stream.key, 2, "", {}, False]])

    play(scenario)


def test_whoever_comes_too_late_to_watch_is_told_how_it_ended():
    async def scenario(record, writer):
        stream = opened(writer)
        stream.emit_text("text_delta", "quick")
        await stream.drain()
        writer.close(stream, [EventRow(2, "message_completed", {}, is_last=True)])
        writer.watch("w", [stream.key])
        await asyncio.sleep(0.01)
        assert record.rung[-1] == ("parley:web:w", [[stream.key, 2, "", {}, True]])

    play(scenario)


def test_watchers_that_say_nothing_are_forgotten(monkeypatch):
    monkeypatch.setattr(writer_module, "WATCH_SECONDS", -1.0)

    async def scenario(record, writer):
        stream = opened(writer)
        writer.watch("w", [stream.key])
        writer.forget_watchers()
        record.rung.clear()
        stream.emit("turn_started", {})
        await stream.drain()
        assert not [row for _, rows in record.rung for row in rows if row[2]]

    play(scenario)


def test_closing_rings_the_last_event_after_all_others():
    async def scenario(record, writer):
        stream = opened(writer, claimed(fence=3))
        writer.watch("w", [stream.key])
        stream.emit_text("text_delta", "x")
        await stream.drain()
        writer.close(stream, [EventRow(stream.seq + 1, "message_completed", {}, is_last=True)])
        stream.emit_text("text_delta", "too late")
        await asyncio.sleep(0.03)
        rows = [row for _, rows in record.rung for row in rows if row[2]]
        assert [(row[1], row[4]) for row in rows] == [(2_000_001, False), (2_000_002, True)]

    play(scenario)
