"""Which errors mean that a server we need is away or has no room, and nothing here is wrong."""

import django.db
import psycopg
import redis

OUTAGES: tuple[type[Exception], ...] = (
    django.db.OperationalError,
    django.db.InterfaceError,
    psycopg.OperationalError,  # also: no connection of the pool is free
    psycopg.InterfaceError,
    redis.ConnectionError,
    redis.TimeoutError,
)


def is_outage(error: BaseException | None) -> bool:
    """Worth another try in a few seconds."""
    return isinstance(error, OUTAGES)
