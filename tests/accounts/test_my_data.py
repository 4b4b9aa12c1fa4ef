"""Taking everything away, and leaving."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from accounts import leaving, services, takeouts, tokens
from accounts.errors import LastAdministrator
from accounts.models import Membership, Takeout, User
from agents.memory.services import add_memory
from agents.models import Memory, RunNote, ToolExecution
from chat import services as chat
from chat.models import Conversation, Message, Preference
from chat.sidebar import folders
from events import jobs
from events.models import Job
from gateway.models import Model, RoutingAlias, RoutingChoice, Usage, UsageDay
from knowledge import services as knowledge
from knowledge.models import Collection, Document
from security.rate_limits import forget_everybody
from tests.chat.test_scrubbing import tables_with
from tests.knowledge.files import as_stream
from tests.pages.conftest import client_of
from tests.support.cast import PASSWORD
from tests.support.world import furnish

__all__ = ["client_of"]

pytestmark = pytest.mark.django_db
LEAVE = "accounts:leave"


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    settings.TAKEOUTS_ROOT = tmp_path / "takeouts"
    forget_everybody()


@pytest.fixture
def life(alice, bob) -> Conversation:
    """What alice has: a conversation, a memory, a shelf of hers, a document in one of bob's."""
    turn = chat.start_turn(alice, None, "Where is my desk?")
    Message.objects.filter(pk=turn.answer_id).update(text="Upstairs.", status="complete")
    add_memory(alice, "I sit upstairs")
    mine = knowledge.create_collection(alice, "Mine / ours")
    knowledge.add_document(alice, mine, as_stream("my words"), "../plan.txt")
    theirs = knowledge.create_collection(bob, "Bob's")
    services.share(theirs, alice, "editor", by=bob)
    knowledge.add_document(alice, theirs, as_stream("for bob"), "gift.txt")
    tokens.issue(alice, "laptop")
    return turn.conversation


def exported(user) -> zipfile.ZipFile:
    shown = takeouts.request_takeout(user)
    jobs.run(str(shown.takeout.job_id))
    path = takeouts.find_file(user, shown.takeout.pk)
    return zipfile.ZipFile(io.BytesIO(path.read_bytes()))


def test_an_export_holds_everything_and_nothing_of_others(life, alice, bob):
    chat.create_conversation(bob, title="Bob's own")
    knowledge.add_document(bob, Collection.objects.get(name="Bob's"), as_stream("his"), "his.txt")
    archive = exported(alice)
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    account = json.loads(files["account.json"])
    assert account["email"] == alice.email
    assert [token["name"] for token in account["api_tokens"]] == ["laptop"]
    assert "digest" not in files["account.json"]
    (talk,) = (json.loads(line) for line in files["conversations.jsonl"].splitlines())
    assert [message["text"] for message in talk["messages"]] == ["Where is my desk?", "Upstairs."]
    assert [memory["text"] for memory in json.loads(files["memories.json"])] == ["I sit upstairs"]
    kept = {name.rpartition(" ")[2]: text for name, text in files.items() if "files/" in name}
    assert sorted(kept.values()) == ["for bob", "my words"]
    assert all(".." not in name.split("/") for name in files)
    assert {"folders.json", "feedback.json", "prompts.json", "agents.json", "files.json"} <= set(
        files
    )


