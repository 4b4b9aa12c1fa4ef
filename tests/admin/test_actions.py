"""What administrators do from the lists."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import tokens
from accounts.models import ApiToken, Grant, User
from chat.models import Turn
from events.models import Job
from gateway.models import Endpoint, Model
from gateway.services import store_key
from knowledge.models import Document
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.django_db


def act(client: Client, model, action: str, *rows) -> str:
    """Runs an action on rows of the list; the messages that follow it."""
    place = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    response = client.post(place, form, follow=True)
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def test_revoked_tokens_are_refused(root_client, alice):
    token, plaintext = tokens.issue(alice, "laptop")
    assert "1 revoked" in act(root_client, ApiToken, "revoke", token)
    assert tokens.authenticate(plaintext) is None


def test_disabling_spares_oneself(root_client, admin, alice):
    assert "1 disabled" in act(root_client, User, "disable", alice, admin)
    alice.refresh_from_db()
    admin.refresh_from_db()
    assert (alice.is_active, admin.is_active) == (False, True)
    act(root_client, User, "enable", alice)
    alice.refresh_from_db()
    assert alice.is_active


def test_a_new_person_gets_a_password_that_is_shown_once(root_client):
    form = {
        "email": "New@Example.org", "name": "New", "language": "", "entrance": "generate",
        "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0,
        "api_tokens-TOTAL_FORMS": 0, "api_tokens-INITIAL_FORMS": 0,
    }  # fmt: skip
    place = reverse("admin:accounts_user_add")
    response = root_client.post(place, form, follow=True)
    shown = re.search(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", response.content.decode())
    assert shown, response.content.decode()
    assert Client().login(email="new@example.org", password=shown[0])
    assert shown[0] not in root_client.get(place).content.decode()
    again = root_client.post(place, form | {"email": "new@example.org"})
    assert "Somebody signs in with this address already" in again.content.decode()


def test_a_new_person_may_get_a_link_instead(root_client):
    form = {
        "email": "new@example.org", "name": "", "language": "", "entrance": "email",
        "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0,
        "api_tokens-TOTAL_FORMS": 0, "api_tokens-INITIAL_FORMS": 0,
    }  # fmt: skip
    root_client.post(reverse("admin:accounts_user_add"), form)
    (sent,) = mail.outbox
    assert sent.to == ["new@example.org"]
    assert "/accounts/password/reset/key/" in sent.body
    assert not User.objects.get(email="new@example.org").has_usable_password()


def test_a_clerk_cannot_make_a_superuser(admin, alice):
    clerk = User.objects.create_user("clerk@example.org", PASSWORD, is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(clerk)
    change = reverse("admin:accounts_user_change", args=[admin.pk])
    assert client.post(change, {"email": "mine@example.org"}).status_code == 403
    act(client, User, "disable", admin)
    admin.refresh_from_db()
    assert admin.is_active
    assert (
        "is_superuser"
        not in client.get(reverse("admin:accounts_user_change", args=[clerk.pk]))
        .context["adminform"]
        .form.fields
    )
    password = reverse("admin:auth_user_password_change", args=[admin.pk])
    assert client.post(password, {"password1": "x", "password2": "x"}).status_code == 403


def test_a_key_is_written_and_never_read_back(root_client):
    endpoint = Endpoint.objects.create(name="E", base_url="https://api.example.org/v1")
    store_key(endpoint, "sk-abcdefghijklmnop1234")
    place = reverse("admin:gateway_endpoint_change", args=[endpoint.pk])
    html = root_client.get(place).content.decode()
    assert "1234" in html
    assert "ijklmnop" not in html
    form = {
        "name": "E", "base_url": endpoint.base_url, "is_enabled": "on", "max_concurrency": 8,
        "connect_timeout": 5, "first_token_timeout": 5, "idle_timeout": 5, "api_key": "",
        "total_timeout": 60, "queue_timeout": 5,
        "deployments-TOTAL_FORMS": 0, "deployments-INITIAL_FORMS": 0,
    }  # fmt: skip
    before = bytes(Endpoint.objects.get().secret)
    assert root_client.post(place, form).status_code == 302
    assert bytes(Endpoint.objects.get().secret) == before
    elsewhere = form | {"base_url": "https://collector.example.net/v1"}
    assert b"This is another server" in root_client.post(place, elsewhere).content
    assert Endpoint.objects.get().base_url == endpoint.base_url
    root_client.post(place, form | {"api_key": "sk-another-key-with-9876"})
    assert bytes(Endpoint.objects.get().secret) != before
    assert "9876" in root_client.get(place).content.decode()
    root_client.post(place, form | {"remove_key": "on"})
    assert not Endpoint.objects.get().secret


def test_a_new_endpoint_has_no_key_to_remove(root_client):
    removing = "Remove the stored key"
    assert removing not in root_client.get(reverse("admin:gateway_endpoint_add")).content.decode()
    endpoint = Endpoint.objects.create(name="E", base_url="https://api.example.org/v1")
    store_key(endpoint, "sk-abcdefghijklmnop1234")
    place = reverse("admin:gateway_endpoint_change", args=[endpoint.pk])
    assert removing in root_client.get(place).content.decode()


def test_a_connection_test_answers_in_words(root_client):
    endpoint = Endpoint.objects.create(name="E", base_url="http://127.0.0.1:9/v1")
    said = act(root_client, Endpoint, "test_connection", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.last_checked_at
    assert endpoint.last_error
    assert endpoint.last_error in said


def test_a_new_default_model_replaces_the_old_one(root_client):
    old = Model.objects.create(name="old", is_default=True)
    new = Model.objects.create(name="new")
    form = {
        "name": "new", "kind": "chat", "is_default": "on", "context_length": 8000,
        "strategy": "priority",
        "deployments-TOTAL_FORMS": 0, "deployments-INITIAL_FORMS": 0,
    }  # fmt: skip
    place = reverse("admin:gateway_model_change", args=[new.pk])
    assert root_client.post(place, form).status_code == 302
    assert Model.objects.get(is_default=True) == new
    old.refresh_from_db()
    assert not old.is_default


def test_turns_are_stopped_jobs_cancelled_and_documents_tried_again(root_client, furnish):
    furnish(1)
    turn, document = Turn.objects.get(), Document.objects.get()
    assert "1 asked to stop" in act(root_client, Turn, "stop", turn)
    turn.refresh_from_db()
    assert turn.stop_requested_at
    assert "0 asked to stop" in act(root_client, Turn, "stop", turn)

    job = Job.objects.get()
    act(root_client, Job, "cancel", job)
    job.refresh_from_db()
    assert job.status == "cancelled"

    Document.objects.update(status="failed", reason="broken")
    assert "1 documents" in act(root_client, Document, "retry", document)
    document.refresh_from_db()
    assert (document.status, document.reason) == ("queued", "")


def test_a_grant_names_a_person_or_a_team(root_client, alice, team):
    form = {"kind": "collection", "object_id": str(team.pk), "role": "reader"}
    place = reverse("admin:accounts_grant_add")
    for wrong in (form, form | {"user": str(alice.pk), "team": str(team.pk)}):
        assert "either a person or a team" in root_client.post(place, wrong).content.decode()
    assert root_client.post(place, form | {"user": str(alice.pk)}).status_code == 302
    assert Grant.objects.get().user == alice
