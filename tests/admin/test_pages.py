"""Every model's pages open, ask the database a fixed number of questions, and obey the CSP."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import services, tokens
from accounts.models import Grant, User
from chat.models import Message
from tests.support.cast import SECRET_WORDS

pytestmark = pytest.mark.django_db

OURS = ("accounts", "knowledge", "agents", "chat", "gateway", "events", "security")
MODELS = [model for model in admin.site._registry if model._meta.app_label in OURS]
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\b(src|type=\"application/json\"))[^>]*>")
# An event's key has two columns, which the admin cannot address; folders and their names are each
# person's own; the others are made from rows that are there.
NOT_IN_THE_ADMIN = {
    "events.Event", "knowledge.ContentSum", "knowledge.DeletedDocument", "knowledge.Reading",
    "knowledge.DocumentCount", "knowledge.VersionText", "knowledge.PassageEdit",
    "knowledge.DocumentEnrichment", "knowledge.PassageEnrichment", "knowledge.SourceItem",
    "knowledge.Picture", "knowledge.Figure", "knowledge.GlossaryEntry", "knowledge.GoldenQuestion",
    "knowledge.ExpectedPassage", "knowledge.QualityPlan", "knowledge.QualityRun",
    "knowledge.QualityResult",
    "knowledge.SearchWeights", "knowledge.QualityTuning", "knowledge.ApprovedAnswer",
    "knowledge.ApprovedWording", "knowledge.ApprovedSource",
    "chat.Folder", "chat.Filing", "chat.SearchEntry", "chat.Import",
    "chat.ImportedConversation", "accounts.Device",
    "agents.McpTool", "agents.McpAccount", "agents.McpRevocation",
    "accounts.Takeout", "accounts.Portrait", "agents.Memory", "agents.Saving",
    "agents.AgentVersion", "agents.AgentPicture", "agents.RunNote", "agents.RunStep",
    "agents.Publication", "agents.Approval", "agents.ToolPermission",
    "accounts.BudgetBalance", "accounts.BudgetHold", "gateway.Price", "gateway.UsageHour",
    "gateway.UsageDay", "gateway.UsageChange", "gateway.UsageMark",
}  # fmt: skip


def address(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_is_in_the_admin():
    ours = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OURS and not model._meta.auto_created
    }
    assert ours - {model._meta.label for model in MODELS} == NOT_IN_THE_ADMIN


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_list_costs_the_same_for_two_rows_and_for_six(model, furnish, root_client, admin, team):
    def more(*numbers):
        for number in numbers:
            furnish(number)
            person = User.objects.create_user(f"p{number}@example.org")
            services.create_team(person, f"Team {number}")
            tokens.issue(person, "t")
            Grant.objects.create(user=person, kind="collection", object_id=team.pk, role="reader")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            response = root_client.get(address(model, "changelist"))
        assert response.status_code == 200
        return len(queries)

    more(1, 2)
    count()
    first = count()
    more(3, 4, 5, 6)
    assert count() == first


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_pages_to_add_read_and_search_open_and_are_clean(model, furnish, root_client, alice):
    furnish(1)
    tokens.issue(alice, "t")
    addresses = [address(model, "changelist") + "?q=x"]
    if root_client.get(address(model, "add")).status_code == 200:
        addresses.append(address(model, "add"))
    row = model._default_manager.first()
    if row is not None:
        addresses.append(address(model, "change", row.pk))
    for place in addresses:
        response = root_client.get(place)
        assert response.status_code == 200, place
        html = response.content.decode()
        assert not INLINE_SCRIPT.search(html), place
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", html), place
        assert "unsafe" not in response["Content-Security-Policy"]


def test_lists_do_not_say_what_people_wrote(furnish, root_client):
    furnish(1)
    for model in MODELS:
        if model._meta.app_label == "chat":
            html = root_client.get(address(model, "changelist")).content.decode()
            assert SECRET_WORDS not in html, model


def test_opening_a_message_is_for_superusers_and_logged(furnish, root_client, admin):
    furnish(1)
    message = Message.objects.filter(role="assistant").get()
    place = address(Message, "change", message.pk)
    assert SECRET_WORDS in root_client.get(place).content.decode()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin, str(message.pk))
    assert SECRET_WORDS not in str(entry.object_repr)

    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.add(*_permissions("chat"))
    client = Client()
    client.force_login(clerk)
    assert client.get(address(Message, "changelist")).status_code == 200
    assert client.get(place).status_code == 403


def _permissions(app: str):
    return Permission.objects.filter(content_type__app_label=app)


def test_the_admin_has_no_door_of_its_own(alice):
    response = Client().get("/admin/")
    assert response.status_code == 302
    response = Client().get("/admin/login/?next=/admin/")
    assert response["Location"].startswith("/accounts/login/?")
    client = Client()
    client.force_login(alice)
    assert client.get("/admin/login/").status_code == 403
