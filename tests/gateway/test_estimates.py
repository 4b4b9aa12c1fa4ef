"""What a prompt will cost before anybody has counted, and what a call costs that nobody did."""

from decimal import Decimal
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from gateway.metering import estimates
from gateway.metering.estimates import estimate_prompt, learn
from gateway.metering.recording import divided, record_call, usage_of
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.routing.needs import needs_of
from gateway.routing.routes import list_routes
from gateway.types import (
    CallRecord,
    ChatRequest,
    Estimate,
    Payer,
    PromptMessage,
    Route,
    TokenUsage,
)
from gateway.upstream import vocabulary

PRICES = {"prompt_price": Decimal(1), "completion_price": Decimal(2), "currency": "EUR"}
ENGLISH = "The committee meets every second Tuesday of the month. " * 40


def estimate(text, name="llama", **route):
    request = ChatRequest("m", (PromptMessage("user", text),))
    asked = Route("m", name, "E", "http://x", **route)
    return async_to_sync(estimate_prompt)(asked, request, needs_of(request))


def test_a_ratio_of_the_script_where_it_was_measured_else_the_length():
    ratios = {"latin": 0.2, "wide": 0.7}
    measured = estimate("a" * 1000, token_ratios=ratios)
    assert (measured.tokens, measured.by, measured.script) == (204, "measured", "latin")
    assert estimate("你好" * 500, token_ratios=ratios).tokens == 704
    assert estimate("é" * 1000, token_ratios=ratios).script == "latin"
    assert estimate("a" * 1000, token_ratios={"wide": 1}).by == "length"


def test_openai_models_are_counted_by_their_vocabulary_once_it_is_loaded():
    vocabulary._load("o200k_base")
    vocabulary._begun.add("o200k_base")
    counted = estimate(ENGLISH, "gpt-4o-mini")
    assert (counted.by, counted.tokens) == ("vocabulary", 401 + 4)
    longer = estimate(ENGLISH * 200, "gpt-4o-mini")
    assert longer.tokens == pytest.approx(200 * 400, rel=0.01)


def test_nobody_waits_for_a_vocabulary(monkeypatch):
    monkeypatch.setattr(estimates, "is_ready", lambda _name: False)
    assert estimate(ENGLISH, "gpt-4o-mini").by == "length"


def record(usage=None, *, heard=None, outcome="completed", route=PRICES, tokens=100, **more):
    where = Route("m", "up", "E", "http://x", **route) if route is not None else None
    usage = TokenUsage(**(usage or {}))
    return CallRecord(
        None, Payer(uuid4()), "m", "E", usage, outcome, 3, 9, route=where,
        estimate=Estimate(tokens, characters=400, script="latin"), heard=heard, **more,
    )  # fmt: skip


def test_a_row_has_the_prices_of_its_time_and_its_exact_cost():
    row = usage_of(record({"prompt_tokens": 10, "completion_tokens": 20}, heard=18))
    assert (row.cost, row.currency, row.is_estimated) == (Decimal("0.00005"), "EUR", False)
    assert (row.prompt_price, row.completion_price) == (1, 2)
    assert (row.estimated_prompt_tokens, row.estimated_completion_tokens) == (100, 18)


def test_who_leaves_pays_for_what_was_said_and_for_the_prompt():
    row = usage_of(record(heard=50, outcome="cancelled"))
    assert (row.cost, row.is_estimated) == (Decimal("0.0002"), True)
    assert row.prompt_tokens is None


def test_a_call_that_took_nothing_costs_nothing():
    assert usage_of(record(outcome="rate_limited")).cost == 0


@pytest.mark.parametrize("route", [None, {}, {"prompt_price": Decimal(1)}])
def test_without_a_price_the_cost_is_not_known(route):
    row = usage_of(record({"prompt_tokens": 10, "completion_tokens": 20}, heard=18, route=route))
    assert row.cost is None
    assert row.currency == ""


def test_a_call_for_several_is_divided_to_the_last_token_and_millionth():
    call = record(
        {"prompt_tokens": 10}, heard=0, tokens=11, route=PRICES | {"request_price": Decimal("0.03")}
    )
    alice, bob = Payer(uuid4(), purpose="embedding"), Payer(uuid4(), purpose="api")
    rows = [usage_of(part) for part in divided(call, {alice: 2, bob: 1})]
    assert [row.prompt_tokens for row in rows] == [6, 4]
    assert [row.estimated_prompt_tokens for row in rows] == [7, 4]
    assert sum(row.cost for row in rows) == Decimal("0.03001")
    assert [row.purpose for row in rows] == ["embedding", "api"]


@pytest.mark.django_db(transaction=True)
def test_ratios_are_learned_from_calls_by_script_and_used_for_the_next():
    served = Deployment.objects.create(
        model=Model.objects.create(name="m"),
        endpoint=Endpoint.objects.create(name="E", base_url="http://x/v1"),
        upstream_name="up",
    )
    for script, characters, tokens in [("latin", 60_000, 15_000), ("wide", 9_000, 9_000)]:
        call = record({"prompt_tokens": tokens, "completion_tokens": 1}, heard=1,
            deployment_id=served.pk)  # fmt: skip
        async_to_sync(record_call)(call)
        Usage.objects.filter(prompt_tokens=tokens).update(
            prompt_characters=characters, script=script
        )
    learn()
    (route,) = list_routes("m")
    assert route.token_ratios == {"latin": 0.25}  # of the other there was not enough
