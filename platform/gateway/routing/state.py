"""What all processes know of an endpoint, in Redis: where it is kept, and how it is read.

Losing any of it loses no answer: every process goes on with what it saw itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any
from uuid import UUID

import orjson
import redis
import structlog

from gateway.routing.health import LONGEST_COOLING, LONGEST_PAUSE, WINDOW_SECONDS, Breaker, Health
from observability.doorbell import connection
from observability.redis_line import Command

KEPT_SECONDS = 3600  # after the last call
KEPT_ERRORS = 10
LONGEST_OPEN = 2 * LONGEST_PAUSE  # with its jitter, and the margin of the clock's looks
READS = 4  # commands of `reads`
NUMBERS = (
    "reopens_at",
    "openings",
    "cooling_until",
    "first_token_ms",
    "tokens_per_second",
    "error_rate",
    "measured_at",
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LastError:
    at: datetime
    type: str
    detail: str


@dataclass(frozen=True)
class EndpointState:
    """An endpoint at this moment, over all processes. None: nobody has measured it lately."""

    endpoint_id: UUID
    breaker: Breaker = "closed"
    in_flight: int = 0
    waiting: int = 0
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    error_rate: float = 0.0
    last_errors: tuple[LastError, ...] = ()
    cooling_until: datetime | None = None
    reopens_at: datetime | None = None


def key(endpoint_id: object, part: str = "health") -> str:
    """Parts: health (hash), failures, leases, spares (sorted sets by time), waiting (hash), errors
    (list), trial (a string that lives as long as the one call through a half-open breaker may
    take)."""
    return f"parley:endpoint:{endpoint_id}:{part}"


def read_states(ids: Sequence[UUID]) -> dict[UUID, EndpointState]:
    """Every id has a state; a Redis that is away gives that of an endpoint nobody has asked."""
    pipeline = connection().pipeline(transaction=False)
    ask: Callable[..., Any] = pipeline.execute_command
    now = time()
    for endpoint_id in ids:
        for command in reads(endpoint_id, now):
            ask(*command)
        pipeline.lrange(key(endpoint_id, "errors"), 0, KEPT_ERRORS - 1)
    try:
        answers = pipeline.execute() if ids else []
    except redis.RedisError as error:
        log.warning("endpoint_states_unknown", reason=str(error))
        return {endpoint_id: EndpointState(endpoint_id) for endpoint_id in ids}
    found = {}
    for n, endpoint_id in enumerate(ids):
        *read, errors = answers[(READS + 1) * n : (READS + 1) * (n + 1)]
        health = Health()
        adopt(health, read, now)
        found[endpoint_id] = _state(endpoint_id, health, errors, now)
    return found


def reset(endpoint_id: UUID) -> None:
    """Forget breaker, pauses, averages and errors; what is in flight stays counted."""
    parts = ("health", "failures", "errors", "trial")
    with _as_far_as_redis_is_there(endpoint_id):
        connection().delete(*(key(endpoint_id, part) for part in parts))


def closing(endpoint_id: object) -> list[Command]:
    """Closes its breaker: a trial went well. How fast it is, and what went wrong, stay known."""
    opened = ("checks", "check_at", "reopens_at", "openings", "error_rate")
    return [
        ("DEL", key(endpoint_id, "failures"), key(endpoint_id, "trial")),
        ("HDEL", key(endpoint_id), *opened),
    ]


def end_cooling(endpoint_id: UUID) -> None:
    """It may be asked at once again: it has another key, or was tested and answers."""
    with _as_far_as_redis_is_there(endpoint_id):
        connection().hdel(key(endpoint_id), "cooling_until")


@contextmanager
def _as_far_as_redis_is_there(endpoint_id: UUID) -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        log.warning("endpoint_state_not_reset", endpoint=str(endpoint_id), reason=str(error))


def reads(endpoint_id: object, now: float) -> list[Command]:
    """What `adopt` takes the answers to."""
    return [
        ("HGETALL", key(endpoint_id)),
        ("ZCOUNT", key(endpoint_id, "failures"), now - WINDOW_SECONDS, "+inf"),
        ("ZCOUNT", key(endpoint_id, "leases"), now * 1000, "+inf"),
        ("HGETALL", key(endpoint_id, "waiting")),
    ]


def adopt(health: Health, answers: Sequence[Any], now: float) -> None:
    """Take over what Redis says; what it does not hold counts as never measured.

    A pause that is longer than any was set by a clock that is ahead of ours: it does not hold.
    """
    numbers, failures, in_flight, waiting = answers
    numbers, waiting = _mapping(numbers), _mapping(waiting)
    reopens_at = _number(numbers, "reopens_at") or 0.0
    health.reopens_at = reopens_at if reopens_at <= now + LONGEST_OPEN else now
    health.openings = int(_number(numbers, "openings") or 0)
    cooling_until = _number(numbers, "cooling_until") or 0.0
    health.cooling_until = cooling_until if cooling_until <= now + LONGEST_COOLING else 0.0
    health.measured_at = _number(numbers, "measured_at") or 0.0
    is_fresh = health.is_fresh(now)
    health.first_token_ms = _number(numbers, "first_token_ms") if is_fresh else None
    health.tokens_per_second = _number(numbers, "tokens_per_second") if is_fresh else None
    health.error_rate = _number(numbers, "error_rate") or 0.0
    health.in_flight = int(in_flight)
    health.waiting = sum(_waiting(line, now) for line in waiting.values())
    if not health.reopens_at:
        health.count(now, int(failures))


def numbers_of(health: Health) -> dict[str, str | float]:
    """The fields of the hash; "" for what is not known."""
    values = ((name, getattr(health, name)) for name in NUMBERS)
    return {name: "" if value is None else value for name, value in values}


def error_line(at: float, kind: str, detail: str) -> bytes:
    return orjson.dumps([at, kind, detail[:300]])


def _state(endpoint_id: UUID, health: Health, errors: Sequence[str], now: float) -> EndpointState:
    return EndpointState(
        endpoint_id=endpoint_id,
        breaker=health.breaker(now),
        in_flight=health.in_flight,
        waiting=health.waiting,
        first_token_ms=health.first_token_ms,
        tokens_per_second=health.tokens_per_second,
        error_rate=health.error_rate,
        last_errors=tuple(map(_last_error, errors)),
        cooling_until=_moment(health.cooling_until) if health.is_cooling(now) else None,
        reopens_at=_moment(health.reopens_at) if health.reopens_at else None,
    )


def _last_error(line: str) -> LastError:
    at, kind, detail = orjson.loads(line)
    return LastError(_moment(at), kind, detail)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _mapping(answer: Any) -> dict[str, str]:
    """Of a hash; the older protocol, for which an address can ask, has no mappings."""
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


def _number(numbers: Mapping[str, str], name: str) -> float | None:
    text = numbers.get(name)
    return float(text) if text else None


def _waiting(line: str, now: float) -> int:
    """`count:until` of one process, which may have died since."""
    count, _colon, until = line.partition(":")
    return int(count) if float(until) > now * 1000 else 0
