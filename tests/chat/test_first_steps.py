"""The first steps of an administrator: computed from what is there, for nobody else."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from chat import services as chat
from chat.first_steps import list_first_steps
from gateway.models import Deployment, Endpoint, Model
from knowledge.models import Collection
from knowledge.services import SAMPLE_COLLECTION

pytestmark = pytest.mark.django_db


def test_each_step_is_done_by_doing_it(admin: User) -> None:
    def done() -> list[bool]:
        return [step.is_done for step in list_first_steps(admin)]

    Collection.objects.create(owner=admin, name=SAMPLE_COLLECTION)
    assert done() == [False] * 5
    assert list_first_steps(admin)[0].url == reverse("admin:gateway_endpoint_add")
    endpoint = Endpoint.objects.create(name="E", base_url="http://127.0.0.1:9/v1")
    assert done() == [False] * 5, "nobody says yet what it serves"
    assert list_first_steps(admin)[0].url == reverse("admin:gateway_model_add")
    model = Model.objects.create(name="m", kind=Model.Kind.CHAT)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="m")
    assert done() == [True, False, False, False, False]
    Endpoint.objects.update(last_checked_at=timezone.now(), last_error="refused")
    assert not done()[1]
    Endpoint.objects.update(last_error="")
    assert done() == [True, True, False, False, False]
    User.objects.create_user("new@example.org")
    Collection.objects.create(owner=admin, name="Handbook")
    assert done() == [True, True, True, True, False]
    chat.start_turn(admin, None, "When?")
    assert list_first_steps(admin) == [], "nothing is left to do"


def test_links_lead_there_and_members_see_nothing(admin: User, alice: User, client) -> None:
    client.force_login(admin)
    for step in list_first_steps(admin):
        assert step.url == "#message" or client.get(step.url).status_code == 200, step
    page = client.get("/").content.decode()
    assert 'id="first-steps"' in page
    awaited = '<link rel="expect" href="#sources" blocking="render">'
    assert page.index(awaited) < page.index("<body") < page.index('id="composer"'), "painted whole"
    assert page.index('id="composer"') < page.index('id="sources"'), "painted as soon as it begins"
    User.objects.filter(pk=admin.pk).update(has_first_steps=False)
    hidden = client.get("/").content.decode()
    assert 'aria-labelledby="first-steps-title" hidden' in hidden
    client.force_login(alice)
    assert list_first_steps(alice) == []
    assert "first-steps" not in client.get("/").content.decode()
