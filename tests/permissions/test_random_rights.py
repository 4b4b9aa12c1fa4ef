"""Random rights in random order: after each step everybody sees what a tiny model says.

Lists, search, downloads and the right to follow are asked of the product; `model.House` knows the
answer. `make chaos` plays much longer.
"""

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from accounts import services as accounts
from accounts import tokens
from accounts.errors import SharingRefused
from accounts.models import Grant, Membership, Team, User
from chat.live.visitors import may_follow
from chat.models import Turn
from knowledge.document_access import services as documents
from knowledge.models import Document
from tests.permissions.model import EVERYONE, House
from tests.permissions.test_matrix import hang_up
from tests.support import world as stage

pytestmark = pytest.mark.django_db
PEOPLE = ("ann", "ben", "cyd", "dan")
TEAMS = ("red", "blue")
KINDS = ("collection", "conversation", "agent")
THINGS = tuple(f"{kind} of {person}" for person in PEOPLE[:2] for kind in KINDS)
ROLES = ("reader", "editor", "owner")
thing, person = st.sampled_from(THINGS), st.sampled_from(PEOPLE)
place = st.sampled_from([name for name in THINGS if name.startswith("collection")])
grantee = st.sampled_from((*PEOPLE, *TEAMS, EVERYONE))


class Cast:
    """The rows behind the names."""

    def __init__(self) -> None:
        self.people = {name: User.objects.create_user(f"{name}@example.org") for name in PEOPLE}
        self.teams = {name: Team.objects.create(name=name) for name in TEAMS}
        self.teams[EVERYONE] = accounts.everyone()
        self.clients = {name: self._client(user) for name, user in self.people.items()}
        self.things: dict[str, Any] = {}
        self.documents: dict[str, str] = {}  # by the name of their collection
        for name in PEOPLE[:2]:
            ids = stage.furnish(self.people[name], f"Room of {name}", f"secret of {name}")
            for kind, model in zip(KINDS, stage.SHARED, strict=True):
                self.things[f"{kind} of {name}"] = model.objects.get(pk=ids[f"{kind}_id"])
            self.documents[f"collection of {name}"] = str(ids["document_id"])

    def _client(self, user: User) -> Client:
        bearer = tokens.issue(user, "test")[1]
        return Client(raise_request_exception=False, headers={"authorization": f"Bearer {bearer}"})

    def grantee(self, name: str) -> User | Team:
        return self.people[name] if name in self.people else self.teams[name]

    def name_of(self, document: UUID) -> str:
        return next(name for name, pk in self.documents.items() if pk == str(document))

    def ids(self, names: Any, kind: str) -> set[str]:
        return {str(self.things[name].pk) for name in names if name.startswith(kind)}


