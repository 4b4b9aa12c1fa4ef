"""Ids that leave the server: UUIDv7 (RFC 9562), ordered by time of creation."""

from datetime import datetime, timedelta
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh UUIDv7; ids made one after another in one process never go backwards."""
    return uuid_utils.compat.uuid7()


def earlier(made: UUID, by: timedelta) -> UUID:
    """A bound below every id made at most `by` before this one: clocks are set back at times."""
    milliseconds = by // timedelta(milliseconds=1)
    return UUID(int=max(0, made.int - (milliseconds << 80)))


def first_id_at(moment: datetime) -> UUID:
    """The lower bound of the ids made at this moment or later; there are none from before 1970."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)
