"""Which errors mean that a server we need is away or has no room, and nothing here is wrong."""

import errno

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


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a file could not be written for want of room: on the disk, or in a quota."""
    return isinstance(error, OSError) and error.errno in FULL


def is_outage(error: BaseException | None) -> bool:
    """Worth another try in a few seconds."""
    return isinstance(error, OUTAGES)
