"""Teams in the hands of their owners."""

import pytest
from django.http import Http404
from django.urls import reverse

from accounts import services, teams
from accounts.errors import TeamRefused
from accounts.models import Membership, Team
from accounts.services import everyone
from knowledge.models import Collection
from security.models import AuditEntry
from tests.pages.conftest import client_of

__all__ = ["client_of"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(alice) -> Team:
    return services.create_team(alice, "Editors")


def roles(team: Team) -> dict[str, str]:
    return dict(team.memberships.values_list("user__name", "role"))


def test_an_owner_adds_changes_and_removes_and_rights_follow(alice, bob, team) -> None:
    shared = Collection.objects.create(owner=alice, name="Shared")
    services.share(shared, team, "reader", by=alice)
    assert not Collection.objects.visible_to(bob).exists()
    teams.add_member(alice, team.pk, " BOB@example.org", "member")
    assert Collection.objects.visible_to(bob).get() == shared
    teams.add_member(alice, team.pk, "bob@example.org", "owner")  # again: another role
    assert roles(team) == {"Alice": "owner", "Bob": "owner"}
    teams.change_role(bob, team.pk, alice.pk, "member")
    teams.remove_member(bob, team.pk, alice.pk)
    assert roles(team) == {"Bob": "owner"}
    acts = AuditEntry.objects.filter(object_id=str(team.pk)).order_by("pk")
    assert [entry.act for entry in acts] == [
        "team.made", "team.joined", "team.role", "team.role", "team.left",
    ]  # fmt: skip
    assert acts[1].detail == {"to": bob.email, "to_id": str(bob.pk), "role": "member"}


def test_the_only_owner_stays_and_members_may_leave(alice, bob, team) -> None:
    teams.add_member(alice, team.pk, bob.email, "member")
    for attempt in (
        lambda: teams.remove_member(alice, team.pk, alice.pk),
        lambda: teams.change_role(alice, team.pk, alice.pk, "member"),
        lambda: teams.add_member(alice, team.pk, alice.email, "member"),
        lambda: teams.add_member(alice, team.pk, "nobody@example.org", "member"),
    ):
        with pytest.raises(TeamRefused):
            attempt()
    teams.remove_member(bob, team.pk, bob.pk)
    assert roles(team) == {"Alice": "owner"}


def test_nobody_else_changes_a_team(alice, bob, charlie, team) -> None:
    teams.add_member(alice, team.pk, bob.email, "member")
    others = services.create_team(charlie, "Others")
    for user, where in ((bob, team), (charlie, team), (alice, others), (alice, everyone())):
        other = bob if user == alice else alice
        for attempt in (
            lambda u=user, t=where: teams.add_member(u, t.pk, charlie.email, "owner"),
            lambda u=user, t=where: teams.change_role(u, t.pk, bob.pk, "owner"),
            lambda u=user, t=where, o=other: teams.remove_member(u, t.pk, o.pk),
        ):
            with pytest.raises(Http404):
                attempt()
    services.disable(alice)
    alice.refresh_from_db()
    with pytest.raises(Http404):
        teams.add_member(alice, team.pk, charlie.email, "member")
    assert roles(team) == {"Alice": "owner", "Bob": "member"}


def test_the_page_offers_it_to_owners_alone(client_of, alice, bob, team) -> None:
    page = client_of(alice)
    add = reverse("accounts:add_member", args=[team.pk])
    said = page.post(add, {"email": "nobody@example.org", "role": "member"}).content.decode()
    assert "Nobody here has this address" in said
    said = page.post(add, {"email": bob.email, "role": "member"}).content.decode()
    assert bob.email in said
    alone = reverse("accounts:change_member", args=[team.pk, alice.pk])
    assert "A team needs an owner" in page.post(alone, {"role": "member"}).content.decode()
    form = f'hx-post="{add}"'
    assert form in page.get(reverse("accounts:teams")).content.decode()
    guest = client_of(bob)
    assert form not in guest.get(reverse("accounts:teams")).content.decode()
    assert guest.post(add, {"email": bob.email, "role": "owner"}).status_code == 404
    gone = guest.post(reverse("accounts:change_member", args=[team.pk, bob.pk]))
    assert "You are in no team" in gone.content.decode()


def test_programs_do_the_same(api_for, alice, bob, team) -> None:
    api = api_for(alice)
    place = f"/teams/{team.pk}/members"
    assert api.post(place, {"email": bob.email}).json()["role"] == "member"
    assert api.patch(f"{place}/{bob.pk}", {"role": "owner"}).json()["role"] == "owner"
    (told,) = api.get("/teams").json()
    assert {member["email"] for member in told["members"]} == {alice.email, bob.email}
    assert api.post(place, {"email": "nobody@example.org"}).status_code == 422
    assert api.delete(f"{place}/{bob.pk}").status_code == 204
    assert api_for(bob).get("/teams").json() == []
    assert Membership.objects.get(team=team).user == alice
