"""The administration's page of the policy says what is done, and the rules do it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agents.authority.ruleset import current_rules, forget_rules
from agents.models import PolicyRule
from security.models import AuditEntry

pytestmark = pytest.mark.django_db
TABLE = "/admin/agents/policyrule/table/"


@pytest.fixture
def root() -> Client:
    forget_rules()
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    return client


def case(client: Client, **values: str) -> str:
    return client.get(TABLE, values).content.decode()


def test_a_case_is_tried_with_the_rules_in_force(root):
    both = {"effect": "sends", "read": "both", "readers": "nobody"}
    html = case(root, **both).split("The table")[0]
    assert 'class="verdict ask">ask' in html
    assert "The person is asked: every time." in html
    PolicyRule.objects.create(kind="allow", tool="send_mail", reason="Mail is checked.")
    html = case(root, tool="send_mail", **both).split("The table")[0]
    assert 'class="verdict ask">ask' in html
    assert "never meet without a question" in html
    clean = {"effect": "sends", "read": "clean", "readers": "everybody"}
    html = case(root, tool="send_mail", **clean).split("The table")[0]
    assert 'class="verdict allow">allow' in html
    assert "Mail is checked." in html
    assert 'class="verdict ask">ask' in case(root, tool="other", **clean).split("The table")[0]


def test_a_rule_is_made_on_the_page_counts_at_once_and_is_audited(root):
    form = {"tool": "send_mail", "kind": "deny", "is_enabled": "on", "reason": "Never."}
    assert root.post(reverse("admin:agents_policyrule_add"), form).status_code == 302
    forget_rules()
    assert [rule.kind for rule in current_rules()] == ["deny"]
    assert AuditEntry.objects.filter(act="admin.added", kind="policyrule").count() == 1
    wrong = root.post(reverse("admin:agents_policyrule_add"), form | {"tool": ""})
    assert "Name a tool" in wrong.content.decode()


def test_who_may_not_see_rules_sees_no_table():
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert client.get(TABLE).status_code == 403
    assert Client().get(TABLE).status_code == 302


def test_rules_are_read_at_most_every_two_seconds(django_assert_num_queries):
    forget_rules()
    with django_assert_num_queries(1):
        assert current_rules() == current_rules() == ()
