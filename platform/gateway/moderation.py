"""What a moderation model flags in texts: `/moderations` as OpenAI has it, of any server."""

from collections.abc import Sequence
from typing import Any

from gateway.embedding.batching import Record
from gateway.errors import UpstreamFailed
from gateway.labels import Demand, labels_of, require_labels
from gateway.metering.recording import record_shared_call
from gateway.models import Model
from gateway.routing.attempt import UNBROKEN
from gateway.routing.board import current_board
from gateway.routing.errand import Outcome, Trip, metered, run_errand
from gateway.routing.needs import estimate_tokens, needs_of_texts
from gateway.routing.routes import list_routes
from gateway.spending import Spending
from gateway.types import NOBODY, CallRecord, Estimate, Payer, Route, TokenUsage
from gateway.upstream.asking import ask
from gateway.upstream.payloads import input_usage
from gateway.upstream.session import Pool, current_pool
from observability.patience import run_patiently
from security.sentences import Sentence, together

Flagged = tuple[str, ...]  # the categories, as the endpoint calls them


class ModeratorUnavailable(Exception):
    """No enabled endpoint offers a moderation model of this name."""


async def find_moderation_routes(name: str, demands: Sequence[Demand] = ()) -> tuple[Route, ...]:
    """Who serves the moderation model of this name, or the default one, and has the labels that are
    demanded; raises ModeratorUnavailable, LabelUnmet."""
    found = await run_patiently(list_routes, name, Model.Kind.MODERATION)
    if not found or (name and found[0].model != name):
        raise ModeratorUnavailable(name)
    require_labels(found, demands)
    labels = labels_of(demands)
    return tuple(route for route in found if labels <= route.labels)


async def moderate(
    name: str,
    texts: Sequence[str],
    demands: Sequence[Demand] = (),
    payer: Payer = NOBODY,
    record: Record = record_shared_call,
) -> list[Flagged]:
    """For each text what is flagged in it, in one call.

    Raises GatewayError, ModeratorUnavailable.
    """
    routes = await find_moderation_routes(name, demands)
    board = current_board()

    async def go(trip: Trip) -> list[Flagged]:
        route = trip.route

        async def enter() -> tuple[list[Flagged], TokenUsage]:
            async with board.gate(route).slot(payer.account_id, route.queue_timeout):
                return await _request(current_pool(), route, texts)

        async def tell(end: Outcome) -> None:
            await record(_record(trip, texts, end), {payer: 1})
            await spending.end(end.usage, heard=0 if end.outcome in UNBROKEN else None)

        spending = Spending.on_texts(payer, route, texts)
        await spending.begin()
        return await metered(route, enter, tell)

    return await run_errand(routes, needs_of_texts(texts), go)


async def _request(
    pool: Pool, route: Route, texts: Sequence[str]
) -> tuple[list[Flagged], TokenUsage]:
    body = {**route.extra_body, "model": route.upstream_name, "input": list(texts)}
    answer = await ask(pool, route, route.url("moderations"), body)
    try:
        found = [_flagged(one) for one in answer["results"]]
        usage = input_usage(answer.get("usage"))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UpstreamFailed(Sentence("no_moderation")) from error
    if len(found) != len(texts):
        raise UpstreamFailed(Sentence("no_moderation"))
    return found, usage


def _flagged(result: dict[str, Any]) -> Flagged:
    names = sorted(str(name) for name, is_in in result["categories"].items() if is_in)
    return tuple(names) if names else ("flagged",) if result["flagged"] else ()


def _record(trip: Trip, texts: Sequence[str], end: Outcome) -> CallRecord:
    return CallRecord(
        None,
        NOBODY,  # the row has its own
        trip.route.model,
        trip.route.endpoint,
        end.usage,
        end.outcome,
        None,
        end.total_ms,
        deployment_id=trip.route.deployment_id,
        attempt=trip.number,
        why=together([Sentence("moderates", n=len(texts)), trip.why]),
        detail=end.detail,
        route=trip.route,
        estimate=Estimate(sum(map(estimate_tokens, texts))),
        heard=0 if end.outcome in UNBROKEN else None,
    )
