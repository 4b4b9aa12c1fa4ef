from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from gateway.metering.cached_prompts import cached_prompts_since
from gateway.models import Usage
from security.ids import new_id

pytestmark = pytest.mark.django_db


def test_what_was_saved_is_known_by_agent_and_currency():
    keeper, clerk = new_id(), new_id()
    priced = {"prompt_price": Decimal(10), "cached_price": Decimal(1), "currency": "EUR"}

    def call(agent, **fields):
        Usage.objects.create(agent_id=agent, model_name="m", **{"prompt_tokens": 1000} | fields)

    call(keeper, cached_tokens=0, cache_write_tokens=1000, cache_write_price=Decimal(12), **priced)
    call(keeper, cached_tokens=900, **priced)
    call(keeper, cached_tokens=500, currency="USD")
    call(clerk, cached_tokens=None, **priced)
    call(clerk, cached_tokens=400, prompt_price=Decimal(10), currency="EUR")  # as the prompt
    since = timezone.now() - timedelta(hours=1)
    found = {(one.agent_id, one.currency): one for one in cached_prompts_since(since)}
    assert found.keys() == {(keeper, "EUR"), (keeper, "USD"), (clerk, "EUR")}
    euros = found[keeper, "EUR"]
    assert (euros.calls, euros.share) == (2, 0.45)
    assert euros.saved == Decimal("0.0061")  # 900 × 9 read, less 1000 × 2 written, a million
    assert found[keeper, "USD"].saved == 0
    assert found[keeper, "USD"].unpriced == 1
    assert found[clerk, "EUR"].saved == 0
    assert cached_prompts_since(timezone.now() + timedelta(hours=1)) == []
