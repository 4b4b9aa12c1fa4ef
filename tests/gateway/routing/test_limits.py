"""As many requests at once as an endpoint takes: in one process, over processes, without Redis."""

import asyncio
import os
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import EndpointBusy
from gateway.routing import shared as sharing
from gateway.routing import state
from gateway.routing.admission import Gate
from gateway.routing.health import Health
from gateway.routing.shared import Shared
from observability.doorbell import connection
from tests.support.model_server import Script

ASKER = Path(__file__).with_name("asker.py")


class Door:
    """A gate whose leases go back at once, and the most that were in at a time."""

    def __init__(self, limit, *, is_shared=True, endpoint=None, url=""):
        self.endpoint = endpoint or uuid.uuid4()
        self.health = Health()
        self.shared = Shared(url) if is_shared else None
        self.gate = Gate(self.endpoint, self.health, self.shared, self._release)
        self.gate.limit = limit
        self.inside = self.most = 0
        self.order = []
        self._releasing = set()

    def _release(self, endpoint, lease):
        task = asyncio.ensure_future(self._give_back(endpoint, lease))
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)

    async def _give_back(self, endpoint, lease):
        await self.shared.execute([("ZREM", state.key(endpoint, "leases"), lease)])

    async def pass_through(self, account, seconds=0.01, patience=60):
        async with self.gate.slot(account, patience):
            self.order.append(account)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= 1

    async def close(self):
        await asyncio.gather(*self._releasing)
        if self.shared:
            self.shared.close()


def held(endpoint):
    return connection().zcard(state.key(endpoint, "leases"))


def spare(endpoint):
    return connection().zcard(state.key(endpoint, "spares"))


async def enter_at_once(door):
    """A slot that was entered without waiting for anything."""
    slot = door.gate.slot("next", 1)
    with pytest.raises(StopIteration):
        slot.__aenter__().send(None)
    return slot


async def restocked(door):
    if door.gate._stocking is not None:
        await door.gate._stocking


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_limit_holds_and_everybody_comes_in(is_shared):
    async def scenario():
        door = Door(3, is_shared=is_shared)
        await asyncio.gather(*(door.pass_through(n) for n in range(30)))
        await door.close()
        return door

    door = asyncio.run(scenario())
    assert (door.most, len(door.order), door.health.in_flight) == (3, 30, 0)
    assert held(door.endpoint) == 0


@pytest.mark.parametrize("is_shared", [True, False])
def test_accounts_take_turns_in_the_queue(is_shared):
    async def scenario():
        door = Door(1, is_shared=is_shared)
        calls = [door.pass_through("first", 0.2)]
        calls += [door.pass_through("greedy") for _ in range(8)]
        calls += [door.pass_through("modest")]
        await asyncio.gather(*calls)
        await door.close()
        return door.order

    assert asyncio.run(scenario()).index("modest") <= 2


def test_who_waits_too_long_is_told_and_leaves_nothing_behind():
    async def scenario():
        door = Door(1)
        async with door.gate.slot("one", 60):
            with pytest.raises(EndpointBusy, match="came free within 1 second") as raised:
                await door.pass_through("two", patience=0.2)
            leaving = asyncio.create_task(door.pass_through("three"))
            await asyncio.sleep(0.1)
            waiting = state.read_states([door.endpoint])[door.endpoint]
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        await door.pass_through("four")
        await door.close()
        return door, raised.value, waiting

    door, error, waiting = asyncio.run(scenario())
    assert (error.may_switch, error.is_transient) == (True, False)
    assert (waiting.in_flight, waiting.waiting) == (1, 1)
    assert (door.order, held(door.endpoint), door.health.in_flight) == (["four"], 0, 0)


def test_long_answers_keep_their_lease(monkeypatch):
    monkeypatch.setattr(sharing, "LEASE_SECONDS", 0.6)

    async def scenario():
        door, other = Door(1), None
        async with door.gate.slot("long", 60):
            await asyncio.sleep(1.5)
            other = Door(1, endpoint=door.endpoint)
            with pytest.raises(EndpointBusy):
                await other.pass_through("next", patience=0.3)
        await door.close()
        await other.pass_through("next")
        await other.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere.sock"])
def test_without_redis_the_limit_holds_within_the_process(url):
    async def scenario():
        door = Door(2, url=url)
        await asyncio.gather(*(door.pass_through(n) for n in range(10)))
        await door.close()
        return door

    door = asyncio.run(scenario())
    assert (door.most, len(door.order)) == (2, 10)


