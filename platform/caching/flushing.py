"""Forgetting: all of a cache or what belongs to a scope of it, in Redis and in every process."""

import structlog

from caching import codec, flushes
from caching.cache import caches
from caching.scripts import FLUSHED
from caching.servers import AWAY, shelves, sync_client
from caching.shelf import flush_shelf

log = structlog.get_logger(__name__)


def flush(name: str, scope: str = "") -> bool:
    """Void what was made, and what is being made; False when Redis could not be told.

    From then on nobody is given it by Redis or by this process; other processes may for some
    milliseconds, if the cache is held near. For threads: inside a transaction call it on commit.
    """
    flushes.note(name, scope)
    try:
        client = sync_client()
        for number in range(shelves()):
            flush_shelf(client, name, number, scope, caches[name].bounds)
        client.publish(FLUSHED, codec.pack([name, scope]))
    except AWAY as error:
        log.warning("cache_not_flushed", cache=name, reason=str(error) or type(error).__name__)
        return False
    return True
