"""What Prometheus is told of calls and endpoints."""

import pytest

from gateway import metrics
from gateway.models import Endpoint
from gateway.routing.state import EndpointState
from gateway.types import NOBODY, CallRecord, TokenUsage
from observability.metrics import registry


def call(**changes):
    values = {
        "turn_id": None, "payer": NOBODY, "model": "m", "endpoint": "metered",
        "usage": TokenUsage(prompt_tokens=10, completion_tokens=21), "outcome": "completed",
        "first_token_ms": 500, "total_ms": 2500,
    }  # fmt: skip
    return CallRecord(**(values | changes))


def sample(name, **labels):
    return registry.get_sample_value(name, labels) or 0


def test_a_fallback_is_an_attempt_of_the_same_request():
    asked = sample("parley_model_requests_total", model="m")
    metrics.count_call(call(outcome="endpoint_timeout", first_token_ms=None))
    metrics.count_call(call(attempt=2))
    assert sample("parley_model_requests_total", model="m") == asked + 1
    assert sample("parley_model_fallbacks_total", endpoint="metered") == 1
    for outcome in ("endpoint_timeout", "completed"):
        labels = {"endpoint": "metered", "outcome": outcome}
        assert sample("parley_model_attempts_total", **labels) == 1
    assert sample("parley_model_first_token_seconds_sum", endpoint="metered") == 0.5
    assert sample("parley_model_tokens_per_second_sum", endpoint="metered") == 10
    assert sample("parley_model_tokens_total", endpoint="metered", kind="written") == 42


@pytest.mark.django_db(transaction=True)
def test_a_scrape_tells_how_endpoints_do(client, monkeypatch):
    endpoint = Endpoint.objects.create(name="E 1", base_url="http://127.0.0.1:9/v1")
    state = EndpointState(endpoint.pk, breaker="open", in_flight=3, waiting=2)
    monkeypatch.setattr(metrics, "read_states", lambda ids: dict.fromkeys(ids, state))
    text = client.get("/metrics").content.decode()
    assert 'parley_endpoint_breaker{endpoint="E 1",state="open"} 1.0' in text
    assert 'parley_endpoint_breaker{endpoint="E 1",state="closed"} 0.0' in text
    assert 'parley_endpoint_in_flight{endpoint="E 1"} 3.0' in text
    assert 'parley_endpoint_waiting{endpoint="E 1"} 2.0' in text
