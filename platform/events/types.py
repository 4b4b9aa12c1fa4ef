"""The values the event log speaks in; no Django here."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

Payload = dict[str, Any]

# Every holder of a lease numbers its events in a range of its own, so a seq never means two
# different events: what a dead holder rang live but had not yet stored can never be mistaken
# for what its successor wrote.
SEQ_RANGE = 1_000_000

# Kinds whose neighbours may be joined into one event by concatenating `text`.
DELTA_KINDS = frozenset({"text_delta", "reasoning_delta"})

# Asides: worth knowing at this moment alone. They have no number, are never stored and may be lost;
# of those about the same thing (the part of the payload that is named here) the last one counts.
ASIDES = {"tool_progressed": "call_id"}


class EventRow(NamedTuple):
    """One event; `is_last` marks the one after which the stream is closed."""

    seq: int
    kind: str
    payload: Payload
    is_last: bool = False

    @property
    def is_delta(self) -> bool:
        return self.kind in DELTA_KINDS

    @property
    def is_aside(self) -> bool:
        return self.kind in ASIDES


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a stream; every write carries its fence, an outdated one writes nothing."""

    stream_id: UUID
    fence: int
    attempts: int
    last_seq: int

    @property
    def next_seq(self) -> int:
        return first_seq(self.fence)


class LeaseLost(Exception):
    """Somebody else holds the stream now, or it is closed or gone: stop, nothing was written."""


class CannotReplay(Exception):
    """The log does not know the position asked for: the client must load the page anew."""


def first_seq(fence: int) -> int:
    return (fence - 1) * SEQ_RANGE + 1


def fence_of(seq: int) -> int:
    return (seq - 1) // SEQ_RANGE + 1
