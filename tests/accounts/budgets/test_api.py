"""Budgets through the API: set by administrators, seen by whom they bind."""

import json

import pytest
from django.test import Client

from accounts import services, tokens
from accounts.budgets.models import Budget
from gateway.types import Payer
from security.models import AuditEntry
from tests.accounts.budgets.conftest import attempt, demand, together

pytestmark = pytest.mark.django_db(transaction=True)
MONTH = {"name": "Month", "scope": "user", "unit": "tokens", "limit": "1000"}


def client_of(user) -> Client:
    return Client(headers={"authorization": f"Bearer {tokens.issue(user, 't')[1]}"})


def send(client: Client, method: str, path: str, body=None):
    data = "" if body is None else json.dumps(body)
    return client.generic(method, f"/api/v1{path}", data, "application/json")


def test_an_administrator_makes_changes_and_deletes(admin, alice):
    root = client_of(admin)
    made = send(root, "POST", "/budgets", MONTH | {"subject_id": str(alice.pk)})
    assert made.status_code == 201, made.content
    place = f"/budgets/{made.json()['id']}"
    assert made.json()["period"] == "month"
    assert send(root, "GET", "/budgets").json() == [made.json()]
    changed = send(root, "PATCH", place, {"limit": "2000.50", "stops": False}).json()
    assert (changed["limit"], changed["stops"]) == ("2000.5", False)
    assert send(root, "DELETE", place).status_code == 204
    assert send(root, "GET", place).status_code == 404
    entries = AuditEntry.objects.filter(object_id=made.json()["id"]).order_by("pk")
    assert list(entries.values_list("act", flat=True)) == [
        "budget.made", "budget.changed", "budget.deleted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "money"},
        {"unit": "storage", "scope": "token"},
        {"scope": "installation", "subject_id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"},
        {"scope": "user", "subject_id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"},
        {"limit": "-1"},
        {"warn_at": 101},
        {"scope": "agent", "subject_id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"},
        {"webhook": "ftp://example.org"},
        {"webhook": "https://name:word@example.org/"},
        {"emails": ["nobody"]},
        {"owner": "alice"},
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(admin, wrong):
    answer = send(client_of(admin), "POST", "/budgets", MONTH | wrong)
    assert answer.status_code == 422, answer.content
    assert answer.json()["detail"]


def test_there_is_one_of_each_kind(admin):
    root = client_of(admin)
    assert send(root, "POST", "/budgets", MONTH).status_code == 201
    again = send(root, "POST", "/budgets", MONTH | {"name": "Other"})
    assert (again.status_code, again.json()["type"]) == (422, "urn:parley:problem:budget-refused")


def test_the_secret_of_a_webhook_is_told_once(admin):
    root = client_of(admin)
    made = send(root, "POST", "/budgets", MONTH | {"webhook": "https://example.org/hook"}).json()
    assert made["secret"].startswith("whsec_")
    place = f"/budgets/{made['id']}"
    assert send(root, "GET", place).json()["secret"] == ""
    assert send(root, "PATCH", place, {"warn_at": 50}).json()["secret"] == ""
    other = send(root, "PATCH", place, {"webhook": "https://example.org/other"}).json()
    assert other["secret"] not in ("", made["secret"])


def test_everybody_sees_what_is_left_of_theirs_and_of_nobody_else(admin, alice, bob, budget):
    team = services.create_team(alice, "Editors")
    each = budget(name="Each", scope="user", limit=100)
    shared = budget(name="Team", scope="team", team=team, limit=500)
    budget(name="All", limit=10**6)
    together(attempt(demand(Payer(alice.pk, team_ids=(team.pk,)), 10, 20)))
    hers = send(client_of(alice), "GET", "/me/quota").json()
    assert {(one["name"], one["owner"], one["used"], one["left"]) for one in hers} == {
        ("Each", str(alice), "30", "70"),
        ("Team", "Editors", "30", "470"),
    }
    assert [one["used"] for one in send(client_of(bob), "GET", "/me/quota").json()] == ["0"]
    me = send(client_of(alice), "GET", "/me").json()
    assert me["quota"] == hers
    seen = send(client_of(admin), "GET", f"/budgets/{each.pk}/quotas").json()
    assert [(one["owner"], one["used"]) for one in seen] == [(str(alice), "30")]
    assert send(client_of(alice), "GET", f"/budgets/{shared.pk}/quotas").status_code == 404
    assert Budget.objects.count() == 3


def test_the_page_keeps_what_a_budget_of_money_may_do(admin, budget):
    made = budget(unit="money", currency="EUR", falls_back=True, fall_back_to="small")
    browser = Client()
    browser.force_login(admin)
    answer = browser.post(
        f"/admin/accounts/budget/{made.pk}/change/",
        {"name": "New", "limit": "7", "is_hard": "on", "falls_back": "on", "fall_back_to": "small",
         "warn_at": "70", "emails": "a@example.org, b@example.org", "webhook": "",
         "is_enabled": "on"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    made.refresh_from_db()
    assert (made.name, made.limit, made.falls_back, made.fall_back_to) == ("New", 7, True, "small")
    assert (made.unit, made.currency, made.scope) == ("money", "EUR", "installation")
    assert made.emails == ["a@example.org", "b@example.org"]
