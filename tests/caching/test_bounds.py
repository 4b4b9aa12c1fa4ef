"""How much a cache holds, what it costs, and what lies in Redis."""

import asyncio
import os

import pytest

from caching import codec
from caching.near import MOST_BYTES, Near
from caching.scripts import ENTRY_BYTES
from tests.caching.conftest import counted, raw, run
from tests.support.hostile_files import pickle_bomb


def shelf(name):
    place = f"parley:cache:{{{name}:0}}:"
    redis = raw()
    return redis.hgetall(place + "values"), int(redis.get(place + "size") or 0)


def adds_up(name):
    values, size = shelf(name)
    assert size == sum(len(value) + ENTRY_BYTES for value in values.values())
    return len(values)


def test_the_least_used_goes_when_there_are_too_many():
    ask, calls = counted("test-size", size=3, near=0)

    async def work():
        for x in (1, 2, 3, 1, 4, 1, 3, 4):
            await ask(x)
        assert calls == [1, 2, 3, 4]
        await ask(2)
        assert calls == [1, 2, 3, 4, 2]

    run(work())
    assert adds_up("test-size") == 3


def test_the_least_used_goes_when_they_are_too_big():
    noise = os.urandom(3000)
    ask, _ = counted("test-bytes", lambda _x: noise, most_bytes=64 * 1024)

    async def work():
        for x in range(40):
            await ask(x)

    run(work())
    assert 15 < adds_up("test-bytes") < 64 * 1024 / 3300


def test_what_is_too_big_for_the_cache_is_answered_and_not_kept():
    ask, calls = counted("test-large", lambda _x: os.urandom(8000), most_bytes=64 * 1024)
    assert len(run(ask(1))) == 8000
    run(ask(1))
    assert calls == [1, 1]
    assert shelf("test-large") == ({}, 0)


def test_what_is_written_twice_or_is_over_is_counted_once():
    ask, calls = counted("test-sum", ttl=0.05, near=0)

    async def work():
        for _ in range(3):
            await asyncio.gather(*(ask(x) for x in range(5)))
            await asyncio.sleep(0.06)
            adds_up("test-sum")

    run(work())
    assert len(calls) >= 15


def test_what_nobody_uses_any_more_goes_with_the_next_write():
    ask, _ = counted("test-unused", ttl=0.1)

    async def work():
        await ask(1)
        await asyncio.sleep(0.12)
        await ask(2)

    run(work())
    assert adds_up("test-unused") == 1


def test_what_compresses_is_compressed_and_nothing_can_be_read():
    ask, _ = counted("test-sealed", lambda _x: "a secret sentence " * 10_000)
    run(ask("what was asked"))
    (field, value), *_ = shelf("test-sealed")[0].items()
    assert len(value) < 2000
    assert b"secret" not in value
    assert b"asked" not in field


@pytest.mark.parametrize("shape", ["bomb", "torn", "another", "empty", "times", "text"])
def test_s31_what_we_did_not_write_is_a_miss(tmp_path, shape):
    """Also an entry of ours under another key: nobody is shown what was made for somebody else."""
    name = f"test-spoilt-{shape}"
    made = tmp_path / "made"
    ask, calls = counted(name, near=0)
    run(ask(1))
    run(ask(2))
    key = f"parley:cache:{{{name}:0}}:values"
    field = ask.cache.field_of(ask.key_of(1))
    value = raw().hget(key, field)
    spoilt = {
        "bomb": value[:32] + pickle_bomb(str(made)),
        "torn": value[:-1],
        "another": value[:32] + raw().hget(key, ask.cache.field_of(ask.key_of(2)))[32:],
        "empty": value[:32],
        "times": b"x" * 32 + value[32:],
        "text": "文".encode(),
    }[shape]
    raw().hset(key, field, spoilt)
    assert run(ask(1)) == [1]
    assert run(ask(1)) == [1]
    assert calls == [1, 2, 1]
    assert not made.exists()


def test_what_another_installation_sealed_does_not_open(settings):
    sealed = codec.seal(b"field", codec.pack("theirs"))
    assert codec.open_(b"field", sealed) == codec.pack("theirs")
    settings.SECRET_KEY = "another"
    with pytest.raises(codec.Spoilt):
        codec.open_(b"field", sealed)


def test_the_near_layer_is_bounded():
    near = Near()
    near.heard_since = 0
    for n in range(200):
        near.put(n.to_bytes(16), bytes(200_000), (), 1.0, 60)
    assert near._bytes <= MOST_BYTES
    assert sum(near.get("test", n.to_bytes(16)) is not None for n in range(200)) == 83
    near.put(bytes(16), bytes(1_000_000), (), 1.0, 60)
    assert near.get("test", bytes(16)) is None


def test_nothing_is_held_near_while_flushes_are_not_heard():
    near = Near()
    near.put(b"a", b"", (), 1.0, 60)
    near.heard_since = 2.0
    assert near.get("test", b"a") is None
    near.put(b"a", b"", (), 1.0, 60)
    assert near.get("test", b"a") is None
    near.put(b"a", b"", (), 3.0, 60)
    assert near.get("test", b"a") == b""
