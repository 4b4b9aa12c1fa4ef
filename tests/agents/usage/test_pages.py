"""The pages of usage: what they say, and to whom."""

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.budgets.models import Budget
from accounts.budgets.opening import open_balance
from accounts.models import Grant, Membership
from accounts.services import share
from accounts.tokens import issue
from agents.models import Agent
from gateway.models import UsageDay
from security.models import AuditEntry
from tests.support.used import used

HOUR = timedelta(hours=1)


@pytest.fixture
def client_of(client):
    def make(user):
        client.force_login(user)
        return client

    return make


def read(client, name="mine", *args, days=30):
    page = client.get(reverse(f"usage:{name}", args=args), {"days": days})
    assert page.status_code == 200
    return page.context, page.content.decode()


def test_nothing_used_yet_is_said_kindly(client_of, alice):
    context, text = read(client_of(alice))
    assert context["usage"].is_empty
    assert "Nothing was used in the last 30 days." in text
    assert 'aria-label="Whose usage"' not in text  # there is only one's own


def test_ones_own_by_model_agent_and_token(client_of, alice, bob):
    agent = Agent.objects.create(owner=alice, name="Lawyer", slug="lawyer")
    token, _ = issue(alice, "laptop")
    used(account_id=alice.pk, agent_id=agent.pk, calls=3, failed=1, prompt_tokens=4000,
         cached_tokens=1000)  # fmt: skip
    used(account_id=alice.pk, token_id=token.pk, model_name="small", purpose="api", cost=0, calls=2,
         uncosted=2)  # fmt: skip
    used(account_id=bob.pk, model_name="secret")
    context, text = read(client_of(alice))
    usage = context["usage"]
    assert (usage.total.calls, usage.total.failed, usage.total.uncosted) == (5, 1, 2)
    assert usage.total.money == [("USD", Decimal("0.01"))]
    assert [part.name for part in usage.parts["model"]] == ["glm-4", "small"]
    assert [part.name for part in usage.parts["agent"]] == ["Lawyer", "Without an agent"]
    assert [part.name for part in usage.parts["token"]] == ["Without a token", "laptop"]
    assert usage.per_answer.calls == 2
    assert usage.per_answer.costs == {"USD": Decimal("0.005")}
    assert "+ 2 calls without a price" in text
    assert "0.01 USD" in text
    assert "secret" not in text


def test_an_answer_costs_all_that_was_asked_for_it(client_of, alice):
    used(account_id=alice.pk, calls=2, cost=Decimal("0.01"))
    used(account_id=alice.pk, calls=1, purpose="rewriting", cost=Decimal("0.004"))
    used(account_id=alice.pk, calls=1, purpose="enrichment", cost=Decimal("7"))
    context, _ = read(client_of(alice))
    assert context["usage"].per_answer.costs == {"USD": Decimal("0.007")}


def test_currencies_stand_side_by_side_and_the_unknown_is_unknown(client_of, alice):
    used(account_id=alice.pk, currency="EUR", cost=Decimal("2.5"))
    used(account_id=alice.pk, currency="CNY", cost=Decimal("7"))
    used(account_id=alice.pk, model_name="homemade", currency="", cost=0, uncosted=1)
    context, text = read(client_of(alice))
    assert context["usage"].total.money == [("CNY", Decimal(7)), ("EUR", Decimal("2.5"))]
    names = [chart.name for chart in context["charts"]]
    assert names == ["cost-CNY", "cost-EUR", "tokens", "calls"]
    (homemade,) = (p for p in context["usage"].parts["model"] if p.name == "homemade")
    assert homemade.spent.money == []
    assert '<span class="sum unknown">unknown</span>' in text


