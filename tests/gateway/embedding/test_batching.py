"""`gateway.embedding.batching`: who goes together, when, and nobody suffers for a neighbour."""

import asyncio
from collections import Counter
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.embedding.batching import REQUEST_CHARACTERS, REQUEST_TEXTS, Batcher
from gateway.errors import BadRequest, ContextOverflow, EndpointBusy, UpstreamFailed
from gateway.routing.board import close_board
from gateway.routing.errand import Trip
from gateway.types import NOBODY, Payer, Route, TokenUsage

ALICE, BOB = Payer(uuid4()), Payer(uuid4())


class Upstream:
    """Says of each text what it is; `bad` ones are refused, and nothing comes while it is shut."""

    def __init__(self, *bad, error=BadRequest, limit=0):
        self.calls, self.rows = [], []
        self.bad, self.error = set(bad), error
        self.open = asyncio.Event()
        self.open.set()
        self.stopped = 0
        self.route = Route(
            "m", "up", "E", f"http://{uuid4()}", max_concurrency=limit, queue_timeout=0.2
        )
        self.batcher = Batcher(self.send)

    async def send(self, _route, texts):
        self.calls.append(list(texts))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.bad & set(texts):
            raise self.error("one of them")
        vectors = np.array([[float(text), 1.0] for text in texts], np.float32)
        return vectors, TokenUsage(prompt_tokens=10 * len(texts))

    async def record(self, call, shares):
        self.rows.append((call, dict(shares)))

    def embed(self, *texts, payer=NOBODY):
        asked = self.batcher.embed(
            Trip(self.route, 1, "First."), [str(text) for text in texts], payer, self.record
        )
        return asyncio.ensure_future(asked)

    async def until(self, condition):
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - turns of the loop, no time
                await asyncio.sleep(0)


def run(scene):
    async def play():
        try:
            await scene()
        finally:
            await close_board()

    asyncio.run(play())


def numbers(vectors):
    return [int(row[0]) for row in vectors]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 30), min_size=1, max_size=REQUEST_TEXTS),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=20,
    ),
    st.sets(st.integers(25, 30), max_size=3),
)
def test_everybody_gets_their_own_in_their_order(orders, bad):
    """Whoever comes when, leaves or is refused: who stays has all of theirs or their error."""

    async def scene():
        upstream = Upstream(*map(str, bad))
        asked = []
        for texts, ticks, leaves in orders:
            task = upstream.embed(*texts)
            asked.append((task, texts, leaves))
            for _ in range(ticks):
                await asyncio.sleep(0)
            if leaves:
                task.cancel()
        found = await asyncio.gather(*(task for task, *_ in asked), return_exceptions=True)
        for outcome, (_, texts, leaves) in zip(found, asked, strict=True):
            if isinstance(outcome, asyncio.CancelledError):
                assert leaves
            elif isinstance(outcome, BadRequest):
                assert bad & set(texts)
            else:
                assert numbers(outcome) == texts
                assert not bad & set(texts)
        assert all(len(call) <= REQUEST_TEXTS for call in upstream.calls)

    run(scene)


def test_an_idle_deployment_is_asked_at_once_and_meanwhile_others_gather():
    async def scene():
        upstream = Upstream()
        upstream.batcher.seconds = 3600.0  # so that nobody's patience ends …
        upstream.open.clear()
        first = upstream.embed(0)
        await upstream.until(lambda: upstream.calls == [["0"]])
        others = [upstream.embed(n) for n in range(1, 11)]
        upstream.open.set()
        found = await asyncio.gather(first, *others)
        assert [numbers(vectors) for vectors in found] == [[n] for n in range(11)]
        assert upstream.calls == [["0"], [str(n) for n in range(1, 11)]]

    run(scene)


def test_who_has_gathered_waits_for_a_bounded_time_and_not_for_a_full_request():
    async def scene():
        upstream = Upstream()
        upstream.open.clear()
        stuck = upstream.embed(0)
        await upstream.until(lambda: len(upstream.calls) == 1)
        late = [upstream.embed(n) for n in (1, 2)]
        await upstream.until(lambda: len(upstream.calls) == 2)  # though the first is still out
        full = [upstream.embed(n) for n in range(REQUEST_TEXTS)]
        await upstream.until(lambda: len(upstream.calls) == 3)
        upstream.open.set()
        await asyncio.gather(stuck, *late, *full)
        assert [len(call) for call in upstream.calls] == [1, 2, REQUEST_TEXTS]

    run(scene)


def test_long_texts_do_not_make_a_request_too_large():
    async def scene():
        upstream = Upstream()
        long = "1".zfill(REQUEST_CHARACTERS // 3)
        asked = [upstream.embed(long) for _ in range(4)]
        await asyncio.gather(*asked)
        assert [len(call) for call in upstream.calls] == [3, 1]

    run(scene)


@pytest.mark.parametrize("error", [BadRequest, ContextOverflow])
def test_one_refused_text_fails_its_own_caller_alone(error):
    async def scene():
        upstream = Upstream("13", error=error)
        asked = [upstream.embed(n) for n in range(32)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [n for n, one in enumerate(found) if isinstance(one, error)] == [13]
        assert [numbers(one) for n, one in enumerate(found) if n != 13] == [
            [n] for n in range(32) if n != 13
        ]
        assert len(upstream.calls) == 1 + 2 * 5  # halved until it stands alone

    run(scene)


def test_a_server_that_fails_is_everybodys_affair_and_asked_once():
    async def scene():
        upstream = Upstream("0", error=UpstreamFailed)
        found = await asyncio.gather(*map(upstream.embed, range(8)), return_exceptions=True)
        assert {type(one) for one in found} == {UpstreamFailed}
        assert len(upstream.calls) == 1

    run(scene)


def test_who_leaves_takes_nothing_along_and_the_last_one_stops_the_call():
    async def scene():
        upstream = Upstream()
        upstream.open.clear()
        one, other = upstream.embed(1), upstream.embed(2)
        await upstream.until(lambda: upstream.calls)
        one.cancel()
        await asyncio.wait([one])
        assert not upstream.stopped
        upstream.open.set()
        assert numbers(await other) == [2]
        upstream.open.clear()
        third, fourth = upstream.embed(3), upstream.embed(4)
        await upstream.until(lambda: len(upstream.calls) == 2)
        third.cancel()
        fourth.cancel()
        await upstream.until(lambda: len(upstream.rows) == 2)
        assert upstream.stopped == 1
        assert [call.outcome for call, _ in upstream.rows] == ["completed", "cancelled"]
        upstream.open.set()
        assert numbers(await upstream.embed(5)) == [5]  # and the batcher goes on

    run(scene)


def test_a_door_that_stays_shut_is_busy_and_what_waits_there_goes_together():
    async def scene():
        upstream = Upstream(limit=1)
        upstream.open.clear()
        first = upstream.embed(0)
        await upstream.until(lambda: upstream.calls)
        waiting = [upstream.embed(n) for n in (1, 2, 3)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in found} == {EndpointBusy}
        upstream.open.set()
        await first
        assert [call.outcome for call, _ in upstream.rows] == ["endpoint_busy", "completed"]

    run(scene)


def test_a_call_is_counted_by_payers_and_says_why():
    async def scene():
        upstream = Upstream()
        await asyncio.gather(upstream.embed(10, 11, payer=ALICE), upstream.embed(1, payer=BOB))
        ((call, shares),) = upstream.rows
        assert Counter(shares) == {ALICE: 4, BOB: 1}
        assert call.usage.prompt_tokens == 30
        assert call.why == "Vectors of 3 texts. First."

    run(scene)
