"""Several Redis servers share the keys as a cluster; one that dies takes its own share only."""

import asyncio
import time

import pytest

from caching import servers
from caching.figures import read_figures
from caching.shelf import prefix
from tests.caching.conftest import OwnRedis, counted, listening, run, until

pytestmark = pytest.mark.processes
SLOTS = 16_384


@pytest.fixture
def nodes(tmp_path, settings, monkeypatch):
    """Three servers, a third of the slots each."""
    options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    begun = []
    for n in range(3):
        own = ("--cluster-config-file", f"nodes-{n}.conf", "--cluster-node-timeout", "60000")
        begun.append(OwnRedis(tmp_path / str(n), *options, *own))
    for n, node in enumerate(begun):
        share = range(n * SLOTS // 3, (n + 1) * SLOTS // 3)
        node.client.execute_command("CLUSTER ADDSLOTS", *share)
        node.client.execute_command("CLUSTER MEET", "127.0.0.1", begun[0].port)
    deadline = time.monotonic() + 60
    while not all(knows_all(node) and covers(node) for node in begun):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    settings.PARLEY_CACHE_URLS = [node.url for node in begun[:2]]  # the third is found
    yield begun
    for node in begun:
        node.end()


def knows_all(node):
    """Also by a connection: a bell that rings before there is one is not heard over there."""
    known = node.client.cluster("NODES").values()
    return len(known) == 3 and all(other["connected"] for other in known)


def covers(node):
    info = node.client.cluster("INFO")
    return info["cluster_state"] == "ok" and info["cluster_slots_assigned"] == str(SLOTS)


def test_every_server_has_a_share_and_flushes_and_bells_reach_all(nodes):
    ask, calls = counted("test-cluster", scope=lambda x: f"even:{x % 2}", near=600, ttl=600)

    async def ask_all():
        await asyncio.gather(*(ask(x) for x in range(60)))

    async def work():
        await listening()
        await ask_all()
        await ask_all()
        assert len(calls) == 60
        assert all(node.client.dbsize() > 0 for node in nodes)
        assert await asyncio.to_thread(ask.flush, "even:0")
        await ask_all()
        assert len(calls) == 90
        assert await asyncio.to_thread(ask.flush)
        await ask_all()
        assert len(calls) == 150

    run(work())
    run(ask_all())  # what knows nothing finds it there
    assert len(calls) == 150
    (found,) = (figures for figures in read_figures() if figures.name == "test-cluster")
    assert found.entries == 60
    assert found.miss >= 150  # the library asks again when a connection breaks
    assert found.hit >= 60


def test_a_bell_is_heard_over_the_whole_cluster(nodes, monkeypatch):
    monkeypatch.setattr("caching.cache.POLL_SECONDS", 50)  # the bell is faster
    ask, _ = counted("test-bells", near=0)
    go = asyncio.Event()

    async def slow():
        await go.wait()
        return "made"

    async def work():
        await listening()
        mine = [asyncio.create_task(ask.cache.fetch(x, slow)) for x in range(20)]
        await until(lambda: all(held(nodes, ask.cache.field_of(x)) for x in range(20)))
        theirs = asyncio.create_task(asyncio.to_thread(run, ask_the_same()))
        await until(lambda: all(awaited(nodes, ask.cache.field_of(x)) for x in range(20)))
        go.set()
        assert await asyncio.gather(*mine) == ["made"] * 20
        assert await theirs == ["made"] * 20

    async def ask_the_same():
        await listening()
        return await asyncio.gather(*(ask.cache.fetch(x, slow) for x in range(20)))

    run(work())


def lock_of(field):
    return prefix("test-bells", field[0] % servers.SHELVES) + b"lock:" + field.hex().encode()


def held(nodes, field):
    return servers.sync_client().exists(lock_of(field))


def awaited(nodes, field):
    return servers.sync_client().hexists(lock_of(field), "waiting")


def test_one_that_dies_takes_its_share_only(nodes, monkeypatch):
    monkeypatch.setattr(servers, "AWAY_SECONDS", 600)
    ask, calls = counted("test-lost", near=0)

    async def work():
        for x in range(30):
            await ask(x)
        monkeypatch.setattr(servers, "PATIENCE_SECONDS", 1)
        nodes[2].kill()
        for x in range(30):
            assert await ask(x) == [x]
        lost = len(calls) - 30
        assert 0 < lost < 30

    run(work())
