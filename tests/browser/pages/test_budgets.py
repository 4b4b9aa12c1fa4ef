"""A budget is set by hand: the form shows what belongs to it, the page who has used how much."""

import pytest
from playwright.sync_api import expect

from accounts.budgets.models import EVERYBODY, Budget, BudgetBalance
from tests.browser.pages.conftest import DARK, PHONE, accessibility_violations

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_budget_of_money_is_made_and_read(visit, admin, alice):
    page = visit(admin, "/admin/accounts/budget/add/")
    expect(page.locator(".field-team")).to_be_hidden()
    expect(page.locator(".field-currency")).to_be_hidden()
    page.get_by_label("For:").select_option("team")
    expect(page.locator(".field-team")).to_be_visible()
    expect(page.locator(".field-user")).to_be_hidden()
    page.get_by_label("For:").select_option("user")
    page.get_by_label("Unit").select_option("money")
    expect(page.locator("#id_fall_back_to")).to_be_visible()
    page.locator("#id_name").fill("Everybody's month")
    page.locator("#id_limit").fill("20")
    page.locator("#id_currency").fill("eur")
    page.locator("#id_webhook").fill("https://example.org/hook")
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("whsec_")
    made = Budget.objects.get()
    assert (made.currency, made.period, made.falls_back) == ("EUR", "month", False)
    BudgetBalance.objects.create(
        budget=made, subject_id=alice.pk, settled="17.5", starts_at="2026-01-01T00:00Z",
        ends_at="2199-01-01T00:00Z",
    )  # fmt: skip
    page.reload()
    expect(page.get_by_role("row", name="Everybody's month")).to_contain_text("17.50 EUR · 88 %")
    assert accessibility_violations(page) == []
    page.get_by_role("link", name="Everybody's month").click()
    row = page.get_by_role("row", name=str(alice))
    expect(row).to_contain_text("2.50 EUR")
    assert accessibility_violations(page) == []
    page.evaluate(DARK)
    assert accessibility_violations(page) == []


def test_on_a_phone_and_for_the_installation(visit, admin):
    made = Budget.objects.create(name="All", scope="installation", limit=1_000_000)
    BudgetBalance.objects.create(
        budget=made, subject_id=EVERYBODY, settled=990_000, starts_at="2026-01-01T00:00Z",
        ends_at="2199-01-01T00:00Z",
    )  # fmt: skip
    page = visit(admin, f"/admin/accounts/budget/{made.pk}/change/", **PHONE)
    expect(page.get_by_role("row", name="this installation")).to_contain_text("10,000 tokens")
    field, card = page.locator("#id_name"), page.locator("fieldset:has(#id_name)")
    ends = [it.evaluate("(el) => el.getBoundingClientRect().right") for it in (field, card)]
    assert ends[0] < ends[1], "the field goes beyond its card"
    assert accessibility_violations(page) == []