# Every model that names a person, with the file of an export that holds its rows, or why none does.
EXPORTED = {
    "accounts.Membership": "account.json",
    "accounts.Grant": "account.json",
    "accounts.ApiToken": "account.json",
    "accounts.Device": "account.json",
    "security.AuditEntry": "activity.jsonl",
    "knowledge.Collection": "collections.json",
    "knowledge.Document": "files.json",
    "agents.Memory": "memories.json",
    "agents.Agent": "agents.json",
    "agents.AgentVersion": "agents.json",
    "agents.SavedPrompt": "prompts.json",
    "agents.ToolExecution": "tool_calls.json",
    "agents.RunNote": "notes.json",
    "agents.Approval": "approvals.json",
    "agents.ToolPermission": "tool_permissions.json",
    "chat.Conversation": "conversations.jsonl",
    "chat.Folder": "folders.json",
    "chat.Filing": "folders.json",
    "chat.SharedLink": "links.json",
    "chat.Import": "imports.json",
    "chat.Feedback": "feedback.json",
    "chat.Preference": "preferences.json",
    "chat.Turn": "questions.json",
    "gateway.Usage": "usage.json",
    "gateway.UsageDay": "usage_by_day.json",
    "gateway.RoutingChoice": "routing.json",
}
LEFT_OUT = {
    "knowledge.Source": "where a collection's documents come from, which stays with the collection",
    "knowledge.SyncRun": "visits to sources, with who asked for them",
    "knowledge.PassageEdit": "the wording of documents, which stays with the collection",
    "knowledge.GoldenQuestion": "what a collection must find, which stays with the collection",
    "knowledge.QualityRun": "figures of a collection, with who asked for them",
    "knowledge.QualityTuning": "figures of a collection, with who applied them",
    "knowledge.ApprovedAnswer": "what a collection answers, which stays with the collection",
    "knowledge.DocumentVersion": "earlier contents of documents, which stay with the collection",
    "accounts.Team": "by the membership",
    "accounts.Takeout": "is the export",
    "accounts.Budget": "limits of the house; what is left of them stands on the page of usage",
    "accounts.Portrait": "portrait.jpg, which has no words",
    "account.EmailAddress": "the address of the account",
    "admin.LogEntry": "once more what the audit log says",
    "chat.ImportedConversation": "which conversation an import brought: they are there",
    "agents.Publication": "a draft that waits, which stays with the agent; versions are exported",
    "agents.RunStep": "what agents said between calls, which their answers say",
    "agents.McpServer": "servers of the house, with who connected them",
    "agents.McpTool": "definitions of their tools, with who approved them",
    "agents.McpAccount": "keys to accounts elsewhere, which stay sealed here",
    "agents.Measurement": "figures of the server, with who had them measured",
    "gateway.UsageHour": "the days of usage once more, by the hour",
    "events.Job": "work of the server, gone when it is done",
}


def test_every_model_that_names_a_person_is_exported_or_left_out_for_a_reason():
    names = {"account_id", "actor_id", "owner_id", "user_id", "person_id", "requested_by_id"}
    found = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete and (field.related_model is User or field.attname in names)
    }
    assert not set(EXPORTED) & set(LEFT_OUT)
    assert found == set(EXPORTED) | set(LEFT_OUT)


def test_an_export_has_one_of_everything(alice, bob):
    secret = "the-canary"
    ids = furnish(alice, "Mine", secret)
    accounts_team = services.create_team(alice, secret)
    theirs = knowledge.create_collection(bob, "Bob's")
    services.share(theirs, alice, "editor", by=bob)
    folders.move_conversation(alice, ids["conversation_id"], ids["folder_id"])
    Preference.objects.create(
        comparison=ids["message_id"], question_id=ids["question_id"],
        message_id=ids["message_id"], person=alice, model_name=secret,
    )  # fmt: skip
    Usage.objects.create(account_id=alice.pk, model_name=secret, cost="0.5")
    UsageDay.objects.create(account_id=alice.pk, model_name=secret, at="2026-01-31")
    alias = RoutingAlias.objects.create(**{
        field: Model.objects.create(name=field) for field in ("model", "simple", "medium", "hard")
    })  # fmt: skip
    RoutingChoice.objects.create(
        alias=alias, account_id=alice.pk, tier="simple", target=secret, score=0, voted_by="score"
    )
    guest = chat.create_conversation(bob)
    services.share(guest, alice, "editor", by=bob)
    chat.start_turn(alice, guest.pk, secret)
    ToolExecution.objects.create(
        run_id=ids["message_id"], call_id="1", tool="t", owner=alice, output=secret
    )
    RunNote.objects.create(run_id=ids["message_id"], owner=alice, text=secret)
    archive = exported(alice)
    for name in {*EXPORTED.values()}:
        assert secret in archive.read(name).decode(), name
    account = json.loads(archive.read("account.json"))
    assert accounts_team.name in {team["name"] for team in account["teams"]}
    assert str(theirs.pk) in {grant["object_id"] for grant in account["access"]}
    (folder,) = json.loads(archive.read("folders.json"))
    assert folder["conversations"] == [str(ids["conversation_id"])]
    assert secret not in "".join(
        exported(bob).read(name).decode()
        for name in set(EXPORTED.values()) - {"account.json"}
        if name != "conversations.jsonl"  # alice asked in one of his
    )


def test_an_export_is_for_its_person_alone_and_ends(life, alice, bob, api_for):
    shown = takeouts.request_takeout(alice)
    assert takeouts.request_takeout(alice).takeout == shown.takeout
    assert takeouts.find_takeout(alice, shown.takeout.pk).status == "running"
    with pytest.raises(Http404):
        takeouts.find_file(alice, shown.takeout.pk)
    jobs.run(str(shown.takeout.job_id))
    job = Job.objects.get(pk=shown.takeout.job_id)
    assert (job.status, job.done) == ("succeeded", job.total)
    place = f"/me/exports/{shown.takeout.pk}/file"
    assert api_for(bob).get(place).status_code == 404
    answer = api_for(alice).get(place)
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer))).testzip() is None
    Takeout.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api_for(alice).get(place).status_code == 404
    takeouts.sweep()
    assert not Takeout.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_file_of_an_export_goes_with_it(alice, settings):
    shown = takeouts.request_takeout(alice)
    jobs.run(str(shown.takeout.job_id))
    (file,) = Path(settings.TAKEOUTS_ROOT).iterdir()
    takeouts.remove_takeout(alice, shown.takeout.pk)
    assert not file.exists()


