"""Endpoints as they do right now, what they can do, who would answer, and every call there was."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from gateway.admin import live
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.routing import preview
from gateway.routing.state import EndpointState, LastError
from security.ids import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def served():
    """A model with a busy endpoint, one that is out of order and one that drains."""
    model = Model.objects.create(name="m", strategy="priority")
    made = {}
    for priority, name in enumerate(("broken", "busy", "draining"), 1):
        made[name] = Endpoint.objects.create(
            name=name, base_url="http://127.0.0.1:9/v1", is_draining=name == "draining"
        )
        Deployment.objects.create(
            model=model, endpoint=made[name], upstream_name="m", priority=priority,
            probed={"tools": True, "vision": False}, capabilities={"vision": True},
        )  # fmt: skip
    return made


@pytest.fixture
def states(monkeypatch, served):
    now = datetime.now(UTC)
    known = {
        served["broken"].pk: EndpointState(
            served["broken"].pk, breaker="open", error_rate=0.62,
            reopens_at=now + timedelta(minutes=1),
            last_errors=(LastError(now, "endpoint_timeout", "It was silent for 5 s."),),
        ),
        served["busy"].pk: EndpointState(
            served["busy"].pk, in_flight=7, waiting=2, first_token_ms=431.0, tokens_per_second=52.0
        ),
    }  # fmt: skip

    def read(ids):
        return {pk: known.get(pk, EndpointState(pk)) for pk in ids}

    monkeypatch.setattr(live, "read_states", read)
    monkeypatch.setattr(preview, "read_states", read)
    return known


def staff(*rights: str) -> Client:
    person = User.objects.create_user("clerk@example.org", is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(person)
    return client


def change(model: str, row) -> str:
    return reverse(f"admin:gateway_{model}_change", args=[row.pk])


def test_the_list_and_the_page_show_how_an_endpoint_does(root_client, served, states):
    html = root_client.get(reverse("admin:gateway_endpoint_changelist")).content.decode()
    for said in ("out of order", "working", "draining", "7/64", "2 waiting", "431 ms", "62 % err"):
        assert said in html, said
    page = root_client.get(change("endpoint", served["broken"])).content.decode()
    assert "endpoint_timeout" in page
    assert "It was silent for 5 s." in page
    assert "✓</span> tools" in page
    assert "corrected by hand" in page


def test_what_changed_is_asked_for_without_the_page(root_client, served, states):
    place = reverse("admin:gateway_endpoint_live")
    both = {"id": [served["busy"].pk, served["broken"].pk, "nonsense"]}
    with CaptureQueriesContext(connection) as queries:
        html = root_client.get(place, both).content.decode()
    asked = len(queries)
    assert html.count("data-live=") == 2
    with CaptureQueriesContext(connection) as queries:
        whole = root_client.get(place, {"id": served["busy"].pk, "whole": "1"}).content.decode()
    assert len(queries) <= asked
    assert "Tokens a second" in whole
    assert staff().get(place, both).status_code == 403


def test_it_is_drained_and_reset_from_its_page_by_those_who_may(root_client, served, states):
    endpoint = served["busy"]
    place = reverse("admin:gateway_endpoint_act", args=[endpoint.pk])
    assert root_client.post(place, {"act": "drain"}).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.is_draining
    root_client.post(place, {"act": "stop_draining"})
    endpoint.refresh_from_db()
    assert not endpoint.is_draining
    assert root_client.post(place, {"act": "reset_breaker"}).status_code == 302
    assert root_client.post(place, {"act": "delete_selected"}).status_code == 403
    assert root_client.get(place).status_code == 405
    missing = reverse("admin:gateway_endpoint_act", args=[new_id()])
    assert root_client.post(missing, {"act": "drain"}).status_code == 404
    assert staff("view_endpoint").post(place, {"act": "drain"}).status_code == 403
    endpoint.refresh_from_db()
    assert not endpoint.is_draining


def test_whoever_drains_the_last_endpoint_of_a_model_is_told_what_follows(root_client, served):
    def drain(name):
        place = reverse("admin:gateway_endpoint_act", args=[served[name].pk])
        return root_client.post(place, {"act": "drain"}, follow=True).content.decode()

    assert "Nothing else serves" not in drain("busy")
    assert "Nothing else serves m:" in drain("broken")


def test_labels_are_a_line_and_capabilities_are_chosen(root_client, served, states):
    endpoint = served["busy"]
    form = {
        "name": "busy", "base_url": endpoint.base_url, "is_enabled": "on", "max_concurrency": 8,
        "connect_timeout": 5, "first_token_timeout": 5, "idle_timeout": 5, "total_timeout": 60,
        "queue_timeout": 5, "labels": "EU,  confidential, eu", "deployments-TOTAL_FORMS": 0,
        "deployments-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert root_client.post(change("endpoint", endpoint), form).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.labels == ["confidential", "eu"]
    wrong = root_client.post(change("endpoint", endpoint), form | {"labels": "eu, <b>"})
    assert "is no label" in wrong.content.decode()

    deployment = Deployment.objects.get(endpoint=endpoint)
    page = root_client.get(change("deployment", deployment)).content.decode()
    assert re.search(r'name="capabilities_tools".*?as found: yes', page, re.DOTALL)
    form = {
        "model": deployment.model_id, "endpoint": endpoint.pk, "upstream_name": "m",
        "priority": 1, "weight": 2, "extra_body": "{}", "is_enabled": "on",
        "capabilities_tools": "no", "capabilities_vision": "",
    }  # fmt: skip
    assert root_client.post(change("deployment", deployment), form).status_code == 302
    deployment.refresh_from_db()
    assert deployment.capabilities == {"tools": False}


def test_the_page_of_a_model_says_who_would_answer_now(root_client, served, states):
    html = root_client.get(change("model", Model.objects.get())).content.decode()
    order = re.findall(r"<td>(\d\.|–)</td>\s*<th scope=\"row\"><a[^>]*>(\w+)</a>", html)
    assert order == [("1.", "busy"), ("2.", "broken"), ("–", "draining")]
    assert "First by priority of those that are well." in html
    assert "out of order; asked only when no other is left" in html
    assert "its endpoint is draining" in html


def test_every_attempt_of_a_turn_is_found_and_no_prompt_is_shown(root_client, alice):
    turn = new_id()
    calls = [
        {"endpoint_name": "a", "outcome": "endpoint_timeout", "detail": "It was silent."},
        {"endpoint_name": "b", "attempt": 2, "why": "The only one left.", "first_token_ms": 80,
         "total_ms": 900, "prompt_tokens": 11, "completion_tokens": 7},
    ]  # fmt: skip
    for call in calls:
        Usage.objects.create(model_name="m", turn_id=turn, account_id=alice.pk, **call)
    Usage.objects.create(model_name="other")
    place = reverse("admin:gateway_usage_changelist")
    for query, count in (
        (f"q={turn}", 2), (f"q={alice.pk}", 2), (f"q={alice.email}", 2), ("q=no@one.org", 0),
        ("outcome=endpoint_timeout", 1), ("outcome=other", 1), ("attempt=more", 1),
    ):  # fmt: skip
        response = root_client.get(f"{place}?{query}")
        assert response.context["cl"].result_count == count, query
    html = root_client.get(f"{place}?q={turn}").content.decode()
    for said in (
        "attempt 1", "attempt 2", "endpoint_timeout", "It was silent.", "11 + 7", "80 ms, 900 ms",
        "m @ b", "The only one left.",
    ):  # fmt: skip
        assert said in html, said
    assert f"?q={turn}" in html
    row = Usage.objects.filter(turn_id=turn).first()
    assert alice.email in root_client.get(change("usage", row)).content.decode()
    assert staff().get(place).status_code == 403
