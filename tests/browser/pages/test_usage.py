"""Usage and caches: charts that are drawn and tables that say the same, also on a phone."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.budgets.models import Budget
from accounts.budgets.opening import open_balance
from accounts.models import Membership, Team
from agents.models import Agent
from agents.reuse.models import Saving
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.support.used import used

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = (("glm-4-air", "USD", 3), ("qwen-max", "CNY", 9), ("homemade-7b", "", 0))


@pytest.fixture
def month(admin, bob, charlie):
    """Five weeks of three people in a team, two currencies and a model without a price."""
    chance = random.Random(7)
    team = Team.objects.create(name="Legal")
    Membership.objects.create(team=team, user=bob, role="owner")
    agents = [
        Agent.objects.create(owner=bob, name=name, slug=name.lower(), reuse="shared")
        for name in ("Contracts", "Research")
    ]
    for back in range(35):
        at = timezone.now() - timedelta(days=back)
        for model, currency, price in MODELS:
            for person in (bob, charlie, admin):
                calls = chance.randrange(1, 9) * (1 if at.weekday() < 5 else 0)
                if calls:
                    used(
                        at, account_id=person.pk, team_ids=[team.pk], model_name=model,
                        agent_id=chance.choice([*[agent.pk for agent in agents], None]),
                        calls=calls, failed=int(back in (2, 9)), currency=currency,
                        cost=Decimal(price * calls) / 100, uncosted=0 if price else calls,
                        prompt_tokens=4000 * calls, cached_tokens=1500 * calls if price else 0,
                        completion_tokens=600 * calls, purpose=chance.choice(["chat", "title"]),
                        estimated_tokens=3900 * calls, compared_tokens=4000 * calls,
                    )  # fmt: skip
    for name, unit, limit, settled, currency in (
        ("Tokens of a month", "tokens", 2_000_000, 1_890_000, ""),
        ("Models", "money", 20, 7, "USD"),
        ("Questions", "requests", 500, 500, ""),
    ):
        budget = Budget.objects.create(
            name=name, unit=unit, limit=limit, scope="user", currency=currency, user=bob
        )
        open_balance(budget.pk, bob.pk)
        budget.balances.update(settled=settled)
    today = timezone.now().date()
    Saving.objects.create(
        day=today, agent_id=agents[0].pk, is_similar=False, currency="USD", answers=41,
        tokens=180_000, cost=Decimal("1.23"), unpriced=0,
    )  # fmt: skip
    return team


def test_my_usage_from_figures_to_tables(visit, bob, month):
    page = visit(bob, "/settings/usage/")
    expect(page.locator("[data-chart] canvas")).to_have_count(4)  # two currencies, tokens, calls
    expect(page.get_by_role("progressbar", name="Tokens of a month")).to_have_attribute(
        "value", "0.9450"
    )
    expect(page.get_by_text("nearly used up")).to_be_visible()
    figures = page.locator(".usage-figures")
    expect(figures).to_contain_text("calls without a price")
    expect(figures).to_contain_text("This month, expected")
    cost = page.locator("section", has=page.get_by_role("heading", name="Cost in CNY"))
    cost.get_by_text("As a table").click()
    expect(cost.locator(".chart-rows tbody tr")).to_have_count(30)
    expect(cost.locator(".chart-rows tbody")).to_contain_text("CNY")
    assert accessibility_violations(page) == []
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-chart] canvas")).to_have_count(4)
    page.get_by_role("link", name="Legal").click()
    expect(page.get_by_role("heading", name="By person")).to_be_visible()
    expect(page.get_by_role("region", name="By person")).to_contain_text("Charlie")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_everybody_and_caches_for_administrators(visit, admin, month):
    page = visit(admin, "/settings/usage/everyone/")
    expect(page.locator("[data-chart] canvas")).to_have_count(4)
    expect(page.get_by_role("region", name="Estimates and truth")).to_contain_text("-2.5 %")
    assert accessibility_violations(page) == []
    page.get_by_role("link", name="Caches").click()
    expect(page.get_by_role("region", name="Answers given again")).to_contain_text("1.23 USD")
    page.get_by_role("button", name="Empty Vectors of questions").click()
    expect(page.get_by_text("Forgotten.")).to_be_visible()
    assert accessibility_violations(page) == []


def test_usage_on_a_phone_in_chinese_and_empty(visit, bob, alice, month):
    bob.language = "zh-hant"
    bob.save()
    page = visit(bob, "/settings/usage/", **PHONE)
    expect(page.locator("[data-chart] canvas")).to_have_count(4)
    assert accessibility_violations(page) == []
    nothing = visit(alice, "/settings/usage/", **PHONE)
    expect(nothing.get_by_text("Nothing was used in the last 30 days.")).to_be_visible()
    assert accessibility_violations(nothing) == []
