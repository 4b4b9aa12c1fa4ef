"""What calls cost: exactly, or not known; and what they cost before."""

from decimal import Decimal

import pytest

from gateway.metering.prices import Cost, cost_of
from gateway.models import Deployment, Endpoint, Model, Price
from gateway.routing.routes import list_routes
from gateway.types import Route, TokenUsage

PRICES = {"prompt_price": Decimal("2.5"), "completion_price": Decimal(10), "currency": "EUR"}


def cost(usage=None, **prices):
    route = Route("m", "up", "E", "http://x", **(PRICES | prices))
    return cost_of(route, TokenUsage(**(usage or {"prompt_tokens": 1000, "completion_tokens": 10})))


def test_tokens_are_charged_exactly():
    assert cost() == Cost(Decimal("0.0026"), "EUR")
    one = cost({"prompt_tokens": 1, "completion_tokens": 0}, prompt_price=Decimal("0.000001"))
    assert one.amount == Decimal("0.000000000001")


def test_cached_and_written_tokens_have_prices_of_their_own_or_the_prompts():
    usage = {
        "prompt_tokens": 1000, "cached_tokens": 600, "cache_write_tokens": 100,
        "completion_tokens": 0,
    }  # fmt: skip
    assert cost(usage).amount == Decimal("0.0025")
    cheap = cost(usage, cached_price=Decimal("0.5"), cache_write_price=Decimal(5))
    assert cheap.amount == (300 * Decimal("2.5") + 600 * Decimal("0.5") + 100 * 5) / 10**6


def test_a_request_may_have_a_price_whatever_its_length():
    assert cost(request_price=Decimal("0.01")).amount == Decimal("0.0126")


@pytest.mark.parametrize(
    ("usage", "prices"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 1}, {"completion_price": None}),
        ({"prompt_tokens": 5, "completion_tokens": 1}, {"prompt_price": None}),
        ({"prompt_tokens": None, "completion_tokens": 1}, {}),
        ({"prompt_tokens": 5, "completion_tokens": None}, {}),
    ],
)
def test_what_is_not_known_has_no_cost_and_never_nothing(usage, prices):
    assert cost(usage, **prices).amount is None


def test_what_is_free_is_known_to_be_free_also_uncounted():
    free = {"prompt_price": Decimal(0), "completion_price": Decimal(0)}
    assert cost({}, **free).amount == 0
    assert cost({"prompt_tokens": 3, "completion_tokens": 0}, completion_price=None).amount == (
        Decimal("0.0000075")
    )


@pytest.mark.django_db
def test_each_change_of_a_price_is_history():
    served = Deployment(
        model=Model.objects.create(name="m"),
        endpoint=Endpoint.objects.create(name="E", base_url="http://x/v1"),
        upstream_name="up",
    )
    served.save()
    assert not Price.objects.exists()
    served.prompt_price = Decimal(1)
    served.save()
    served.priority = 3
    served.save()
    served.prompt_price, served.currency = None, "CNY"
    served.save()
    assert list(Price.objects.values_list("prompt_price", "currency")) == [
        (None, "CNY"), (Decimal(1), "USD"),
    ]  # fmt: skip
    served.cached_price = Decimal("0.1")
    served.save()
    (route,) = list_routes("m")
    assert (route.currency, route.cached_price) == ("CNY", Decimal("0.1"))
