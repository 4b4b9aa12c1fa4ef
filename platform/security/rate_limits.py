"""How much one person, token or address may ask for: buckets in Redis, all of them or none.

While Redis is away each process counts for itself; a Redis that was emptied starts with half of
each bucket, so that restarting it is no way around a limit.
"""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from threading import Lock

import redis
from django.conf import settings
from django.utils.translation import gettext as _

from observability.doorbell import PATIENCE_SECONDS, connection
from observability.metrics import refused_by_limit
from observability.redis_line import Line, Script
from security.cache import absence
from security.rates import Per, Rate, fill

log = logging.getLogger(__name__)
PREFIX = "parley:limit:"
SINCE = f"{PREFIX}since"  # when this Redis was first asked
REMEMBERED = 10_000  # buckets of a process without Redis
Who = Mapping[Per, str]

SPEND = Script("""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local since = tonumber(redis.call('GET', KEYS[1]))
if not since then
  since = now
  redis.call('SET', KEYS[1], string.format('%d', now))
end
local wait, after = 0, {}
for i = 2, #KEYS do
  local interval, period = tonumber(ARGV[2 * i - 3]), tonumber(ARGV[2 * i - 2])
  local full_at = tonumber(redis.call('GET', KEYS[i]))
  if not full_at then full_at = now + math.max(0, (period - (now - since)) / 2) end
  after[i] = math.max(full_at, now) + interval
  wait = math.max(wait, after[i] - now - period)
end
if wait > 0 then return math.ceil(wait) end
for i = 2, #KEYS do
  redis.call('SET', KEYS[i], string.format('%d', after[i]), 'PX', math.ceil(after[i] - now))
end
return 0
""")
REFUND = """
for i, key in ipairs(KEYS) do
  local full_at = tonumber(redis.call('GET', key))
  if full_at then
    redis.call('SET', key, string.format('%d', full_at - tonumber(ARGV[i])), 'KEEPTTL')
  end
end
"""


class Action(StrEnum):
    """What is counted; the rates are in `settings.PARLEY_LIMITS`."""

    SIGN_IN = "sign_in"
    TURNS = "turns"
    UPLOADS = "uploads"
    SEARCHES = "searches"
    EXPORTS = "exports"
    LINKS = "links"
    SHARED = "shared"
    TOKENS = "tokens"
    REPORTS = "reports"
    SYNCS = "syncs"


class LimitReached(Exception):
    """Too much was asked for; the text says of what, and when to come back."""

    name = "too-many-requests"

    def __init__(self, action: Action, seconds: int) -> None:
        self.seconds = seconds
        self.title = _("Too many requests")
        super().__init__(_said(action) % {"seconds": seconds})


def spend(action: Action, who: Who, count: int = 1) -> None:
    """Count one more, or `count`, for everybody in `who` that has a rate. Raises LimitReached, and
    counts nothing then; never fails because Redis does."""
    buckets = _buckets(action, who)
    if not buckets:
        return
    wait = _ask_redis(buckets, count)
    if wait is None:
        wait = _local.spend(buckets, count)
    _refuse(action, wait)


async def spend_soon(line: Line, action: Action, who: Who) -> None:
    """What `spend` does, for coroutines."""
    buckets = _buckets(action, who)
    if not buckets:
        return
    wait = await _ask_soon(line, buckets)
    if wait is None:
        wait = _local.spend(buckets, 1)
    _refuse(action, wait)


def refund(action: Action, who: Who) -> None:
    """Give back what `spend` took: what was asked for turned out to be no burden."""
    buckets = _buckets(action, who)
    _local.refund(buckets)
    if buckets and time.monotonic() >= absence.ends_at:
        intervals = [rate.interval for rate in buckets.values()]
        try:
            _registered(REFUND)(list(buckets), intervals, connection())
        except redis.RedisError as problem:
            log.warning("a bucket keeps what it should give back: %s", problem)


