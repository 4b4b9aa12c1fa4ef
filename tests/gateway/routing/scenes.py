"""Routes and what is known of their endpoints, in a few words."""

import random
import uuid
from decimal import Decimal

from gateway.routing.health import Health
from gateway.routing.needs import Needs
from gateway.routing.strategies import Scene, endpoint_key
from gateway.types import Route

NOW = 1_000_000.0


def route(name="one", **changes):
    price = changes.pop("price", None)
    if price is not None:
        changes |= {"prompt_price": Decimal(price), "completion_price": Decimal(price)}
    fields = {
        "model": "m",
        "upstream_name": "up",
        "endpoint": name,
        "base_url": f"http://{name}/v1",
    }
    return Route(**(fields | {"endpoint_id": uuid.uuid5(uuid.NAMESPACE_DNS, name)} | changes))


def scene(health=(), needs=None, seed=0):
    """`health` has pairs of a route and how its endpoint does."""
    known = {endpoint_key(where): Health(**how) for where, how in health}
    return Scene(needs or Needs(), known, NOW, random.Random(seed))