def test_a_frozen_redis_costs_a_moment_once():
    """A listener that never answers."""

    async def scenario():
        server = await asyncio.start_server(lambda _r, _w: asyncio.sleep(60), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        door = Door(2, url=f"redis://127.0.0.1:{port}/0")
        began = time.monotonic()
        await asyncio.gather(*(door.pass_through(n) for n in range(10)))
        took = time.monotonic() - began
        await door.close()
        server.close()
        return door.most, took

    most, took = asyncio.run(scenario())
    assert most == 2
    assert took < 10


@contextmanager
def askers(model_server, endpoint, limit, *calls, lease=30):
    """Processes that have started and wait for the word to ask."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
    processes = [
        subprocess.Popen(
            [sys.executable, ASKER, *map(str, (model_server.url, endpoint, limit, n, lease))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for n in calls
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def ask(process):
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.processes
def test_the_limit_holds_over_processes(model_server):
    model_server.default = Script(text="a short answer", delay=0.01)
    endpoint = uuid.uuid4()
    with askers(model_server, endpoint, 3, 15, 15) as processes:
        for process in processes:
            ask(process)
        outcomes = [process.communicate(timeout=120)[0].split() for process in processes]
    assert outcomes == [["completed"] * 15] * 2
    assert len(model_server.chat_requests) == 30
    assert model_server.most_answering <= 3
    assert held(endpoint) == 0


@pytest.mark.processes
def test_the_leases_of_a_killed_process_end(model_server):
    model_server.default = Script(hang_after=2)
    endpoint = uuid.uuid4()
    with askers(model_server, endpoint, 2, 2, 2, lease=2) as (killed, other):
        ask(killed)
        assert model_server.wait_for(lambda s: s.answering == 2, 30)
        model_server.default = Script()
        ask(other)
        assert not model_server.wait_for(lambda s: len(s.chat_requests) > 2, 1)
        killed.kill()
        assert other.communicate(timeout=60)[0].split() == ["completed"] * 2
    assert len(model_server.chat_requests) == 4


def test_of_an_endpoint_that_is_half_free_who_comes_next_waits_for_no_round_trip():
    async def scenario():
        door = Door(64)
        await door.pass_through("first")
        slots = []
        for _ in range(5):
            slots.append(await enter_at_once(door))
            await restocked(door)
        told = door.health.in_flight, held(door.endpoint), spare(door.endpoint)
        ends = connection().zrange(state.key(door.endpoint, "spares"), 0, -1, withscores=True)
        for slot in slots:
            await slot.__aexit__(None, None, None)
        await door.close()
        return door, told, [score / 1000 for _name, score in ends]

    began = time.time()
    door, told, ends = asyncio.run(scenario())
    assert told == (5, 5, 2)
    assert held(door.endpoint) == 0
    assert all(began < end < time.time() + sharing.SPARE_SECONDS for end in ends)


def test_nothing_is_kept_in_stock_of_an_endpoint_that_is_half_used():
    async def scenario():
        door = Door(64)
        slots = []
        for _ in range(40):
            slots.append(door.gate.slot("many", 5))
            await slots[-1].__aenter__()
            await restocked(door)
        found = held(door.endpoint), spare(door.endpoint), len(door.gate._stock)
        for slot in slots:
            await slot.__aexit__(None, None, None)
        await door.close()
        return found

    assert asyncio.run(scenario()) == (40, 0, 0)


def test_what_ends_before_redis_heard_of_it_is_held_by_nobody():
    async def scenario():
        door = Door(64)
        await door.pass_through("first")
        slot = await enter_at_once(door)
        await slot.__aexit__(None, None, None)
        slot = await enter_at_once(door)
        await asyncio.sleep(0)  # now it is being told
        await slot.__aexit__(None, None, None)
        await restocked(door)
        await door.close()
        return door

    door = asyncio.run(scenario())
    assert held(door.endpoint) == door.health.in_flight == 0
    assert spare(door.endpoint) <= 2


def test_the_limit_holds_over_processes_that_keep_some_in_stock():
    inside, most = 0, 0

    async def pass_through(door, n):
        nonlocal inside, most
        async with door.gate.slot(n % 7, 60):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.02)
            inside -= 1

    async def scenario():
        endpoint = uuid.uuid4()
        doors = [Door(64, endpoint=endpoint) for _ in range(4)]
        for n in range(20):  # one after the other: all of them have a stock
            await pass_through(doors[n % 4], n)
        await asyncio.gather(*(pass_through(doors[n % 4], n) for n in range(600)))
        for door in doors:
            await restocked(door)
            await door.close()
        return endpoint

    endpoint = asyncio.run(scenario())
    assert 48 <= most <= 64
    assert held(endpoint) == 0