def test_what_is_left_of_each_budget_the_nearest_to_its_end_first(client_of, team, alice, admin):
    for unit, limit, settled, scope in (
        ("tokens", 1000, 900, "user"), ("requests", 50, 50, "user"), ("requests", 9, 1, "team"),
        ("requests", 77, 0, "installation"),
    ):  # fmt: skip
        budget = Budget.objects.create(name=f"{unit} {limit}", unit=unit, limit=limit, scope=scope)
        subject = {"user": alice.pk, "team": team.pk}.get(scope)
        if subject:
            open_balance(budget.pk, subject)
            budget.balances.update(settled=settled)
    context, text = read(client_of(alice))
    names = [quota.budget.name for quota in context["quotas"]]
    assert names == ["requests 50", "tokens 1000", "requests 9"]
    for words in ("used up", "nearly used up", "100 tokens left", "1 request of 9 requests used"):
        assert words in text
    assert 'value="0.9000"' in text
    context, _ = read(client_of(alice), "team", team.pk)
    assert [quota.budget.name for quota in context["quotas"]] == ["requests 9"]
    context, _ = read(client_of(admin), "all")
    assert [quota.budget.name for quota in context["quotas"]] == ["requests 77"]


def test_estimates_stand_beside_the_truth(client_of, admin):
    used(estimated_tokens=1100, compared_tokens=1000)
    used(model_name="never-estimated")
    context, text = read(client_of(admin), "all")
    (one,) = context["estimates"]
    assert (one.model, one.estimated, one.counted) == ("glm-4", 1100, 1000)
    assert "+10.0 %" in text


def test_days_are_those_of_the_persons_time_zone(client_of, alice):
    alice.time_zone = "Asia/Taipei"
    alice.save()
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    used(midnight - timedelta(days=2) + 15 * HOUR, account_id=alice.pk, calls=1)
    used(midnight - timedelta(days=2) + 16 * HOUR, account_id=alice.pk, calls=2)
    context, _ = read(client_of(alice))
    (calls,) = (chart for chart in context["charts"] if chart.name == "calls")
    assert [value for value in calls.series[0].values if value] == [1, 2]


def test_a_period_can_be_chosen_and_nonsense_is_the_usual_one(client_of, alice):
    used(timezone.now() - timedelta(days=20), account_id=alice.pk)
    assert read(client_of(alice), days=7)[0]["usage"].is_empty
    for days in (30, "x", 10_000):
        assert read(client_of(alice), days=days)[0]["usage"].total.calls == 1


def test_owners_see_what_their_team_was_charged(client_of, team, alice, bob, charlie):
    hidden = Agent.objects.create(owner=bob, name="Bob's diary", slug="diary")
    shared = Agent.objects.create(owner=bob, name="Press", slug="press")
    share(shared, alice, Grant.Role.READER, by=bob)
    used(account_id=bob.pk, team_ids=[team.pk], agent_id=hidden.pk)
    used(account_id=bob.pk, team_ids=sorted([team.pk, uuid4()]), agent_id=shared.pk, calls=4)
    used(account_id=bob.pk, model_name="before-he-joined")
    used(account_id=charlie.pk, model_name="elsewhere")
    context, text = read(client_of(alice), "team", team.pk)
    usage = context["usage"]
    assert usage.total.calls == 5
    assert [part.name for part in usage.parts["person"]] == ["Bob"]
    assert {part.name for part in usage.parts["agent"]} == {"Press", "Other agents"}
    for word in ("diary", "before-he-joined", "elsewhere"):
        assert word not in text
    tabs = [name for _, name in context["tabs"]]
    assert tabs == ["Mine", team.name]


def test_members_and_strangers_find_no_page_of_a_team(client_of, team, bob, charlie, admin):
    for person, status in ((bob, 404), (charlie, 404), (admin, 200)):
        client = client_of(person)
        assert client.get(reverse("usage:team", args=[team.pk])).status_code == status
        assert client.get(reverse("usage:team", args=[uuid4()])).status_code == 404


def test_who_is_no_owner_any_more_sees_no_more(client_of, team, alice, bob):
    Membership.objects.filter(user=bob).update(role="owner")
    used(account_id=alice.pk, team_ids=[team.pk])
    assert read(client_of(bob), "team", team.pk)[0]["usage"].total.calls == 1
    Membership.objects.filter(user=bob).update(role="member")
    assert client_of(bob).get(reverse("usage:team", args=[team.pk])).status_code == 404


