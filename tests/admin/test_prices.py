"""Price lists in the browser: shown first, taken over as shown, and only by who may."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from gateway.models import Deployment, Endpoint, Model

pytestmark = pytest.mark.django_db
LIST = b"model,prompt,completion,currency\nup,0.5,100,EUR\ntwice,1,1,\ntwice,2,2,\n"


@pytest.fixture
def served():
    endpoint = Endpoint.objects.create(name="E", base_url="http://x/v1")
    made = {}
    for name in ("up", "twice", "else"):
        model = Model.objects.create(name=name)
        made[name] = Deployment.objects.create(model=model, endpoint=endpoint, upstream_name=name)
    return made["up"]


def page():
    return reverse("admin:gateway_deployment_prices")


def send(client, data=LIST):
    return client.post(page(), {"file": SimpleUploadedFile("list.csv", data)})


def test_a_list_is_shown_before_it_is_taken_over(root_client, served):
    changelist = reverse("admin:gateway_deployment_changelist")
    assert page() in root_client.get(changelist).content.decode()
    assert root_client.get(page()).status_code == 200
    shown = send(root_client)
    text = shown.content.decode()
    assert "<td>0.5</td><td>100</td>" in text
    assert "twice @ E" in text
    assert "else @ E" in text
    served.refresh_from_db()
    assert served.prompt_price is None
    done = root_client.post(page(), {"taken": shown.context["taken"]}, follow=True)
    assert "1 price changed." in done.content.decode()
    served.refresh_from_db()
    assert (served.prompt_price, served.completion_price, served.currency) == (0.5, 100, "EUR")
    assert "0.5 / 100 EUR" in done.content.decode()
    history = root_client.get(reverse("admin:gateway_deployment_change", args=[served.pk]))
    assert "What it has cost" in history.content.decode()


def test_nothing_but_what_was_shown_is_taken_over(root_client, served):
    done = root_client.post(page(), {"taken": "e30:forged"}, follow=True)
    assert "Show the list once more." in done.content.decode()
    assert not Deployment.objects.exclude(prompt_price=None).exists()


def test_what_is_no_list_is_said_so(root_client, served):
    assert "no valid JSON" in send(root_client, b"{").content.decode()


def test_prices_are_for_those_who_may_change_deployments(served, alice, admin):
    clerk = Client()
    alice.is_staff = True
    alice.save()
    clerk.force_login(alice)
    assert clerk.get(page()).status_code == 403
    assert send(clerk).status_code == 403
    assert Client().get(page()).status_code == 302