def network_of(address: str) -> str:
    """Where a request comes from: an IPv4 address, or the 64 bits that one IPv6 customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def _buckets(action: Action, who: Who) -> dict[str, Rate]:
    """The rates that apply, by the key of the bucket; a key tells nothing about anybody."""
    rates: tuple[Rate, ...] = settings.PARLEY_LIMITS[action]
    named = [
        (rate, f"{action}:{_text(rate)}:{who[rate.per]}") for rate in rates if who.get(rate.per)
    ]
    return {PREFIX + sha256(name.encode()).hexdigest(): rate for rate, name in named}


@cache
def _text(rate: Rate) -> str:
    return str(rate)


def _refuse(action: Action, wait: float) -> None:
    if wait > 0:
        refused_by_limit.labels(action).inc()
        raise LimitReached(action, math.ceil(wait / 1000))


def _ask_redis(buckets: dict[str, Rate], count: int) -> float | None:
    """Milliseconds to wait; None when Redis cannot be asked."""
    if time.monotonic() < absence.ends_at:
        return None
    try:
        return float(
            _registered(SPEND.text)([SINCE, *buckets], _numbers(buckets, count), connection())
        )
    except redis.RedisError as problem:
        absence.begin(problem)
        return None


async def _ask_soon(line: Line, buckets: dict[str, Rate]) -> float | None:
    """The same for coroutines."""
    if time.monotonic() < absence.ends_at:
        return None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return float(await line.run(SPEND, (SINCE, *buckets), _numbers(buckets, 1)))
    except TimeoutError:
        absence.begin(redis.TimeoutError("no answer"))
    except redis.RedisError as problem:
        absence.begin(problem)
    return None


def _numbers(buckets: dict[str, Rate], count: int) -> list[float]:
    return [n for rate in buckets.values() for n in (count * rate.interval, 1000 * rate.seconds)]


@cache
def _registered(text: str) -> redis.commands.core.Script:
    """Registered once: that hashes the text."""
    return connection().register_script(text)


class _LocalBuckets:
    """The buckets of this process alone; the ones used last are kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def spend(self, buckets: dict[str, Rate], count: int) -> float:
        now = time.monotonic() * 1000
        with self._lock:
            filled = {
                key: fill(self._full_at.get(key), now, rate, count) for key, rate in buckets.items()
            }
            wait = max(wait for _after, wait in filled.values())
            if not wait:
                for key, (after, _wait) in filled.items():
                    self._full_at[key] = after
                    self._full_at.move_to_end(key)
                while len(self._full_at) > REMEMBERED:
                    self._full_at.popitem(last=False)
        return wait

    def refund(self, buckets: dict[str, Rate]) -> None:
        with self._lock:
            for key, rate in buckets.items():
                if key in self._full_at:
                    self._full_at[key] -= rate.interval

    def clear(self) -> None:
        with self._lock:
            self._full_at.clear()


_local = _LocalBuckets()


def forget_everybody() -> None:
    """Empty all buckets, as time does."""
    _local.clear()
    found = list(connection().scan_iter(f"{PREFIX}*"))
    if found:
        connection().delete(*found)
    connection().set(SINCE, 0)


def _said(action: Action) -> str:
    return {
        Action.SYNCS: _("Too many visits to sources were started; try again in %(seconds)s s."),
        Action.SIGN_IN: _("Too many attempts to sign in; try again in %(seconds)s s."),
        Action.TURNS: _("Too many questions at once; try again in %(seconds)s s."),
        Action.UPLOADS: _("Too many uploads at once; try again in %(seconds)s s."),
        Action.SEARCHES: _("Too many searches at once; try again in %(seconds)s s."),
        Action.EXPORTS: _("Too many exports at once; try again in %(seconds)s s."),
        Action.LINKS: _("Too many new links; try again in %(seconds)s s."),
        Action.SHARED: _("Too many requests; try again in %(seconds)s s."),
        Action.TOKENS: _("Too many new tokens; try again in %(seconds)s s."),
        Action.REPORTS: _("Too many reports; try again in %(seconds)s s."),
    }[action]
