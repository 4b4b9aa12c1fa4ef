"""A person's own folders, the archive, and how the sidebar shows them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.services import share
from chat import services
from chat.errors import FolderNameTaken
from chat.models import Conversation, Filing, Folder
from chat.selectors import find_conversation
from chat.sidebar import folders
from chat.sidebar.history import list_archive, list_history
from security.ids import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(alice) -> Conversation:
    return services.create_conversation(alice, "Trains")


def shape(groups) -> dict[str, list[str]]:
    return {group.title: [row.title for row in group.conversations] for group in groups}


def test_a_conversation_is_in_one_folder_of_each_person(alice, bob, talk):
    share(talk, bob, "reader", by=alice)
    one, two = folders.create_folder(alice, "One"), folders.create_folder(alice, "Two")
    his = folders.create_folder(bob, "One")
    folders.move_conversation(alice, talk.pk, one.pk)
    folders.move_conversation(alice, talk.pk, two.pk)
    folders.move_conversation(bob, talk.pk, his.pk)
    assert find_conversation(alice, talk.pk).folder_id == two.pk
    assert find_conversation(bob, talk.pk).folder_id == his.pk
    folders.move_conversation(alice, talk.pk, None)
    assert find_conversation(alice, talk.pk).folder_id is None
    assert find_conversation(bob, talk.pk).folder_id == his.pk


def test_nobody_uses_anothers_folder(alice, bob, talk):
    mine, own = folders.create_folder(alice, "Mine"), services.create_conversation(bob)
    for attempt in (
        lambda: folders.move_conversation(bob, own.pk, mine.pk),
        lambda: folders.move_conversation(bob, talk.pk, None),
        lambda: folders.move_conversation(alice, talk.pk, new_id()),
        lambda: folders.rename_folder(bob, mine.pk, "His"),
        lambda: folders.delete_folder(bob, mine.pk),
    ):
        with pytest.raises(Http404):
            attempt()
    assert list(Folder.objects.visible_to(bob)) == []


def test_names_differ_whatever_their_case(alice, bob):
    folder = folders.create_folder(alice, " Travel \n plans ")
    assert folder.name == "Travel plans"
    folders.create_folder(bob, "Travel plans")
    with pytest.raises(FolderNameTaken):
        folders.create_folder(alice, "TRAVEL PLANS")
    other = folders.create_folder(alice, "Other")
    with pytest.raises(FolderNameTaken):
        folders.rename_folder(alice, other.pk, "travel plans")
    assert folders.rename_folder(alice, folder.pk, "TRAVEL plans").name == "TRAVEL plans"


def test_a_deleted_folder_leaves_its_conversations(alice, talk):
    folder = folders.create_folder(alice, "Travel")
    folders.move_conversation(alice, talk.pk, folder.pk)
    assert shape(list_history(alice)) == {"Travel": ["Trains"]}
    folders.delete_folder(alice, folder.pk)
    assert shape(list_history(alice)) == {"Today": ["Trains"]}


def test_pinned_first_then_folders_then_days(alice, talk):
    for title in ("Pinned one", "Filed", "Archived one"):
        services.create_conversation(alice, title)
    made = {row.title: row.pk for row in Conversation.objects.all()}
    services.pin_conversation(alice, made["Pinned one"], is_pinned=True)
    services.archive_conversation(alice, made["Archived one"], is_archived=True)
    travel = folders.create_folder(alice, "Travel")
    folders.create_folder(alice, "Empty")
    folders.move_conversation(alice, made["Filed"], travel.pk)
    folders.move_conversation(alice, made["Archived one"], travel.pk)
    groups = shape(list_history(alice))
    assert list(groups.items()) == [
        ("Pinned", ["Pinned one"]),
        ("Empty", []),
        ("Travel", ["Filed"]),
        ("Today", ["Trains"]),
    ]
    assert shape(list_archive(alice)) == {"Today": ["Archived one"]}


def test_the_sidebar_asks_the_same_number_of_questions_for_any_number_of_folders(
    alice, django_assert_num_queries
):
    for n in range(12):
        folder = folders.create_folder(alice, f"Folder {n}")
        talk = services.create_conversation(alice, f"Talk {n}")
        folders.move_conversation(alice, talk.pk, folder.pk)
    with django_assert_num_queries(4):
        assert len(list_history(alice)) == 12


def test_the_list_reads_its_beginning_and_not_all_that_somebody_ever_asked(alice, bob):
    rows = [Conversation(owner=alice, title=f"Talk {n}") for n in range(4_000)]
    Conversation.objects.bulk_create(rows)
    old, given = rows[7], Conversation.objects.create(owner=bob, title="Given")
    share(given, alice, "reader", by=bob)
    start = timezone.now() - timedelta(days=90)
    with connection.cursor() as cursor:
        cursor.execute(
            "update chat_conversation set updated_at = %s + n * interval '1 minute' from"
            " (select id, row_number() over (order by id) n from chat_conversation) numbered"
            " where numbered.id = chat_conversation.id",
            [start],
        )
        cursor.execute("analyze chat_conversation")
    Conversation.objects.filter(pk=old.pk).update(is_pinned=True)
    with CaptureQueriesContext(connection) as asked:
        shown = [one.title for group in list_history(alice) for one in group.conversations]
    assert shown == [old.title, "Given", *(f"Talk {n}" for n in range(3_999, 3_901, -1))]
    (slow,) = [q["sql"] for q in asked if "ORDER BY" in q["sql"] and "LIMIT 100" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("explain (analyze, format json) " + slow)
        (((plan, *_),),) = cursor.fetchall()
    assert read_of(plan["Plan"], "chat_conversation") < 600


def read_of(node: dict[str, Any], table: str) -> float:
    """How many rows of the table were looked at."""
    own = 0.0
    if node.get("Relation Name") == table:
        removed = sum(n for name, n in node.items() if name.startswith("Rows Removed"))
        own = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return own + sum(read_of(part, table) for part in node.get("Plans", ()))


def test_a_person_who_goes_takes_folders_along(alice, bob, talk):
    share(talk, bob, "reader", by=alice)
    folders.move_conversation(bob, talk.pk, folders.create_folder(bob, "His").pk)
    folders.move_conversation(alice, talk.pk, folders.create_folder(alice, "Hers").pk)
    alice.delete()
    assert not Filing.objects.exists()
    bob.delete()
    assert not Folder.objects.exists()


def test_over_the_api(alice, api_for, talk):
    api = api_for(alice, "chat")
    folder = api.post("/folders", {"name": "Travel"}).json()
    assert api.post("/folders", {"name": "travel"}).json()["type"].endswith("folder-name-taken")
    moved = api("PUT", f"/conversations/{talk.pk}/folder", {"folder": folder["id"]})
    assert moved.json()["folder_id"] == folder["id"]
    inside = api.get(f"/conversations?folder={folder['id']}").json()["items"]
    assert [item["title"] for item in inside] == ["Trains"]
    assert api.get(f"/conversations?folder={new_id()}").json()["items"] == []
    assert api.get("/conversations?is_archived=true").json()["items"] == []
    assert api.patch(f"/folders/{folder['id']}", {"name": "Trips"}).json()["name"] == "Trips"
    assert [item["name"] for item in api.get("/folders").json()] == ["Trips"]
    assert api.delete(f"/folders/{folder['id']}").status_code == 204
    assert api.get(f"/conversations/{talk.pk}").json()["folder_id"] is None
