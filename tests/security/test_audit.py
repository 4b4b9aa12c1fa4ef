"""The audit log: each act leaves one entry, in its transaction, and nothing takes it away."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import Max
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts import tokens
from accounts.departures import delete_user
from accounts.models import Team, User
from chat import services as chat
from chat.retention.deletion import delete_conversation, restore_conversation
from gateway.models import Endpoint
from gateway.services import store_key
from knowledge import services as knowledge
from knowledge.models import Collection, Document
from security import audit
from security.acts import Act
from security.models import AuditEntry
from tests.admin.conftest import root_client
from tests.support.cast import PASSWORD, SECRET_WORDS

__all__ = ["root_client"]
pytestmark = pytest.mark.django_db
ENTRIES = "admin:security_auditentry_changelist"


@pytest.fixture
def acts(db: None) -> Callable[[], list[str]]:
    """What was recorded since the test began: nothing empties the log between tests."""
    earlier = AuditEntry.objects.aggregate(last=Max("id"))["last"] or 0
    entries = AuditEntry.objects.filter(id__gt=earlier).order_by("id")
    return lambda: list(entries.all().values_list("act", flat=True))


def last() -> AuditEntry:
    entry = AuditEntry.objects.order_by("id").last()
    assert entry is not None
    return entry


# -- What is recorded ------------------------------------------------------------------------------


def sign_in(client: Client, email: str, password: str) -> None:
    client.post(
        reverse("account_login"), {"login": email, "password": password}, REMOTE_ADDR="192.0.2.7"
    )


def test_signing_in_and_out(alice: User) -> None:
    client = Client()
    sign_in(client, "alice@example.org", PASSWORD)
    entry = last()
    assert (entry.act, entry.actor_id, entry.actor_email) == (Act.SIGNED_IN, alice.pk, alice.email)
    assert entry.address == "192.0.2.7"
    client.post(reverse("account_logout"))
    assert last().act == Act.SIGNED_OUT


def test_a_refused_sign_in_names_the_account_but_nothing_that_was_typed(alice: User) -> None:
    sign_in(Client(), "alice@example.org", "not-her-password")
    entry = last()
    assert (entry.act, entry.actor_id, entry.object_id) == (Act.SIGN_IN_FAILED, None, str(alice.pk))
    sign_in(Client(), "hunter2@example.org", "x")
    entry = last()
    assert (entry.act, entry.title, entry.object_id) == (Act.SIGN_IN_FAILED, "", "")


def test_grants(alice: User, bob: User, team: Team, acts) -> None:
    collection = knowledge.create_collection(alice, "Board")
    accounts.share(collection, bob, "reader", by=alice)
    entry = last()
    assert (entry.act, entry.kind, entry.title) == (Act.GRANT_GIVEN, "collection", "Board")
    assert (entry.object_id, entry.actor_id) == (str(collection.pk), alice.pk)
    assert entry.detail == {"to": "bob@example.org", "to_id": str(bob.pk), "role": "reader"}
    accounts.unshare(collection, bob, by=alice)
    assert last().act == Act.GRANT_TAKEN
    assert not accounts.unshare(collection, bob, by=alice)
    assert acts().count(Act.GRANT_TAKEN) == 1


def test_a_conversation_is_known_by_its_id_alone(alice: User, bob: User) -> None:
    conversation = chat.create_conversation(alice, title=SECRET_WORDS)
    accounts.share(conversation, bob, "reader", by=alice)
    delete_conversation(alice, conversation.pk)
    restore_conversation(alice, conversation.pk)
    entries = AuditEntry.objects.filter(object_id=str(conversation.pk)).order_by("id")
    assert [entry.act for entry in entries] == [
        Act.GRANT_GIVEN, Act.CONVERSATION_DELETED, Act.CONVERSATION_RESTORED,
    ]  # fmt: skip
    assert {entry.title for entry in entries} == {""}
    assert {entry.actor_id for entry in entries} == {alice.pk}


def test_tokens_and_the_requests_they_carry(alice: User, api_for, acts) -> None:
    collection = knowledge.create_collection(alice, "Board")
    api = api_for(alice)
    made = last()
    assert (made.act, made.detail["of"]) == (Act.TOKEN_MADE, alice.email)
    assert api.delete(f"/collections/{collection.pk}").status_code == 204
    entry = last()
    assert (entry.act, entry.title) == (Act.COLLECTION_DELETED, "Board")
    assert (entry.actor_id, str(entry.token_id)) == (alice.pk, made.object_id)
    token = alice.api_tokens.get()
    tokens.revoke(token)
    tokens.revoke(token)
    assert acts().count(Act.TOKEN_REVOKED) == 1


def test_labels_that_a_collection_demands(alice: User, acts) -> None:
    collection = knowledge.create_collection(alice, "Board")
    for labels in (None, ["eu"], ["eu"], []):
        knowledge.update_collection(collection, name="Board", description="", labels=labels)
    assert acts().count(Act.LABELS_CHANGED) == 2
    assert (last().object_id, last().detail) == (str(collection.pk), {"labels": []})


def test_documents_and_their_files(alice: User, api_for, settings, tmp_path) -> None:
    settings.FILES_ROOT = tmp_path
    collection = knowledge.create_collection(alice, "Board")
    document, _ = knowledge.add_document(alice, collection, BytesIO(b"Minutes."), "minutes.txt")
    response = api_for(alice).get(f"/documents/{document.pk}/file")
    assert b"".join(response) == b"Minutes."
    assert (last().act, last().title, last().detail) == (
        Act.FILE_DOWNLOADED,
        "",
        {"size": 8},
    )
    knowledge.delete_document(document)
    assert (last().act, last().object_id) == (Act.DOCUMENT_DELETED, str(document.pk))
    # s52: an entry cannot be taken back, so the title of what is gone was never in one.
    assert not AuditEntry.objects.filter(title__contains="minutes").exists()


def test_s52_what_is_deleted_in_the_administration_leaves_its_id_and_not_its_title(
    root_client, bob: User, settings, tmp_path
) -> None:
    settings.FILES_ROOT = tmp_path
    chat.create_conversation(bob, title=SECRET_WORDS)
    collection = knowledge.create_collection(bob, "Board")
    document, other = (
        knowledge.add_document(bob, collection, BytesIO(words), "merger.txt")[0]
        for words in (b"Minutes.", b"Letters.")
    )
    chosen = {"action": "delete_selected", "_selected_action": [str(document.pk)], "post": "yes"}
    root_client.post(reverse("admin:knowledge_document_changelist"), chosen)
    root_client.post(reverse("admin:knowledge_document_delete", args=[other.pk]), {"post": "yes"})
    assert not Document.objects.exists()
    root_client.post(
        reverse("admin:knowledge_collection_delete", args=[collection.pk]), {"post": "yes"}
    )
    assert not Collection.objects.exists()
    address = reverse("admin:accounts_user_delete", args=[bob.pk])
    assert SECRET_WORDS not in root_client.get(address).content.decode()
    root_client.post(address, {"post": "yes"})
    assert not User.objects.filter(pk=bob.pk).exists()
    assert not AuditEntry.objects.filter(title__contains="merger").exists()
    assert not LogEntry.objects.filter(object_repr__contains="merger").exists()
    assert LogEntry.objects.filter(object_repr=str(document.pk)).exists()


def test_people_are_disabled_enabled_and_deleted(bob: User, acts) -> None:
    accounts.disable(bob)
    accounts.enable(bob)
    delete_user(bob)
    assert acts()[-4:] == [
        Act.USER_DISABLED, Act.USER_ENABLED, Act.USER_DISABLED, Act.USER_DELETED,
    ]  # fmt: skip
    assert last().title == "bob@example.org"


def test_keys_of_endpoints(alice: User, acts) -> None:
    endpoint = Endpoint.objects.create(name="local", base_url="http://127.0.0.1:9/v1")
    store_key(endpoint, "sk-abcdefghijklmnop")
    store_key(endpoint, "")
    assert acts()[-2:] == [Act.KEY_STORED, Act.KEY_REMOVED]
    assert {last().title, last().kind} == {"local", "endpoint"}


def test_whatever_is_saved_in_the_administration(admin: User, bob: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.9")
    client.force_login(admin)
    address = reverse("admin:accounts_team_add")
    client.post(address, {"name": "Board", "memberships-TOTAL_FORMS": 0,
                          "memberships-INITIAL_FORMS": 0})  # fmt: skip
    entry = last()
    assert (entry.act, entry.kind, entry.title) == (Act.ADMIN_ADDED, "team", "Board")
    assert (entry.actor_id, entry.address) == (admin.pk, "192.0.2.9")
    team = Team.objects.get(name="Board")
    client.post(reverse("admin:accounts_team_change", args=[team.pk]), {
        "name": "Supervisors", "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0,
    })  # fmt: skip
    assert (last().act, last().detail) == (Act.ADMIN_CHANGED, {"fields": ["Name"]})
    chosen = {"action": "delete_selected", "_selected_action": [str(team.pk)], "post": "yes"}
    client.post(reverse("admin:accounts_team_changelist"), chosen)
    assert (last().act, last().title) == (Act.ADMIN_DELETED, "Supervisors")
    assert not Team.objects.filter(pk=team.pk).exists()


# -- That it stays ---------------------------------------------------------------------------------


def test_an_entry_lives_and_dies_with_its_act(alice: User, acts) -> None:
    collection = knowledge.create_collection(alice, "Board")
    before = acts()
    with transaction.atomic():
        knowledge.delete_collection(collection)
        assert len(acts()) == len(before) + 1
        transaction.set_rollback(True)
    assert acts() == before


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entry set actor_email = 'nobody@example.org'",
        "delete from audit_entry",
        "truncate audit_entry",
        "set local parley.audit_trim = 'on'; delete from audit_entry",
    ],
)
def test_the_database_only_adds(alice: User, statement: str) -> None:
    audit.record(Act.SIGNED_IN, alice, by=alice)
    before = AuditEntry.objects.count()
    with (
        pytest.raises(DatabaseError, match="only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.count() == before


def test_trimming_takes_old_entries_only_and_says_so(capsys, acts) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into audit_entry (act, at)"
            " select 'session.begun', now() - days * interval '1 day'"
            " from unnest(array[95, 80]) days"
        )
    call_command("trim_audit", "--older-than", "1")
    assert "1 entries removed" in capsys.readouterr().out
    assert (last().act, last().detail) == (Act.AUDIT_TRIMMED, {"older_than_days": 90, "entries": 1})
    assert acts().count("session.begun") == 1


# -- Reading it ------------------------------------------------------------------------------------


def test_the_log_is_found_by_person_thing_and_address(root_client, alice: User, bob: User) -> None:
    for person in (alice, bob):
        audit.record(Act.SIGNED_IN, person, by=person)
    for term in (alice.email, alice.email.upper(), str(alice.pk)):
        page = root_client.get(reverse(ENTRIES), {"q": term}).content.decode()
        assert alice.email in page
        assert bob.email not in page
    assert root_client.get(reverse(ENTRIES), {"q": "203.0.113.5"}).status_code == 200


def test_pages_of_a_long_log_count_no_further_than_they_show(root_client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into audit_entry (act, actor_email)"
            " select 'session.begun', 'p' || n || '@example.org' from generate_series(1, 10500) n"
        )
    response = root_client.get(reverse(ENTRIES))
    assert response.context["cl"].paginator.count == 10_000
    assert "p10500@example.org" in response.content.decode()


def test_nobody_writes_it_by_hand(root_client) -> None:
    audit.record(Act.SIGNED_IN)
    entry = last()
    assert root_client.get(reverse("admin:security_auditentry_add")).status_code == 403
    change = reverse("admin:security_auditentry_change", args=[entry.pk])
    assert root_client.get(change).status_code == 200
    assert root_client.post(change, {"title": "x"}).status_code == 403
    delete = reverse("admin:security_auditentry_delete", args=[entry.pk])
    assert root_client.post(delete, {"post": "yes"}).status_code == 403