def test_exporting_everything_leaves_searches_alone(alice, api_for, settings):
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"searches": settings.PARLEY_LIMITS["tokens"]}
    api = api_for(alice)
    for _ in range(12):
        answer = api.get("/conversations/export")
        assert answer.status_code == 200
        assert b"".join(answer)
    assert api.get("/conversations/export").status_code == 429
    assert api.get("/conversations/search?q=x").status_code == 200


# -- Leaving ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_person_who_left_can_be_read_and_what_is_shared_survives(
    life, alice, bob, admin, client_of, settings
):
    ours = knowledge.create_collection(alice, "Ours")
    services.share(ours, bob, "owner", by=alice)
    kept, _ = knowledge.add_document(alice, ours, as_stream("ours"), "ours.txt")
    takeouts.request_takeout(alice)
    gone = [str(alice.pk), str(life.pk), str(Memory.objects.get().pk)]
    client = client_of(alice)
    page = client.get(reverse(LEAVE)).content.decode()
    for words in (
        "“Ours” stays: it has another owner, Bob.", "1 collection of yours is deleted",
        "1 API token stops working", "1 conversation of yours is deleted",
        "What the assistant remembers about you is deleted",
    ):  # fmt: skip
        assert words in page
    answer = client.post(reverse(LEAVE), {"password": PASSWORD, "when": "now"})
    assert "are deleted" in answer.content.decode()
    assert client.get("/settings/").status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()
    left = {table for pk in gone for table in tables_with(pk)}
    assert left <= {"audit_entry"}
    assert set(Collection.objects.values_list("name", flat=True)) == {"Bob's", "Ours"}
    assert Collection.objects.get(name="Ours").owner == bob
    assert Document.objects.visible_to(bob).filter(pk=kept.pk).exists()
    assert Document.objects.get(file_name="gift.txt").added_by is None
    takeouts.sweep()
    assert not Takeout.objects.exists()


def test_the_password_is_asked_for_and_may_not_be_guessed(alice, admin, client_of):
    client = client_of(alice)
    for _ in range(10):
        answer = client.post(reverse(LEAVE), {"password": "wrong", "when": "now"})
        assert "This is not your password" in answer.content.decode()
    answer = client.post(reverse(LEAVE), {"password": PASSWORD, "when": "now"})
    assert "Too many attempts" in answer.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_last_administrator_stays(admin, alice, client_of):
    client = client_of(admin)
    assert "only administrator" in client.get(reverse(LEAVE)).content.decode()
    answer = client.post(reverse(LEAVE), {"password": PASSWORD, "when": "now"})
    assert "only administrator" in answer.content.decode()
    with pytest.raises(LastAdministrator):
        leaving.leave_later(admin)
    second = User.objects.create_superuser("second@example.org", PASSWORD)
    leaving.leave_later(admin)
    with pytest.raises(LastAdministrator):
        leaving.leave_now(second)


def test_leaving_later_ends_everything_at_once_and_can_be_taken_back(alice, admin, client_of):
    client, other = client_of(alice), client_of(alice)
    _token, plaintext = tokens.issue(alice, "laptop")
    answer = client.post(reverse(LEAVE), {"password": PASSWORD, "when": "later"})
    assert "to keep it" in answer.content.decode()
    assert other.get("/settings/").status_code == 302
    assert tokens.authenticate(plaintext) is None
    assert leaving.delete_due() == 0
    alice.refresh_from_db()
    back = client_of(alice)
    assert "Keep my account" in back.get("/settings/").content.decode()
    back.post(reverse("accounts:keep"))
    alice.refresh_from_db()
    assert alice.leaves_at is None
    leaving.leave_later(alice)
    User.objects.update(leaves_at=timezone.now() - timedelta(seconds=1))
    leaving.keep_account(admin)
    assert leaving.delete_due() == 1
    assert not User.objects.filter(pk=alice.pk).exists()


def test_a_collection_goes_to_the_owner_of_a_team_that_owns_it(alice, bob, charlie, admin):
    team = services.create_team(bob, "Editors")
    Membership.objects.create(team=team, user=charlie)
    shelf = knowledge.create_collection(alice, "Shelf")
    services.share(shelf, team, "owner", by=alice)
    leaving.leave_now(alice)
    assert Collection.objects.get(pk=shelf.pk).owner == bob
