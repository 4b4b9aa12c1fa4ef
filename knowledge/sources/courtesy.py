"""One clock for each server that is asked, whichever source, worker or machine asks it.

A turn is a key in Redis that lasts as long as the pause. Without Redis every visit keeps its own
pauses, as it does anyway (`robots`).
"""

import time
from hashlib import sha256

import redis

from observability.doorbell import connection
from security.cache import absence

PREFIX = "parley:courtesy:"
SHORTEST = 0.05  # seconds until a turn is asked for again


def take_turn(origin: str, pause: float) -> float:
    """0: the server may be asked now, and by nobody else for `pause` seconds. Otherwise how long
    to wait before asking again. Never fails because Redis does."""
    if time.monotonic() < absence.ends_at:
        return 0.0
    key = PREFIX + sha256(origin.encode()).hexdigest()
    try:
        if connection().set(key, 1, nx=True, px=max(1, round(pause * 1000))):
            return 0.0
        left = connection().pttl(key)
    except redis.RedisError as problem:
        absence.begin(problem)
        return 0.0
    return max(SHORTEST, float(left) / 1000)