class Rights(RuleBasedStateMachine):
    cast: Cast
    looks_at_all = False

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.house = House(
            owners={name: name.rpartition(" ")[2] for name in THINGS},
            people=set(PEOPLE),
            teams={team: set() for team in TEAMS},
        )
        self.turn = 0

    def teardown(self) -> None:
        try:
            for name in PEOPLE:
                self.check(name)
        finally:  # or the next game would begin in this one's house
            transaction.savepoint_rollback(self.point)
            for user in self.cast.people.values():
                user.refresh_from_db()

    @rule(what=thing, who=grantee, role=st.sampled_from(ROLES), by=person)
    def share(self, what: str, who: str, role: str, by: str) -> None:
        allowed = self.house.may_share(by, what, who, role)
        try:
            accounts.share(
                self.cast.things[what], self.cast.grantee(who), role, by=self.cast.people[by]
            )
        except (Http404, SharingRefused):
            assert not allowed
        else:
            assert allowed
            self.house.grants[what, who] = role
        self.look(by, who)

    @rule(what=thing, who=grantee, by=person)
    def unshare(self, what: str, who: str, by: str) -> None:
        allowed = self.house.role(by, what) == "owner"
        try:
            accounts.unshare(
                self.cast.things[what], self.cast.grantee(who), by=self.cast.people[by]
            )
        except Http404:
            assert not allowed
        else:
            assert allowed
            self.house.grants.pop((what, who), None)
        self.look(by, who)

    @rule(where=place, who=grantee, by=person)
    def share_document_or_take_it_back(self, where: str, who: str, by: str) -> None:
        pk, user, grantee = self.cast.documents[where], self.cast.people[by], self.cast.grantee(who)
        role = self.house.role(by, where)
        is_named = (where, who) in self.house.named
        try:
            if is_named:
                grants = Grant.objects.filter(kind="document", object_id=pk)
                mine = {"team": grantee} if isinstance(grantee, Team) else {"user": grantee}
                documents.unshare(user, UUID(pk), grants.get(**mine).pk)
            else:
                documents.share(user, UUID(pk), grantee)
        except (Http404, PermissionDenied):
            assert role != "owner"
        except SharingRefused:
            assert who == self.house.owners[where]
        else:
            assert role == "owner"
            self.house.named ^= {(where, who)}
        self.look(by, who)

    @rule(where=place, by=person)
    def restrict_or_open(self, where: str, by: str) -> None:
        is_kept = where in self.house.kept
        role = self.house.role(by, where)
        pk = UUID(self.cast.documents[where])
        try:
            documents.restrict(self.cast.people[by], pk, is_restricted=not is_kept)
        except (Http404, PermissionDenied):
            assert role != "owner"
        else:
            assert role == "owner"
            self.house.kept ^= {where}
        self.look(by)

    @rule(who=person, team=st.sampled_from(TEAMS))
    def join_or_leave(self, who: str, team: str) -> None:
        row = {"user": self.cast.people[who], "team": self.cast.teams[team]}
        if who in self.house.teams[team]:
            Membership.objects.get(**row).delete()
        else:
            Membership.objects.create(**row)
        self.house.teams[team] ^= {who}
        self.look(who)

    @rule(who=person)
    def disable_or_enable(self, who: str) -> None:
        act = accounts.enable if who in self.house.disabled else accounts.disable
        act(self.cast.people[who])
        self.house.disabled ^= {who}
        self.look(who)

    @rule(what=thing.filter(lambda name: not name.startswith("agent")), by=person)
    def delete(self, what: str, by: str) -> None:
        kind = what.partition(" ")[0]
        place = f"/api/v1/{kind}s/{self.cast.things[what].pk}"
        role = self.house.role(by, what)
        expected = {None: 404, "reader": 403, "editor": 403, "owner": 204}[role]
        if by in self.house.disabled:
            expected = 401
        assert self.cast.clients[by].delete(place).status_code == expected
        if expected == 204:
            self.house.delete(what)
        self.look(by)

    def look(self, *names: str) -> None:
        """Everybody concerned, and one more in turn."""
        self.turn += 1
        concerned = {PEOPLE[self.turn % len(PEOPLE)], *names} & set(PEOPLE)
        for name in PEOPLE if self.looks_at_all else sorted(concerned):
            self.check(name)

    def check(self, name: str) -> None:
        seen, client = self.house.seen_by(name), self.cast.clients[name]
        user = User.objects.get(pk=self.cast.people[name].pk)
        if name in self.house.disabled:
            assert not seen
            assert client.get("/api/v1/me").status_code == 401
        else:
            self.check_lists(name, seen, client)
        talks = self.cast.ids(seen, "conversation")
        for document in Document.objects.select_related("collection"):
            place = document.collection
            is_mine = str(place.conversation_id) in talks
            if not place.is_shelf:
                is_mine = self.house.reads_document(name, self.cast.name_of(document.pk))
            assert may_follow(user, document.job_id) is is_mine
            file = client.get(f"/api/v1/documents/{document.pk}/file")
            refused = 401 if name in self.house.disabled else 404
            assert file.status_code == (200 if is_mine else refused)
            hang_up(file)
        for turn in Turn.objects.all():
            assert may_follow(user, turn.pk) is (str(turn.conversation_id) in talks)

    def check_lists(self, name: str, seen: dict[str, str], client: Client) -> None:
        for kind in KINDS:
            items = client.get(f"/api/v1/{kind}s").json()["items"]
            found = {item["id"]: item["role"] for item in items}
            assert found == {
                str(self.cast.things[what].pk): role
                for what, role in seen.items()
                if what.startswith(kind)
            }
        query = {"query": "secret of ann and ben", "limit": 50}
        hits = client.post("/api/v1/search", query, "application/json").json()["passages"]
        homes = self.cast.ids(seen, "collection")
        readable = {
            pk: str(self.cast.things[where].pk)
            for where, pk in self.cast.documents.items()
            if self.house.reads_document(name, where)
        }
        assert {(hit["document_id"], hit["collection_id"]) for hit in hits} == {
            (pk, home if home in homes else pk) for pk, home in readable.items()
        }
        listed = client.get("/api/v1/documents").json()["items"]
        assert {item["id"] for item in listed} == set(readable)
        shelves = client.get("/api/v1/collections").json()["items"]
        assert {item["id"]: item["document_count"] for item in shelves} == {
            home: int(home in readable.values()) for home in homes
        }


def play(tmp_path: Any, project: Any, machine: type[Rights], **numbers: int) -> None:
    project.FILES_ROOT = tmp_path / "files"
    machine.cast = Cast()
    run_state_machine_as_test(
        machine,
        settings=settings(
            deadline=None, database=None, suppress_health_check=list(HealthCheck), **numbers
        ),
    )  # fmt: skip


@pytest.mark.timeout(900)
def test_s02_everybody_sees_what_the_model_says(tmp_path, settings):
    play(tmp_path, settings, Rights, max_examples=3, stateful_step_count=8)


@pytest.mark.chaos
@pytest.mark.timeout(3600)  # a busy machine took more than twenty minutes
def test_s02_everybody_sees_what_the_model_says_for_long(tmp_path, settings):
    class Thorough(Rights):
        looks_at_all = True

    play(tmp_path, settings, Thorough, max_examples=20, stateful_step_count=30)