def test_administrators_see_everybody(client_of, team, alice, bob, admin):
    used(account_id=alice.pk, team_ids=[team.pk], cost=Decimal(3))
    used(account_id=bob.pk, team_ids=[team.pk], calls=2)
    used(account_id=uuid4(), purpose="embedding", endpoint_name="there")
    used(purpose="probe")
    context, _ = read(client_of(admin), "all")
    parts = {name: [part.name for part in parts] for name, parts in context["usage"].parts.items()}
    assert parts["person"] == ["Alice", "Bob", "Deleted accounts", "Nobody"]
    assert parts["team"] == [team.name, "In no team"]
    assert set(parts["endpoint"]) == {"here", "there"}
    assert {"Vectors", "Answers", "Tests of endpoints"} == set(parts["purpose"])
    assert client_of(alice).get(reverse("usage:all")).status_code == 404


def test_staff_needs_the_right_to_see_usage(client_of, alice):
    alice.is_staff = True
    alice.save()
    assert client_of(alice).get(reverse("usage:all")).status_code == 404


def test_queries_do_not_grow_with_the_usage(client_of, admin, django_assert_max_num_queries):
    client = client_of(admin)

    def load():
        with django_assert_max_num_queries(40) as found:
            read(client, "all")
        return len(found)

    used(account_id=uuid4(), agent_id=uuid4(), team_ids=[uuid4()])
    read(client, "all")
    few = load()
    for n in range(30):
        used(timezone.now() - timedelta(days=n), account_id=uuid4(), agent_id=uuid4(),
             model_name=f"m{n}", token_id=uuid4(), team_ids=[uuid4()])  # fmt: skip
    assert load() == few


def test_a_month_is_forecast_once_there_are_days_enough(client_of, alice):
    now = timezone.now()
    for n in range(1, 20):
        used(now - timedelta(days=n), account_id=alice.pk, cost=Decimal(1))
    context, text = read(client_of(alice), days=7)
    (outlook,) = context["usage"].outlooks
    assert outlook.unit == "USD"
    assert outlook.forecast.expected > outlook.forecast.so_far
    assert "This month, expected" in text


def test_the_table_that_leaves_has_no_formula_and_is_audited(client_of, admin, alice):
    alice.name = "=HYPERLINK(1)"
    alice.save()
    used(account_id=alice.pk, model_name="+m")
    used(account_id=alice.pk, model_name="homemade", cost=0, uncosted=1)
    answer = client_of(admin).get("/api/v1/usage/export")
    text = b"".join(answer).decode("utf-8-sig")
    rows = {row["model"]: row for row in csv.DictReader(StringIO(text))}
    assert answer["Content-Disposition"].endswith('.csv"')
    assert rows["'+m"]["person"] == "'=HYPERLINK(1)"
    assert rows["'+m"]["cost"] == "0.01"
    assert rows["homemade"]["cost"] == ""
    entry = AuditEntry.objects.get(act="usage.exported")
    assert entry.detail["rows"] == 2
    assert UsageDay.objects.count() == 2


def test_the_api_says_the_same(api_for, team, alice, bob, admin):
    used(account_id=bob.pk, team_ids=[team.pk])
    mine = api_for(bob).get("/me/usage").json()
    assert mine["total"]["calls"] == 1
    assert mine["total"]["costs"] == [{"currency": "USD", "amount": "0.01"}]
    assert mine["per_answer"]["answers"] == 1
    assert len(mine["by_day"]) == 1
    theirs = api_for(alice).get(f"/teams/{team.pk}/usage?days=7").json()
    assert theirs["by"]["person"][0]["id"] == str(bob.pk)
    for path in (f"/teams/{team.pk}/usage", f"/teams/{team.pk}/usage/export", "/usage",
                 "/usage/export"):  # fmt: skip
        assert api_for(bob).get(path).status_code == 404, path
    assert api_for(admin).get("/usage").json()["time_zone"] == "UTC"
    assert api_for(bob).get("/me/usage?days=0").status_code == 422
