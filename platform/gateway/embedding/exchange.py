"""The batchers of the running event loop, one for each deployment."""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from gateway.embedding.batching import Batcher
from gateway.routing.errand import place_of
from gateway.types import Route

MOST_BATCHERS = 1000


class Exchange:
    def __init__(self) -> None:
        self._batchers: dict[Any, Batcher] = {}

    def batcher(self, route: Route) -> Batcher:
        place = place_of(route)
        if place not in self._batchers:
            if len(self._batchers) >= MOST_BATCHERS:  # of deployments that come and go
                self._batchers.clear()
            self._batchers[place] = Batcher()
        return self._batchers[place]

    @property
    def speeds(self) -> Mapping[Any, float]:
        """Milliseconds of a usual call, where there was one."""
        return {
            place: batcher.seconds * 1000
            for place, batcher in self._batchers.items()
            if batcher.seconds is not None
        }


_exchanges: WeakKeyDictionary[asyncio.AbstractEventLoop, Exchange] = WeakKeyDictionary()


def current_exchange() -> Exchange:
    """The exchange of the running loop; made at first use."""
    return _exchanges.setdefault(asyncio.get_running_loop(), Exchange())
