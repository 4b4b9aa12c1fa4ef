"""Who is asked first, and who next: one function for each strategy of a model. Pure and quick.

Every strategy orders the endpoints that are well; those that cool or whose breaker is open follow
behind, so that an answer comes as long as any endpoint lives. Where weights decide, they do so
among deployments of one priority: a higher number stays a reserve. Elsewhere but under
`priority` itself, the priority breaks ties only.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from gateway.routing.health import Health
from gateway.routing.needs import Needs
from gateway.types import Route
from security.sentences import Sentence

MILLION = 1_000_000
UNLIMITED = 1000  # parallel requests that count as the limit where there is none
UNKNOWN = float("inf")


@dataclass(frozen=True, slots=True)
class Choice:
    """Routes in the order in which they are asked; `why` is for the first.

    `is_forlorn`: every breaker is open, so that asking twice would only make people wait.
    """

    routes: tuple[Route, ...]
    why: str
    is_forlorn: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What a strategy looks at beside the routes."""

    needs: Needs
    health: Mapping[Any, Health]  # by endpoint_key
    now: float
    rng: random.Random

    def of(self, route: Route) -> Health:
        return self.health.get(endpoint_key(route), _UNSEEN)


_UNSEEN = Health()
Ordered = tuple[list[Route], Callable[[Route], str]]


def endpoint_key(route: Route) -> Any:
    """What two routes to the same endpoint have in common."""
    return route.endpoint_id or route.base_url


def choose(routes: Sequence[Route], scene: Scene) -> Choice:
    """The order for one request; routes of an alias come tier by tier."""
    breakers = [scene.of(route).breaker(scene.now) for route in routes]
    return replace(_ordered(routes, scene), is_forlorn=set(breakers) == {"open"})


def _ordered(routes: Sequence[Route], scene: Scene) -> Choice:
    if len(routes) > 1 and routes[0].tier != routes[-1].tier:
        return _by_tier(routes, scene)
    if len(routes) < 2:
        return Choice(tuple(routes), Sentence("only_one") if routes else "")
    well: list[Route] = []
    behind: list[Route] = []
    for route in routes:
        (well if _is_well(route, scene) else behind).append(route)
    behind.sort(key=lambda route: _back_at(route, scene))
    if not well:
        return Choice(tuple(behind), Sentence("all_pause"))
    ordered, tell = _STRATEGIES.get(routes[0].strategy, by_priority)(well, scene)
    why = tell(ordered[0])
    if behind and routes[0].strategy == "priority" and behind[0].priority < ordered[0].priority:
        why = Sentence("first_well")
    return Choice((*ordered, *behind), why)


def _by_tier(routes: Sequence[Route], scene: Scene) -> Choice:
    """Each tier in its own order; those where nobody is well come last."""
    tiers: dict[str, list[Route]] = {}
    for route in routes:
        tiers.setdefault(route.tier, []).append(route)
    groups = sorted(tiers.values(), key=lambda some: not any(_is_well(r, scene) for r in some))
    chosen = [_ordered(group, scene) for group in groups]
    return Choice(tuple(route for one in chosen for route in one.routes), chosen[0].why)


def by_priority(routes: Sequence[Route], _scene: Scene) -> Ordered:
    return sorted(routes, key=attrgetter("priority")), lambda _route: Sentence("by_priority")


def by_weight(routes: Sequence[Route], scene: Scene) -> Ordered:
    """Drawn without putting back: who is first fails over to a draw of the rest."""

    def place(route: Route) -> tuple[int, float]:
        # -log(u) / weight orders like drawing by weight (Efraimidis and Spirakis, 2006).
        wait = scene.rng.expovariate(route.weight) if route.weight else UNKNOWN
        return route.priority, wait

    ordered = sorted(routes, key=place)
    total = sum(route.weight for route in routes if route.priority == ordered[0].priority)
    return ordered, lambda route: Sentence("by_weight", weight=route.weight, total=total)


def least_busy(routes: Sequence[Route], scene: Scene) -> Ordered:
    """By the share of its parallel requests that is in use or waited for."""

    def share(route: Route) -> tuple[float, int, float]:
        seen = scene.of(route)
        busy = (seen.in_flight + seen.waiting) / (route.max_concurrency or UNLIMITED)
        return busy, route.priority, scene.rng.random()

    def tell(route: Route) -> str:
        return Sentence("least_busy", count=scene.of(route).in_flight)

    return sorted(routes, key=share), tell


def fastest(routes: Sequence[Route], scene: Scene) -> Ordered:
    """The better of two drawn at random, so that not everybody runs to the same one at once.

    What nobody has measured lately is tried, by one call at a time.
    """
    scores = {id(route): _expected_seconds(route, scene) for route in routes}
    pair = scene.rng.sample(list(routes), 2) if len(routes) > 1 else list(routes)
    ahead = min(pair, key=lambda route: (scores[id(route)], route.priority))
    rest = sorted((r for r in routes if r is not ahead), key=lambda r: (scores[id(r)], r.priority))

    def tell(route: Route) -> str:
        seen = scene.of(route)
        if scores[id(route)] in (0.0, UNKNOWN) or seen.first_token_ms is None:
            return Sentence("unmeasured")
        ms, speed = round(seen.first_token_ms), seen.tokens_per_second
        if speed is None:
            return Sentence("fastest", ms=ms)
        return Sentence("fastest_by", ms=ms, speed=round(speed))

    return [ahead, *rest], tell


def cheapest(routes: Sequence[Route], scene: Scene) -> Ordered:
    """By the price of this request; unknown prices and contexts that are too short come last."""
    needs = scene.needs

    def place(route: Route) -> tuple[bool, float, int, float]:
        is_short = bool(route.context_length) and route.context_length < needs.tokens
        return is_short, price(route, needs), route.priority, scene.rng.random()

    def tell(route: Route) -> str:
        cost = price(route, needs)
        if cost == UNKNOWN:
            return Sentence("no_price")
        return Sentence("cheapest", cost=f"{cost:.4g}")

    return sorted(routes, key=place), tell


def price(route: Route, needs: Needs) -> float:
    """What the request is expected to cost there, infinite where no price is known."""
    cost = 0.0
    for rate, count in (
        (route.prompt_price, needs.prompt_tokens),
        (route.completion_price, needs.answer_tokens),
    ):
        if rate is None and count:
            return UNKNOWN
        cost += float(rate or 0) * count
    return cost / MILLION


def _is_well(route: Route, scene: Scene) -> bool:
    seen = scene.of(route)
    return seen.breaker(scene.now) != "open" and not seen.is_cooling(scene.now)


def _back_at(route: Route, scene: Scene) -> tuple[float, int]:
    seen = scene.of(route)
    return max(seen.reopens_at, seen.cooling_until), route.priority


def _expected_seconds(route: Route, scene: Scene) -> float:
    """Of a whole answer of this request; 0 for an idle one that nobody has measured."""
    seen = scene.of(route)
    if seen.first_token_ms is None or not seen.is_fresh(scene.now):
        return UNKNOWN if seen.in_flight else 0.0
    speed = seen.tokens_per_second
    return seen.first_token_ms / 1000 + (scene.needs.answer_tokens / speed if speed else 0.0)


_STRATEGIES: dict[str, Callable[[Sequence[Route], Scene], Ordered]] = {
    "priority": by_priority,
    "weighted": by_weight,
    "least_busy": least_busy,
    "fastest": fastest,
    "cheapest": cheapest,
}
