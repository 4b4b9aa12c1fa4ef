"""The page of a rule of the installation."""

import pytest
from django.urls import reverse

from agents.guardrails.ruleset import forget_installed
from agents.models import InstalledGuardrail

pytestmark = pytest.mark.django_db
KEYS = {
    "name": "Keys", "kind": "secrets", "places": ["input", "tool_call"], "action": "mask",
    "on_failure": "open", "reason": "Put keys into the vault.",
}  # fmt: skip
TOPIC = {
    "name": "Topic", "kind": "topic", "places": ["input"], "action": "warn", "on_failure": "closed",
    "reason": "", "mode": "never", "examples": ["Who wins?", "And the score?"], "threshold": 0.4,
}  # fmt: skip


@pytest.mark.parametrize("rule", [KEYS, TOPIC], ids=lambda rule: rule["kind"])
def test_a_rule_that_is_changed_shows_what_it_says_and_keeps_the_rest(client, admin, rule):
    client.force_login(admin)
    row = InstalledGuardrail.objects.create(name=rule["name"], rule=rule, position=3)
    page = reverse("admin:agents_installedguardrail_change", args=[row.pk])
    form = client.get(page).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    for name, value in rule.items():
        assert shown[name] == ("\n".join(value) if name == "examples" else value), name
    sent = {name: value for name, value in shown.items() if value not in (None, False)}
    answer = client.post(page, sent | {"reason": "Not here."})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row.refresh_from_db()
    assert {name: row.rule[name] for name in rule} == rule | {"reason": "Not here."}
    assert row.position == 3
    forget_installed()
