"""Every page and action of the administration × the cast and the staff."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from agents.models import InstalledGuardrail, McpServer, PolicyRule, ToolExecution
from agents.reuse.models import Measurement
from chat.models import Feedback, Preference
from gateway.models import (
    Deployment,
    Endpoint,
    Model,
    RoutingAlias,
    RoutingChoice,
    RoutingRule,
    Usage,
)
from knowledge.models import Embedding, StorageMeasurement
from security.ids import new_id
from tests.permissions.admin_rows import PAGES, PRIVATE, ROOMS
from tests.support.world import CANARY, CASTS, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]
BOOKKEEPING = (
    "django_session", "django_admin_log", "SAVEPOINT", 'accounts_user" SET "last_login',
    "accounts_device", "audit_entry",
)  # fmt: skip

# The table of addresses sends everybody to the door of every page; here are some with real ids.
AT_THE_DOOR = ("owner", "stranger", "signed out")


@pytest.fixture
def furnished(world: World) -> World:
    Group.objects.create(name="Clerks")
    endpoint = Endpoint.objects.create(name="E", base_url="http://127.0.0.1:9/v1")
    model = Model.objects.create(name="m")
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="m")
    Usage.objects.create(model_name="m")
    name = Model.objects.create(name="auto")
    alias = RoutingAlias.objects.create(model=name, simple=model, medium=model, hard=model)
    RoutingRule.objects.create(alias=alias, conditions="code", tier="hard")
    RoutingChoice.objects.create(alias=alias, tier="hard", target="m", score=1.5, voted_by="score")
    Measurement.objects.create(
        embedder="e", similarity=95, questions="q", pairs=2, different=1, hits=1, false_hits=0,
        limit=0.01,
    )  # fmt: skip
    PolicyRule.objects.create(kind="deny", tool="mail")
    secrets = {"name": "s", "kind": "secrets", "places": ["input"], "action": "block"}
    InstalledGuardrail.objects.create(name="s", rule=secrets, is_enabled=False)
    McpServer.objects.create(name="wiki", url="https://mcp.example.org/mcp")
    ToolExecution.objects.create(
        run_id=new_id(), call_id="1", tool="t", output=CANARY, owner_id=world.ids["user_id"]
    )
    said = {"message_id": world.ids["message_id"], "person_id": world.ids["user_id"]}
    Feedback.objects.create(rating=1, comment=CANARY, **said)
    Preference.objects.create(comparison=new_id(), question_id=world.ids["question_id"], **said)
    StorageMeasurement.objects.create(model="m", dimensions=3, sample=1)
    assert Embedding.objects.exists()
    return world


def staff(name: str, *, rights: str = "", **fields: Any) -> Client:
    person = User.objects.create_user(f"{name}@example.org", is_staff=True, **fields)
    if rights:
        person.user_permissions.add(*Permission.objects.filter(codename__startswith=rights))
    client = Client()
    client.force_login(person)
    return client


def places() -> Iterator[tuple[str, str, str]]:
    """Model, letter and address of every page there is."""
    request = RequestFactory().get("/admin/")
    for model, page in admin.site._registry.items():
        name = model._meta.label_lower
        row = page.get_queryset(request).order_by("pk").last()  # shelves are in no list
        assert row is not None, f"no row of {name} to look at"
        for letter, place in PAGES.items():
            args = () if letter in "la" else (row.pk,)
            yield name, letter, reverse(f"admin:{name.replace('.', '_')}_{place}", args=args)


def test_every_model_and_action_has_a_row(rf, admin):
    request: HttpRequest = rf.get("/admin/")
    request.user = admin
    from django.contrib import admin as site  # noqa: PLC0415 - the fixture has its name

    found = {
        model._meta.label_lower: set(page.get_actions(request))
        for model, page in site.site._registry.items()
    }
    assert found == {name: set(room.actions) for name, room in ROOMS.items()}


def test_every_page_opens_for_whom_the_table_says(furnished: World):
    people = {cast: furnished.browser(cast) for cast in AT_THE_DOOR}
    root = staff("root", is_superuser=True)
    clerk, auditor = staff("clerk"), staff("auditor", rights="view_")
    wrong = []
    for name, letter, place in places():
        is_open = letter in ROOMS[name].pages
        may_look = letter in "lch" and not (name in PRIVATE and letter in "ch")
        expected = dict.fromkeys(AT_THE_DOOR, 302)
        expected |= {"root": 200 if is_open else 403, "clerk": 403}
        expected |= {"auditor": 200 if is_open and may_look else 403}
        for who, client in {**people, "root": root, "clerk": clerk, "auditor": auditor}.items():
            response = client.get(place)
            if response.status_code != expected[who]:
                wrong.append(f"{place} as {who}: {response.status_code}, not {expected[who]}")
            if expected[who] != 200 and CANARY in response.content.decode():
                wrong.append(f"{place} tells {who} the canary")
    assert not wrong, "\n".join(wrong)
    assert CANARY not in str(LogEntry.objects.values_list("object_repr", "change_message"))


def test_no_action_is_done_for_those_who_may_not(furnished: World):
    people = {cast: furnished.browser(cast) for cast in CASTS}
    people |= {"clerk": staff("clerk"), "auditor": staff("auditor", rights="view_")}
    done = []
    for model in admin.site._registry:
        name = model._meta.label_lower
        place = reverse(f"admin:{name.replace('.', '_')}_changelist")
        for action in ROOMS[name].actions:
            row = model._default_manager.last()
            form = {"action": action, "_selected_action": str(row.pk), "post": "yes"}
            for who, client in people.items():
                with transaction.atomic(), CaptureQueriesContext(connection) as queries:
                    status = client.post(place, form).status_code
                    transaction.set_rollback(True)
                written = [query["sql"] for query in queries if writes(query["sql"])]
                if written or status not in {302, 403, 200 if who == "auditor" else 302}:
                    done.append(f"{name} {action} as {who}: {status} {written}")
    assert not done, "\n".join(done)


def writes(sql: str) -> bool:
    is_write = sql.startswith(("UPDATE", "INSERT", "DELETE"))
    return is_write and not any(name in sql for name in BOOKKEEPING)
