"""Price lists: what is read of them, whose prices they are, and what taking them over does."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from gateway.metering.price_lists import LARGEST_FILE, NoPriceList, compare, read_list, take_over
from gateway.models import Deployment, Endpoint, Model, Price
from security.models import AuditEntry

LITELLM = {
    "sample_spec": {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "gpt-4o": {
        "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06, "mode": "chat",
    },
    "mistral/small": {"input_cost_per_token": 1e-07, "output_cost_per_token": 3e-07},
    "azure/twice": {"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
    "openai/twice": {"input_cost_per_token": 2e-06, "output_cost_per_token": 2e-06},
    "odd": {"input_cost_per_token": "a lot", "output_cost_per_token": -1},
    "no object": 3,
}  # fmt: skip


def deployment(name, endpoint="E", **prices):
    served = Deployment(
        model=Model.objects.get_or_create(name=name.replace("/", "-"))[0],
        endpoint=Endpoint.objects.get_or_create(name=endpoint, base_url="http://x/v1")[0],
        upstream_name=name,
        **prices,
    )
    served.save()
    return served


def entries(told=LITELLM):
    return read_list(told if isinstance(told, bytes) else json.dumps(told).encode())


def test_litellms_prices_of_a_token_become_those_of_a_million():
    found = {entry.model: entry.prices for entry in entries()}
    assert found.keys() == {"gpt-4o", "mistral/small", "azure/twice", "openai/twice"}
    assert found["gpt-4o"] == {
        "currency": "USD", "prompt_price": Decimal("2.5"), "completion_price": Decimal(10),
        "cached_price": Decimal("1.25"), "cache_write_price": None, "request_price": None,
    }  # fmt: skip


def test_our_own_lists_have_currencies_and_may_name_an_endpoint():
    (one, other) = entries(
        b"\xef\xbb\xbfModel,Endpoint,Prompt,Completion,Currency\r\n"
        b"m,E,1.5,2,eur\r\nm,,3,4,\r\nbad,,x,,\r\nodd,,1,1,euros\r\n"
    )
    assert (one.endpoint, one.prices["prompt_price"], one.prices["currency"]) == ("E", 1.5, "EUR")
    assert (other.endpoint, other.prices["currency"]) == ("", "USD")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"{", "JSON"),
        (b'{"a": ' + b"[" * 200_000, "JSON"),
        (b"name,price\nm,1", "columns"),
        (b"", "columns"),
        (b"model,prompt,completion\n", "no prices"),
        (b"{}", "no prices"),
        (b" " * (LARGEST_FILE + 1), "16 MB"),
    ],
)
def test_what_is_no_price_list_is_refused_in_words(data, why):
    with pytest.raises(NoPriceList, match=why):
        read_list(data)


@pytest.mark.django_db
def test_deployments_are_found_by_name_also_behind_a_provider():
    gpt = deployment("gpt-4o")
    small = deployment("small", prompt_price=Decimal("0.1"), completion_price=Decimal("0.3"))
    twice, unknown = deployment("twice"), deployment("else")
    found = compare(entries(), Deployment.objects.select_related("model", "endpoint"))
    assert [change.deployment for change in found.changes] == [gpt]
    assert (found.same, found.unclear, found.unknown) == ((small,), (twice,), (unknown,))
    assert found.changes[0].told[1] == ["2.5", "10", "1.25", "–", "–", "USD"]


@pytest.mark.django_db
def test_taking_over_is_history_and_audited(tmp_path):
    deployment("gpt-4o", prompt_price=Decimal(5), completion_price=Decimal(15))
    place, out = tmp_path / "list.json", StringIO()
    place.write_text(json.dumps(LITELLM))
    call_command("import_prices", str(place), stdout=out)
    assert Price.objects.count() == 1
    assert "5 15 – – – USD -> 2.5 10 1.25 – – USD" in out.getvalue()
    call_command("import_prices", str(place), "--yes", stdout=out)
    assert list(Price.objects.values_list("prompt_price", flat=True)) == [Decimal("2.5"), 5]
    assert AuditEntry.objects.filter(act="prices.taken").exists()
    again = compare(entries(), Deployment.objects.select_related("model", "endpoint"))
    assert take_over(again.changes) == 0
    place.write_text("nothing")
    with pytest.raises(CommandError, match="columns"):
        call_command("import_prices", str(place))
