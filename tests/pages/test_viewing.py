"""Who may see a collection and why; and the collection through another's eyes."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Grant, Membership, User
from accounts.services import everyone, share
from knowledge import services, viewers
from knowledge.models import Document
from knowledge.selectors import list_documents
from security.acts import Act
from security.ids import new_id
from security.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def note(handbook, add_text) -> Document:
    return add_text(handbook, "# Leave\n\nFour weeks of notice are needed.\n")


def looking(client, collection, who, **query) -> object:
    address = reverse("knowledge:view_as", args=[collection.pk])
    return client.get(address, {"as": who, **query})


def looks() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(act=Act.VIEWED_AS).order_by("id"))


def test_everybody_is_listed_with_every_reason(alice, bob, charlie, team, handbook):
    share(handbook, team, Grant.Role.READER, by=alice)
    share(handbook, bob, Grant.Role.EDITOR, by=alice)
    access = viewers.list_viewers(handbook)
    assert [viewer.person for viewer in access.people] == [alice, bob]
    first, second = access.people
    assert (first.is_maker, first.is_direct, first.teams) == (True, False, ["Alice's team"])
    assert (second.is_direct, second.teams, second.role) == (True, ["Alice's team"], "editor")
    assert (access.everyone, access.is_cut) == ("", False)
    share(handbook, everyone(), Grant.Role.READER, by=alice)
    assert viewers.list_viewers(handbook).everyone == "reader"
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert [viewer.person for viewer in viewers.list_viewers(handbook).people] == [alice]


def test_the_list_of_people_asks_the_same_for_2_members_and_for_20(alice, team, handbook):
    share(handbook, team, Grant.Role.READER, by=alice)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            viewers.list_viewers(handbook)
        return len(queries)

    before = asked()
    for number in range(18):
        person = User.objects.create_user(f"m{number}@example.org")
        Membership.objects.create(team=team, user=person)
    assert asked() == before
    assert len(viewers.list_viewers(handbook).people) == 20


def test_a_team_mate_is_seen_through_and_it_is_on_record(
    client_of, alice, bob, charlie, team, handbook, note
):
    share(handbook, team, Grant.Role.READER, by=alice)
    page = looking(client_of(alice), handbook, bob.pk)
    assert page.status_code == 200
    assert [row.document for row in page.context["rows"]] == [note]
    found = looking(client_of(alice), handbook, bob.pk, q="weeks of notice").context["hits"]
    assert [hit.passage.document_id for hit in found] == [note.pk]
    assert [(look.actor_email, look.detail["to"], look.object_id) for look in looks()] == [
        ("alice@example.org", "bob@example.org", str(handbook.pk))
    ] * 2
    assert not any("notice" in str(look.detail) for look in looks())

    Membership.objects.filter(user=bob).delete()
    assert looking(client_of(alice), handbook, bob.pk).status_code == 404


def test_nobody_signed_in_sees_nothing(client_of, alice, handbook, note):
    share(handbook, everyone(), Grant.Role.READER, by=alice)
    page = looking(client_of(alice), handbook, "nobody")
    assert page.context["rows"] == []
    assert b"They see nothing of this collection" in page.content
    assert looking(client_of(alice), handbook, "nobody", q="notice").context["hits"] == []
    assert looks()[0].detail == {"to": "nobody"}


@pytest.mark.parametrize("who", ["charlie", "random", "rubbish", "disabled"])
def test_who_has_no_access_is_like_a_random_id(client_of, alice, bob, charlie, handbook, note, who):
    share(handbook, bob, Grant.Role.READER, by=alice)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    ids = {"charlie": charlie.pk, "random": new_id(), "rubbish": "a\0b", "disabled": bob.pk}
    assert looking(client_of(alice), handbook, ids[who]).status_code == 404
    assert not looks()


def test_only_owners_look(client_of, alice, bob, charlie, handbook, note):
    share(handbook, bob, Grant.Role.EDITOR, by=alice)
    for person in (bob, charlie):
        assert looking(client_of(person), handbook, alice.pk).status_code == 404
        assert looking(client_of(person), handbook, "nobody").status_code == 404
    share(handbook, bob, Grant.Role.OWNER, by=alice)
    assert looking(client_of(bob), handbook, alice.pk).status_code == 200


def test_nothing_that_the_owner_does_not_own_is_shown(client_of, alice, bob, handbook, add_text):
    """Bob's own collections are found in his searches, never in Alice's look at them."""
    theirs = services.create_collection(bob, "Bob's own")
    secret = add_text(theirs, "# Mine\n\nThe notice of Bob alone.\n")
    open_to_alice = services.create_collection(bob, "Bob's, open to Alice")
    add_text(open_to_alice, "# Open\n\nA notice that Alice may read.\n")
    share(open_to_alice, alice, Grant.Role.EDITOR, by=bob)
    note = add_text(handbook, "# Leave\n\nFour weeks of notice are needed.\n")
    share(handbook, bob, Grant.Role.READER, by=alice)

    def find(chosen=None) -> set:
        found = viewers.search_as(bob, alice, "notice", chosen, 20)
        return {passage.document_id for passage in found.passages}

    assert find() == {note.pk}
    assert find([theirs.pk, open_to_alice.pk]) == set()
    assert viewers.search_as(AnonymousUser(), alice, "notice", None, 20).passages == ()
    address = reverse("knowledge:search")
    page = client_of(alice).get(address, {"q": "notice", "as": bob.pk})
    assert [hit.passage.document_id for hit in page.context["hits"]] == [note.pk]
    assert str(secret.pk) not in page.content.decode()
    assert looks()[-1].detail["to"] == bob.email
    assert client_of(alice).get(address, {"q": "notice", "as": new_id()}).status_code == 404
    with pytest.raises(Http404):
        viewers.find_eyes(bob, str(User.objects.create_user("z@example.org").pk))


def test_an_address_finds_those_who_have_access_and_tells_no_others_apart(
    client_of, alice, bob, charlie, handbook
):
    share(handbook, everyone(), Grant.Role.READER, by=alice)
    address = reverse("knowledge:view_as", args=[handbook.pk])
    answer = client_of(alice).post(address, {"email": "BOB@example.org"})
    assert answer["Location"].endswith(f"?as={bob.pk}")
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    for email in (charlie.email, "none@example.org"):
        answer = client_of(alice).post(address, {"email": email})
        assert b"Nobody with this address has access" in answer.content


def test_several_documents_are_indexed_and_deleted_at_once(client_of, alice, handbook, add_text):
    documents = [add_text(handbook, f"Number {n}.", f"{n}.md") for n in range(3)]
    elsewhere = add_text(services.create_collection(alice, "Other"), "Elsewhere.", "e.md")
    address = reverse("knowledge:bulk", args=[handbook.pk])
    ids = [str(document.pk) for document in [*documents[:2], elsewhere]]
    answer = client_of(alice).post(
        address, {"action": "reindex", "document": ids}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert "2 documents are being indexed again." in answer["HX-Trigger"]
    states = dict(Document.objects.values_list("pk", "status"))
    assert [states[d.pk] for d in [*documents, elsewhere]] == ["queued", "queued", "ready", "ready"]
    answer = client_of(alice).post(address, {"action": "delete", "document": ids}, follow=True)
    assert b"2 documents are deleted." in answer.content
    assert {row.pk for row in list_documents(alice)} == {documents[2].pk, elsewhere.pk}
    client_of(alice).post(address, {"action": "restore", "document": ids})
    assert {row.pk for row in list_documents(alice)} == {row.pk for row in [*documents, elsewhere]}
    for wrong in ({"action": "burn", "document": ids}, {"action": "delete"},
                  {"action": "delete", "document": ["x\0"]}):  # fmt: skip
        assert client_of(alice).post(address, wrong).status_code == 400


def test_documents_are_filtered_by_type(client_of, alice, handbook, add_text):
    add_text(handbook, "Plain.", "plain.txt")
    marked = add_text(handbook, "# Marked", "marked.md")
    page = client_of(alice).get(
        reverse("knowledge:documents", args=[handbook.pk]), {"kind": "text/markdown"}
    )
    assert [row.document for row in page.context["rows"]] == [marked]


def test_programs_hear_who_has_access(api_for, alice, bob, team, handbook):
    share(handbook, team, Grant.Role.READER, by=alice)
    answer = api_for(alice)("GET", f"/collections/{handbook.pk}/viewers")
    assert answer.status_code == 200
    assert [(person["name"], person["role"], person["teams"]) for person in
            answer.json()["people"]] == [
        ("Alice", "owner", ["Alice's team"]), ("Bob", "reader", ["Alice's team"]),
    ]  # fmt: skip
