"""What Prometheus is told of the gateway. Labels are names of models and endpoints: never a person.

Calls are counted in the process that makes them; what all processes know together (breakers, what
is in flight and what waits) is asked of Redis at the moment of the scrape.
"""

from collections.abc import Iterable
from uuid import UUID

import psycopg
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.routing.state import read_states
from gateway.types import CallRecord
from observability.db import connect_directly
from observability.metrics import registry

BREAKERS = ("closed", "half_open", "open")

requests = Counter(
    "parley_model_requests_total", "Questions to a model.", ["model"], registry=registry
)
attempts = Counter(
    "parley_model_attempts_total",
    "Calls to an endpoint and how they ended.",
    ["endpoint", "outcome"],
    registry=registry,
)
fallbacks = Counter(
    "parley_model_fallbacks_total",
    "Calls that were made because another one had failed.",
    ["endpoint"],
    registry=registry,
)
first_token = Histogram(
    "parley_model_first_token_seconds",
    "Time to the first token of a call.",
    ["endpoint"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64),
    registry=registry,
)
speed = Histogram(
    "parley_model_tokens_per_second",
    "Tokens a second after the first one, of calls that completed.",
    ["endpoint"],
    buckets=(1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640),
    registry=registry,
)
tokens = Counter(
    "parley_model_tokens_total",
    "Tokens as the servers counted them: read or written.",
    ["endpoint", "kind"],
    registry=registry,
)
texts_sent = Histogram(
    "parley_embedding_texts",
    "Texts in a call for vectors.",
    buckets=(1, 2, 4, 8, 16, 32, 64),
    registry=registry,
)


def count_call(call: CallRecord) -> None:
    """Once for each call, however it ended."""
    if call.attempt == 1:
        requests.labels(call.model).inc()
    else:
        fallbacks.labels(call.endpoint).inc()
    attempts.labels(call.endpoint, call.outcome).inc()
    if call.first_token_ms is not None:
        first_token.labels(call.endpoint).observe(call.first_token_ms / 1000)
        _count_speed(call, call.first_token_ms)
    tokens.labels(call.endpoint, "read").inc(call.usage.prompt_tokens or 0)
    tokens.labels(call.endpoint, "written").inc(call.usage.completion_tokens or 0)


def _count_speed(call: CallRecord, first_token_ms: int) -> None:
    written, writing = call.usage.completion_tokens or 0, (call.total_ms or 0) - first_token_ms
    if call.outcome == "completed" and written > 1 and writing > 0:
        speed.labels(call.endpoint).observe(1000 * (written - 1) / writing)


class EndpointStates(Collector):
    """Breaker, in flight and queue of every endpoint; nothing while Postgres is away."""

    def collect(self) -> Iterable[Metric]:
        breaker = GaugeMetricFamily(
            "parley_endpoint_breaker",
            "1 for the state that its breaker is in.",
            labels=["endpoint", "state"],
        )
        in_flight = GaugeMetricFamily(
            "parley_endpoint_in_flight", "Calls being answered.", labels=["endpoint"]
        )
        waiting = GaugeMetricFamily(
            "parley_endpoint_waiting", "Requests in its queue.", labels=["endpoint"]
        )
        names = _names()
        for endpoint_id, state in read_states(list(names)).items():
            name = names[endpoint_id]
            for known in BREAKERS:
                breaker.add_metric([name, known], float(state.breaker == known))
            in_flight.add_metric([name], state.in_flight)
            waiting.add_metric([name], state.waiting)
        return [breaker, in_flight, waiting]


def _names() -> dict[UUID, str]:
    """By a connection of its own: a scrape never waits for a pool that a dead Postgres drains."""
    try:
        with connect_directly() as connection:
            rows = connection.execute("select id, name from gateway_endpoint").fetchall()
    except psycopg.Error:
        return {}
    return {UUID(str(pk)): str(name) for pk, name in rows}
