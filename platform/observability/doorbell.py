"""The process's one sync Redis client for small things; impatient, since nothing depends on it."""

from functools import cache

import redis
from django.conf import settings

PATIENCE_SECONDS = 0.5


@cache
def connection() -> redis.Redis:
    """Made at first use; thread-safe. A frozen Redis costs a caller half a second, no more."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        decode_responses=True,
    )
