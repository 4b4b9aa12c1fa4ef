import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import services
from accounts.access import OwnedQuerySet
from accounts.errors import SharingRefused
from accounts.models import Grant, Membership, Team, User
from knowledge.models import Collection

pytestmark = pytest.mark.django_db


@pytest.fixture
def collection(alice) -> Collection:
    return Collection.objects.create(owner=alice, name="Plans")


def rights(user, collection) -> str:
    """`see`, `see edit`, `see edit own` or nothing."""
    checks = {
        "see": Collection.objects.visible_to,
        "edit": Collection.objects.editable_by,
        "own": Collection.objects.owned_by,
    }
    return " ".join(name for name, check in checks.items() if collection in check(user))


def test_only_the_owner_has_rights_at_first(alice, bob, charlie, team, collection):
    assert rights(alice, collection) == "see edit own"
    assert rights(bob, collection) == ""
    assert rights(charlie, collection) == ""
    assert rights(AnonymousUser(), collection) == ""


@pytest.mark.parametrize(
    ("role", "expected"),
    [("reader", "see"), ("editor", "see edit"), ("owner", "see edit own")],
)
def test_a_grant_gives_its_role_to_a_person(alice, bob, charlie, collection, role, expected):
    services.share(collection, bob, role, by=alice)
    assert rights(bob, collection) == expected
    assert rights(charlie, collection) == ""


def test_a_grant_to_a_team_reaches_its_members_while_they_are_in_it(
    alice, bob, charlie, team, collection
):
    services.share(collection, team, "reader", by=alice)
    assert rights(bob, collection) == "see"
    assert rights(charlie, collection) == ""
    Membership.objects.filter(user=bob).delete()
    assert rights(bob, collection) == ""


def test_a_grant_to_everyone_reaches_active_people_only(alice, charlie, collection):
    services.share(collection, services.everyone(), "reader", by=alice)
    assert rights(charlie, collection) == "see"
    services.disable(charlie)
    assert rights(charlie, collection) == ""
    assert rights(AnonymousUser(), collection) == ""


def test_a_disabled_owner_sees_nothing(alice, collection):
    services.disable(alice)
    assert rights(alice, collection) == ""


def test_the_strongest_of_several_grants_counts_and_rows_come_once(alice, bob, team, collection):
    services.share(collection, bob, "editor", by=alice)
    services.share(collection, team, "reader", by=alice)
    services.share(collection, services.everyone(), "reader", by=alice)
    assert list(Collection.objects.visible_to(bob)) == [collection]
    assert rights(bob, collection) == "see edit"
    assert Collection.objects.visible_to(bob).annotate_role(bob).get().role == "editor"
    assert Collection.objects.annotate_role(alice).get().role == "owner"


def test_a_grant_of_another_kind_gives_nothing(alice, bob, collection):
    Grant.objects.create(user=bob, kind="agent", object_id=collection.pk, role="owner")
    assert rights(bob, collection) == ""


def test_sharing_again_changes_the_role_and_unsharing_takes_it(alice, bob, collection):
    services.share(collection, bob, "editor", by=alice)
    services.share(collection, bob, "reader", by=alice)
    assert Grant.objects.get().role == "reader"
    assert services.unshare(collection, bob, by=alice)
    assert not services.unshare(collection, bob, by=alice)
    assert rights(bob, collection) == ""


def test_only_owners_share(alice, bob, charlie, collection):
    services.share(collection, bob, "editor", by=alice)
    for person in (bob, charlie):
        with pytest.raises(Http404):
            services.share(collection, charlie, "reader", by=person)
        with pytest.raises(Http404):
            services.unshare(collection, bob, by=person)


def test_senseless_grants_are_refused(alice, bob, collection):
    for who, role in [(alice, "reader"), (bob, "emperor"), (services.everyone(), "owner")]:
        with pytest.raises(SharingRefused):
            services.share(collection, who, role, by=alice)
    assert not Grant.objects.exists()


def test_the_database_refuses_a_grant_to_nobody_or_to_two(alice, team):
    fields = {"kind": "collection", "object_id": team.pk}
    for grantee in ({}, {"user": alice, "team": team}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.create(**fields, **grantee)
    Team.objects.create(name="a", is_everyone=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.create(name="b", is_everyone=True)


def test_permission_and_read_are_one_query(alice, collection):
    for check in ("visible_to", "editable_by", "owned_by"):
        with CaptureQueriesContext(connection) as queries:
            list(getattr(Collection.objects, check)(alice))
        assert len(queries) == 1
    assert isinstance(Collection.objects.visible_to(alice), OwnedQuerySet)


ROLES = st.sampled_from(["reader", "editor", "owner"])
RANK = {None: 0, "reader": 1, "editor": 2, "owner": 3}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    direct=st.none() | ROLES,
    by_team=st.none() | ROLES,
    is_member=st.booleans(),
    everyone=st.none() | st.sampled_from(["reader", "editor"]),
    is_active=st.booleans(),
)
def test_rights_are_the_strongest_that_reach_an_active_person(
    db, direct, by_team, is_member, everyone, is_active
):
    """The queries agree with the rule computed by hand for every mix of grants."""
    with transaction.atomic():
        owner = User.objects.create_user("o@example.org")
        person = User.objects.create_user("p@example.org", is_active=is_active)
        team = services.create_team(owner, "T")
        if is_member:
            Membership.objects.create(team=team, user=person)
        thing = Collection.objects.create(owner=owner, name="X")
        for grantee, role in [(person, direct), (team, by_team), (services.everyone(), everyone)]:
            if role:
                services.share(thing, grantee, role, by=owner)
        reaching = [direct, by_team if is_member else None, everyone]
        rank = max(RANK[role] for role in reaching) if is_active else 0
        expected = ["", "see", "see edit", "see edit own"][rank]
        assert rights(person, thing) == expected
        transaction.set_rollback(True)
