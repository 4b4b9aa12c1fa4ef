"""The first page of the administration: charts drawn from real rows, and the same as tables."""

import random
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from chat.models import Turn
from chat.services import start_turn
from gateway.models import Usage
from tests.browser.pages.conftest import PHONE, accessibility_violations

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = 14


@pytest.fixture
def fortnight(admin):
    """Answers of two weeks; three of them failed."""
    cache.clear()
    chance = random.Random(7)
    now = timezone.now()
    for back in range(DAYS):
        for n in range(chance.randrange(2, 7)):
            turn = start_turn(admin, None, f"Question {back}.{n}?")
            status = "failed" if back < 3 and n == 0 else "completed"
            at = now - timedelta(days=back)
            Turn.objects.filter(pk=turn.pk).update(status=status, created_at=at)
            waited = chance.randrange(80, 900)
            usage = Usage.objects.create(
                model_name="m", first_token_ms=waited, prompt_tokens=3000, completion_tokens=400
            )
            Usage.objects.filter(pk=usage.pk).update(created_at=at)


def test_charts_of_two_weeks(visit, admin, fortnight):
    page = visit(admin, "/admin/")
    drawn = page.locator("[data-chart] canvas")
    expect(drawn).to_have_count(4)  # no jobs, no documents: nothing to draw
    expect(page.get_by_text("Nothing yet in this time.")).to_have_count(2)
    answers = page.locator("section", has=page.get_by_role("heading", name="Answers", exact=True))
    answers.get_by_text("As a table").click()
    failed = answers.locator(".chart-rows tbody tr").first.locator("td").nth(1)
    expect(failed).to_have_text("1")
    expect(answers.locator(".u-legend")).to_contain_text("Cut short or failed")
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    expect(drawn).to_have_count(4)
    expect(answers.locator(".chart-rows tbody tr")).to_have_count(30)
    assert accessibility_violations(page) == []


def test_charts_on_a_phone(visit, admin, fortnight):
    page = visit(admin, "/admin/", **PHONE)
    expect(page.locator("[data-chart] canvas")).to_have_count(4)
    assert accessibility_violations(page) == []
