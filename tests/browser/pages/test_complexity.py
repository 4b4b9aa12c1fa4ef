"""Complexity routing by hand: a question is tried, choices are corrected by click and by key."""

import pytest
from playwright.sync_api import expect

from gateway.models import Model, RoutingAlias, RoutingChoice, RoutingRule
from tests.browser.pages.conftest import DARK, PHONE, accessibility_violations

pytestmark = pytest.mark.django_db(transaction=True)
SEEN = [
    ({"lookup": 1, "tokens": 9, "passages": 6}, "simple", "small", 0.4),
    ({"comparison": 1, "tokens": 41, "passages": 2}, "medium", "middle", 2.8),
    ({"code": 1, "reasoning": 1, "tokens": 520, "history": 4}, "hard", "large", 6.1),
]


@pytest.fixture
def alias():
    small, middle, large = (Model.objects.create(name=n) for n in ("small", "middle", "large"))
    alias = RoutingAlias.objects.create(
        model=Model.objects.create(name="auto"),
        simple=small,
        medium=middle,
        hard=large,
        judge=small,
    )
    RoutingRule.objects.create(alias=alias, conditions="code\ntokens > 400", tier="hard")
    for features, tier, target, points in SEEN:
        RoutingChoice.objects.create(
            alias=alias, tier=tier, target=target, features=features, score=points, voted_by="score"
        )
    return alias


def test_a_question_is_tried_and_choices_are_corrected(visit, admin, alias):
    page = visit(admin, f"/admin/gateway/routingalias/{alias.pk}/change/")
    page.get_by_label("How would it be judged?").fill("Compare leases with locks: why both?")
    page.get_by_role("button", name="Judge it").click()
    expect(page.locator("[data-trial]")).to_contain_text("comparison question")
    rows = page.locator("[data-correct]")
    rows.first.get_by_role("button", name="medium").click()
    chosen = rows.first.locator("[aria-pressed=true]")
    expect(chosen).to_have_text("medium")
    expect(chosen).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1).get_by_role("button", name="simple")).to_be_focused()
    page.keyboard.press("3")
    expect(rows.nth(1).locator("[aria-pressed=true]")).to_have_text("hard")
    page.keyboard.press("3")
    expect(rows.nth(1).locator("[aria-pressed=true]")).to_have_count(0)
    assert list(RoutingChoice.objects.order_by("-pk").values_list("corrected_tier", flat=True)) == [
        "medium",
        "",
        "",
    ]
    page.reload()
    expect(page.get_by_role("row", name="As it is")).to_contain_text("1 / 1")
    assert accessibility_violations(page) == []
    page.evaluate(DARK)
    assert accessibility_violations(page) == []
    page.get_by_role("link", name="All its choices").click()
    expect(page.locator("[data-correct]")).to_have_count(3)
    page.locator("[data-correct]").last.get_by_role("button", name="hard").click()
    expect(page.locator("[data-correct]").last.get_by_role("link")).to_have_text("Make a rule")
    assert accessibility_violations(page) == []
    page.locator("[data-correct]").last.get_by_role("link").click()
    expect(page.get_by_label("conditions")).to_have_value("lookup\npassages >= 6")


def test_on_a_phone(visit, admin, alias):
    page = visit(admin, f"/admin/gateway/routingalias/{alias.pk}/change/", **PHONE)
    expect(page.get_by_role("heading", name="Regret")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    assert accessibility_violations(page) == []
