"""A price list in the browser: chosen, read, taken over; and the history it leaves."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from gateway.models import Deployment, Endpoint, Model
from tests.browser.pages.conftest import DARK, accessibility_violations

pytestmark = pytest.mark.django_db(transaction=True)
LIST = b"model,prompt,completion,cached,currency\nlarge,2.5,10,1.25,EUR\nsmall,0.1,0.4,,EUR\n"


def test_prices_are_read_from_a_list_and_taken_over(visit, admin):
    endpoint = Endpoint.objects.create(name="far", base_url="https://example.org/v1")
    for name in ("large", "small", "local"):
        model = Model.objects.create(name=name)
        served = Deployment(model=model, endpoint=endpoint, upstream_name=name)
        served.prompt_price = served.completion_price = Decimal(3) if name == "large" else None
        served.save()
    page = visit(admin, "/admin/gateway/deployment/")
    page.get_by_role("link", name="Prices from a list").click()
    expect(page.get_by_label("Price list")).to_be_visible()
    assert accessibility_violations(page) == []
    file = {"name": "prices.csv", "mimeType": "text/csv", "buffer": LIST}
    page.get_by_label("Price list").set_input_files(file)
    page.get_by_role("button", name="Show what changes").click()
    changes = page.get_by_role("region", name="What changes").get_by_role("table")
    expect(changes.get_by_role("rowheader", name="large @ far")).to_be_visible()
    expect(page.get_by_text("local @ far")).to_be_visible()
    assert accessibility_violations(page) == []
    page.evaluate(DARK)
    assert accessibility_violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Take these prices over").click()
    expect(page.locator(".messagelist")).to_contain_text("2 prices changed.")
    large = Deployment.objects.get(upstream_name="large")
    assert (large.completion_price, large.currency) == (10, "EUR")
    page.goto(page.url + f"{large.pk}/change/")
    history = page.get_by_role("region", name="What it has cost")
    expect(history.get_by_role("row")).to_have_count(3)
    assert accessibility_violations(page) == []
