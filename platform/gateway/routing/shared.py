"""The running loop's way to the state that processes share. Redis being away is no error here."""

import random
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import redis
import structlog

from gateway.routing.state import key
from observability.redis_line import Command, Line, Script

PATIENCE_SECONDS = 0.5
AWAY_SECONDS = 2.0  # how long nobody asks a Redis that did not answer
LEASE_SECONDS = 30.0  # of a parallel request; renewed three times as often
SPARE_SECONDS = 5.0  # of one that waits for its request; by then it has one, or is free again
UNBOUNDED = 1_000_000

# Times are Redis' own, in milliseconds. Expired leases go first, spare ones that were taken are
# held, then as many of the wanted ids as fit. What is left waits, and is told for as long as this
# process goes on asking. Spare ones are given while half of the endpoint is free.
ACQUIRE = Script("""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, lease, waiting = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local taken, wanted, at = tonumber(ARGV[6]), tonumber(ARGV[7]), 7
local function hold(set, count, life)
    for n = 1, count do redis.call('ZADD', set, now + life, ARGV[at + n]) end
    if count > 0 then redis.call('PEXPIRE', set, life * 2) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
for n = 1, taken do redis.call('ZREM', KEYS[3], ARGV[at + n]) end
hold(KEYS[1], taken, lease)
at = at + taken
local free = limit - redis.call('ZCARD', KEYS[1]) - redis.call('ZCARD', KEYS[3])
local granted = math.max(0, math.min(free, wanted))
hold(KEYS[1], granted, lease)
at = at + wanted
local spare = #ARGV - at
if (free - granted - spare) * 2 < limit then spare = 0 end
hold(KEYS[3], spare, tonumber(ARGV[5]))
waiting = waiting - granted
if waiting > 0 then
    redis.call('HSET', KEYS[2], ARGV[3], waiting .. ':' .. (now + 2000))
    redis.call('PEXPIRE', KEYS[2], 60000)
else
    redis.call('HDEL', KEYS[2], ARGV[3])
end
return {granted, spare}
""")
RENEW = Script("""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for n = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[n]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
""")

log = structlog.get_logger(__name__)


class Shared:
    """One line of one event loop. Every method says by None or False that Redis is away."""

    def __init__(self, url: str = "") -> None:
        self.process = f"{random.getrandbits(64):016x}"
        self._line = Line(url, patience=PATIENCE_SECONDS, decodes=True)
        self._away_until = 0.0

    @property
    def is_away(self) -> bool:
        return time.monotonic() < self._away_until

    async def acquire(
        self,
        endpoint: object,
        limit: int,
        ids: Sequence[str],
        waiting: int,
        *,
        taken: Sequence[str] = (),
        spares: Sequence[str] = (),
    ) -> tuple[int, int] | None:
        """How many of the leases are ours now, the first ones, and how many of the spare ones;
        `waiting` want one. Spare ones are held from when they are told as `taken`."""
        if self.is_away:
            return None
        keys = tuple(key(endpoint, part) for part in ("leases", "waiting", "spares"))
        lives = [round(seconds * 1000) for seconds in (LEASE_SECONDS, SPARE_SECONDS)]
        told: list[str | int] = [limit, lives[0], self.process, waiting, lives[1]]
        arguments = [*told, len(taken), len(ids), *taken, *ids, *spares]
        found = await self._ask(self._line.run(ACQUIRE, keys, arguments))
        return None if found is None else (int(found[0]), int(found[1]))

    async def renew(self, endpoint: object, ids: Sequence[str]) -> None:
        if self.is_away:
            return
        lease = round(LEASE_SECONDS * 1000)
        await self._ask(self._line.run(RENEW, (key(endpoint, "leases"),), (lease, *ids)))

    async def claim(self, endpoint: object, seconds: float) -> bool:
        """Whether we are the one that tries a half-open endpoint; also when nobody can tell."""
        name = key(endpoint, "trial")
        if self.is_away:
            return True
        life = round(seconds * 1000)
        won = await self._ask(self._line.ask("SET", name, self.process, "NX", "PX", life))
        return bool(won) or self.is_away

    async def execute(self, commands: Sequence[Command]) -> list[Any] | None:
        """The answers, of all or of none."""
        return None if self.is_away else await self._ask(self._line.ask_all(commands))

    def close(self) -> None:
        self._line.close()

    async def _ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await question
        except redis.RedisError as error:
            if not self.is_away:
                log.warning("endpoint_state_is_local", reason=str(error) or type(error).__name__)
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None
