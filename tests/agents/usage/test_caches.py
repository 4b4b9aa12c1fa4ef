"""The page of caches: what they spare and save, and forgetting."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from agents.models import Agent
from agents.reuse.models import Saving
from caching.cache import caches
from gateway.embedding.cache import VECTORS
from gateway.models import Deployment, Endpoint, Model
from security.models import AuditEntry
from tests.support.used import used

PAGE = "/settings/usage/caches/"
FLUSH = "/settings/usage/caches/flush"


@pytest.fixture
def lawyer(alice):
    return Agent.objects.create(owner=alice, name="Lawyer", slug="lawyer", reuse="person")


@pytest.fixture
def browser(client, admin):
    client.force_login(admin)
    return client


def test_every_cache_has_a_row_and_a_name(browser):
    context = browser.get(PAGE).context
    assert [held.figures.name for held in context["held"]] == sorted(caches)
    titles = {held.figures.name: held.title for held in context["held"]}
    assert titles["vectors"] == "Vectors of questions"
    assert titles["answers.similar"] == "Similar questions"


def test_what_servers_remembered_saves_at_the_price_of_the_day(browser, lawyer):
    place = Endpoint.objects.create(name="here", base_url="http://127.0.0.1:1/v1")
    model = Model.objects.create(name="glm-4")
    deployment = Deployment.objects.create(
        model=model, endpoint=place, upstream_name="glm-4", prompt_price=10, completion_price=20,
        cached_price=1,
    )  # fmt: skip
    yesterday = timezone.now() - timedelta(days=1)
    deployment.price_history.update(valid_from=yesterday - timedelta(days=9))
    deployment.cached_price = Decimal(5)  # from today on
    deployment.save()
    many = {"agent_id": lawyer.pk, "prompt_tokens": 2_000_000, "cached_tokens": 1_000_000}
    used(yesterday, **many)
    used(**many)
    used(**many | {"model_name": "homemade"})
    (prompts,) = browser.get(PAGE).context["prompts"]
    assert prompts.name == "Lawyer"
    assert prompts.share == 0.5
    assert prompts.money == [("USD", Decimal(9 + 5))]
    assert prompts.unpriced == 1_000_000


def test_answers_given_again_are_told_by_agent(browser, lawyer):
    today = timezone.now().date()
    for similar, answers in ((False, 7), (True, 2)):
        Saving.objects.create(
            day=today, agent_id=lawyer.pk, is_similar=similar, currency="EUR", answers=answers,
            tokens=100, cost=Decimal("0.5"), unpriced=0,
        )  # fmt: skip
    page = browser.get(PAGE)
    (reused,) = page.context["reused"]
    assert (reused.answers, reused.alike, reused.tokens) == (9, 2, 200)
    assert reused.money == [("EUR", Decimal(1))]
    assert "2 to similar questions" in page.content.decode()


def test_a_cache_is_emptied_and_that_is_audited(browser, lawyer, alice):
    for form in ({"cache": VECTORS.name}, {"agent": lawyer.pk}, {"person": alice.email}):
        answer = browser.post(FLUSH, form, follow=True)
        assert "Forgotten." in answer.content.decode(), form
    kinds = AuditEntry.objects.filter(act="cache.flushed").values_list("kind", flat=True)
    assert sorted(kinds) == ["", "agent", "user"]
    answer = browser.post(FLUSH, {"person": "nobody@example.org"}, follow=True)
    assert "Nobody here has this address." in answer.content.decode()
    for form in ({"cache": "none"}, {"agent": alice.pk}, {"agent": "x"}):
        assert browser.post(FLUSH, form).status_code == 404, form


def test_staff_who_may_only_look_may_not_empty(client, alice, admin):
    alice.is_staff = True
    alice.save()
    alice.user_permissions.add(Permission.objects.get(codename="view_usage"))
    client.force_login(alice)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Empty" not in page.content.decode()
    assert client.post(FLUSH, {"cache": VECTORS.name}).status_code == 404


def test_the_api_tells_and_empties(api_for, admin, alice, lawyer):
    program = api_for(admin)
    names = [cache["name"] for cache in program.get("/caches?days=7").json()]
    assert names == sorted(caches)
    assert program.post("/caches/flush", {"cache": "vectors"}).json() == {"flushed": True}
    assert program.post("/caches/flush", {"agent": str(lawyer.pk)}).json() == {"flushed": True}
    assert program.post("/caches/flush", {"person": str(alice.pk)}).json() == {"flushed": True}
    for body in ({}, {"cache": "vectors", "agent": str(lawyer.pk)}):
        assert program.post("/caches/flush", body).status_code == 422, body
    assert api_for(alice).get("/caches").status_code == 404
    assert api_for(alice).post("/caches/flush", {"cache": "vectors"}).status_code == 404
