from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from agents.reuse.models import Saving
from agents.services import ensure_builtin_agents
from events import jobs
from events.models import Job
from gateway.models import Usage


def test_the_dashboard_counts_and_compares(client_of, admin, django_assert_max_num_queries):
    now = timezone.now()
    for days, wait in [(1, 100), (2, 200), (9, 50)]:
        usage = Usage.objects.create(model_name="m", first_token_ms=wait, prompt_tokens=5)
        Usage.objects.filter(pk=usage.pk).update(created_at=now - timedelta(days=days))
    job = jobs.enqueue("knowledge.jobs.ingest_document", {}, admin.pk, None)
    Job.objects.filter(pk=job.pk).update(status="failed", reason="This file is damaged.")
    client = client_of(admin)
    page = client.get(reverse("admin:index"))
    answers, people, first_token, failed = page.context["figures"]
    assert (answers.value, people.value, failed.value) == (0, 0, 1)
    assert (round(first_token.value), first_token.change, first_token.is_worse) == (195, 290, True)
    assert [trouble.why for trouble in page.context["troubles"]] == ["This file is damaged."]
    assert "This file is damaged." in page.content.decode()
    for app in ("People and access", "Models and endpoints"):
        assert app in page.content.decode()


def test_the_dashboard_tells_what_caches_spared(client_of, admin):
    today = timezone.now().date()
    for currency, cost in (("EUR", 2), ("", 0)):
        Saving.objects.create(
            day=today, agent_id=admin.pk, is_similar=False, currency=currency, answers=3, tokens=9,
            cost=cost, unpriced=0,
        )  # fmt: skip
    page = client_of(admin).get(reverse("admin:index"))
    caches = page.context["caches"]
    assert (caches.reused, caches.saved) == (6, [("EUR", 2)])
    assert "2.00 EUR" in page.content.decode()


def test_the_administration_wears_the_theme_of_the_person(client_of, admin):
    admin.theme = "dark"
    admin.save()
    assert b"theme-dark" in client_of(admin).get(reverse("admin:index")).content


def test_agents_are_listed_for_those_who_may_use_them(client_of, alice, charlie):
    agent = ensure_builtin_agents(alice)
    assert agent.name in client_of(charlie).get(reverse("agents:home")).content.decode()
    agent.delete()
    assert "No agents yet" in client_of(charlie).get(reverse("agents:home")).content.decode()
