"""Vectors of texts that were asked for lately, by what determines them, in Redis.

Redis, since the processes that answer questions share it and a look costs less than a millisecond;
nothing is lost with it. It also carries the doorbells and never evicts by itself, so the size is
bounded here: with every write the least recently used vectors go until all fit into MOST_BYTES.
None is used for longer than a day, since a server may get another model under the same name.

Keys are keyed hashes, so that Redis does not tell what was asked. A Redis that is away is a miss.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
import orjson
from django.utils.crypto import salted_hmac

from gateway.embedding.wire import Vectors
from gateway.metrics import vectors_remembered
from gateway.routing.shared import Shared
from gateway.types import Route

MOST_BYTES = 32 * 1024 * 1024  # of 512 MB that the embedded Redis may take
ENTRY_BYTES = 300  # that Redis needs around a vector
KEPT_SECONDS = 24 * 3600
MOST_TEXTS = 512  # of a request that is looked up; who sends more loads documents
LARGEST_VECTOR = 4096  # dimensions
STAMP = np.dtype("<u4")  # in front of each vector: the second it was written in
KEYS = ("parley:vectors", "parley:vectors:used", "parley:vectors:bytes")

GET = """
local found = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
for n = 1, #found do
    if found[n] then redis.call('ZADD', KEYS[2], 'XX', ARGV[1], ARGV[n + 1]) end
end
return found
"""
PUT = """
local bytes = tonumber(redis.call('GET', KEYS[3]) or 0)
local function drop(key)
    bytes = bytes - redis.call('HSTRLEN', KEYS[1], key) - ARGV[4]
    redis.call('HDEL', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
end
for n = 5, #ARGV, 2 do
    if redis.call('HEXISTS', KEYS[1], ARGV[n]) == 1 then drop(ARGV[n]) end
    redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1])
    redis.call('ZADD', KEYS[2], ARGV[1], ARGV[n])
    bytes = bytes + #ARGV[n + 1] + ARGV[4]
end
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1] - ARGV[3],
                                'LIMIT', 0, 100)) do drop(key) end
while bytes > tonumber(ARGV[2]) do
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not oldest then break end
    drop(oldest)
end
redis.call('SET', KEYS[3], bytes)
for n = 1, 3 do redis.call('EXPIRE', KEYS[n], ARGV[3]) end
"""


def revision_of(name: str, dimensions: int | None, routes: Iterable[Route]) -> bytes:
    """What a model's vectors depend on beside the text; never the same for two models, or for two
    servers."""
    served = sorted(
        orjson.dumps(
            [route.base_url, route.upstream_name, route.extra_body], option=orjson.OPT_SORT_KEYS
        ).decode()
        for route in routes
    )
    return orjson.dumps([name, dimensions, list(dict.fromkeys(served))])


def key_of(revision: bytes, text: str) -> bytes:
    content = revision + b"\0" + text.encode(errors="surrogatepass")
    return blake2b(content, digest_size=16, key=_secret()).digest()


async def recall(shared: Shared, revision: bytes, texts: Sequence[str]) -> dict[str, Vectors]:
    """The vectors that are there; nothing when Redis is away."""
    if not 0 < len(texts) <= MOST_TEXTS:
        return {}
    now = int(time.time())
    keys = [key_of(revision, text) for text in texts]
    values = await shared.evaluate(GET, KEYS, [now, *keys]) or ()
    found = {}
    for text, value in zip(texts, values, strict=False):
        if value is not None and (vector := _unpacked(value, now)) is not None:
            found[text] = vector
    vectors_remembered.labels("hit").inc(len(found))
    vectors_remembered.labels("miss").inc(len(texts) - len(found))
    return found


async def remember(shared: Shared, revision: bytes, vectors: Mapping[str, Vectors]) -> None:
    now = int(time.time())
    stamp = np.array([now], STAMP).tobytes()
    entries: list[bytes] = []
    for text, vector in vectors.items():
        if len(vector) <= LARGEST_VECTOR:
            entries += (key_of(revision, text), stamp + vector.astype("<f4").tobytes())
    if 0 < len(entries) <= 2 * MOST_TEXTS:
        bounds = [now, MOST_BYTES, KEPT_SECONDS, ENTRY_BYTES]
        await shared.evaluate(PUT, KEYS, [*bounds, *entries])


def _unpacked(value: bytes, now: int) -> Vectors | None:
    written = int(np.frombuffer(value, STAMP, 1)[0])
    if now - written > KEPT_SECONDS:
        return None
    return np.frombuffer(value, "<f4", offset=STAMP.itemsize).astype(np.float32)


@cache
def _secret() -> bytes:
    return salted_hmac("gateway.embedding.cache", "").digest()
