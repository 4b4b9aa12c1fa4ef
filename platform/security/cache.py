"""The cache while Redis is away: each process remembers for itself, so limits still hold."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)
AWAY_SECONDS = 5.0  # how long nobody asks a Redis that did not answer


class _Absence:
    """Shared by all threads, each of which has a cache of its own."""

    ends_at = 0.0

    def begin(self, problem: redis.RedisError) -> None:
        self.ends_at = time.monotonic() + AWAY_SECONDS
        log.warning("what was asked of Redis is in this process' own memory for now: %s", problem)


absence = _Absence()


def _or_memory(name: str) -> Callable[..., Any]:
    def call(self: "ResilientCache", *arguments: Any, **options: Any) -> Any:
        if time.monotonic() >= absence.ends_at:
            try:
                return getattr(super(ResilientCache, self), name)(*arguments, **options)
            except redis.RedisError as problem:
                absence.begin(problem)
        return getattr(self.memory, name)(*arguments, **options)

    return call


class JsonSerializer:
    """What the cache holds in Redis: JSON, where Django's own would be pickle, which is code."""

    def dumps(self, value: Any) -> bytes | int:
        # A bare number, so that Redis can count with it.
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """What was stored; None, as if nothing were there, for anything that is not JSON."""
        try:
            return json.loads(data)
        except ValueError:
            log.warning("something else than JSON is in the cache; it is not read")
            return None


class ResilientCache(RedisCache):
    """Redis; while it cannot be asked, the memory of this process. It never raises for Redis."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {**params.get("OPTIONS", {}), "serializer": JsonSerializer}
        super().__init__(server, {**params, "OPTIONS": options})
        self.memory = LocMemCache("without-redis", {**params, "OPTIONS": {}})

    add = _or_memory("add")
    get = _or_memory("get")
    set = _or_memory("set")
    touch = _or_memory("touch")
    delete = _or_memory("delete")
    get_many = _or_memory("get_many")
    has_key = _or_memory("has_key")
    incr = _or_memory("incr")
    set_many = _or_memory("set_many")
    delete_many = _or_memory("delete_many")
    clear = _or_memory("clear")
