"""Who may see a collection and why, and what another person would see of it.

An owner may look through the eyes of whoever has access to something they own: the queries are the
other person's own (`visible_to`, under the second lock), and are asked only about collections that
the owner owns. So nothing is shown that the owner could not see, and nothing is said of what the
person sees elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404

from accounts.models import Grant, Membership, Team, User
from knowledge import retrieval
from knowledge.models import Collection, Document
from knowledge.selectors import find_collection
from knowledge.types import SearchResult
from security import audit
from security.acts import Act
from security.reading import reading_as

MOST = 200  # people listed with their reasons
NOBODY = "nobody"
Eyes = User | AnonymousUser
STRENGTH = {Grant.Role.READER: 0, Grant.Role.EDITOR: 1, Grant.Role.OWNER: 2}


@dataclass(slots=True)
class Viewer:
    """A person who may see the collection, and every reason why."""

    person: User
    role: str
    is_maker: bool = False
    is_direct: bool = False
    teams: list[str] = field(default_factory=list)

    def add(self, role: str) -> None:
        if STRENGTH[Grant.Role(role)] > STRENGTH[Grant.Role(self.role)]:
            self.role = role

    @property
    def role_label(self) -> str:
        return str(Grant.Role(self.role).label)


@dataclass(frozen=True, slots=True)
class Access:
    """`everyone` is the role that all active accounts have; `is_cut` when people are left out."""

    people: list[Viewer]
    everyone: str = ""
    is_cut: bool = False

    @property
    def everyone_label(self) -> str:
        return str(Grant.Role(self.everyone).label) if self.everyone else ""


def list_viewers(collection: Collection) -> Access:
    """Active people with access to the collection, strongest first, each with every reason."""
    grants = list(list_grants(collection))
    found = {collection.owner_id: Viewer(collection.owner, Grant.Role.OWNER, is_maker=True)}
    for grant in grants:
        if grant.user and grant.user.is_active:
            viewer = found.setdefault(grant.user.pk, Viewer(grant.user, grant.role))
            viewer.add(grant.role)
            viewer.is_direct = True
    roles = {g.team.pk: g.role for g in grants if g.team and not g.team.is_everyone}
    members = list(members_of(roles))
    for member in members[:MOST]:
        role = roles[member.team_id]
        viewer = found.setdefault(member.user_id, Viewer(member.user, role))
        viewer.add(role)
        viewer.teams.append(member.team.name)
    everyone = next((g.role for g in grants if g.team and g.team.is_everyone), "")
    people = sorted(found.values(), key=lambda v: (-STRENGTH[Grant.Role(v.role)], str(v.person)))
    return Access(people[:MOST], everyone, is_cut=len(members) > MOST or len(people) > MOST)


def list_grants(collection: Collection) -> "QuerySet[Grant]":
    grants = Grant.objects.filter(kind=Collection.grant_kind, object_id=collection.pk)
    return grants.select_related("user", "team").order_by("created_at")


def list_faces(owner: User) -> list[User]:
    """Active people, at most `MOST`, with whom something that `owner` owns is shared by name or
    by a team of theirs; not the owner."""
    owned = Collection.objects.owned_by(owner).values("pk")
    grants = Grant.objects.filter(kind=Collection.grant_kind, object_id__in=owned)
    teams = Team.objects.filter(pk__in=grants.values("team"), is_everyone=False)
    members = Membership.objects.filter(team__in=teams).values("user")
    named = User.objects.filter(pk__in=grants.values("user"))
    found = (named | User.objects.filter(pk__in=members)).filter(is_active=True)
    return list(found.exclude(pk=owner.pk).order_by("name", "email")[:MOST])


def find_eyes(owner: User, who: str, collection: Collection | None = None) -> Eyes:
    """Whose eyes `owner` may look through: `nobody`, or the id of somebody who has access to
    `collection`, or to anything of the owner's; raises Http404 for all others."""
    if who == NOBODY:
        return AnonymousUser()
    try:
        person = User.objects.filter(pk=UUID(who), is_active=True).first()
    except ValueError:
        person = None
    if person is None or not _seen(owner, person, collection):
        raise Http404
    return person


def find_by_email(collection: Collection, owner: User, email: str) -> User | None:
    """Somebody with access by their address; None for others, whether they exist or not."""
    person = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    return person if person is not None and _seen(owner, person, collection) else None


def role_of(eyes: Eyes, collection: Collection) -> str:
    """What the person may do with the collection; empty for nothing."""
    if not isinstance(eyes, User):
        return ""
    try:
        found: Any = find_collection(eyes, collection.pk)
    except Http404:
        return ""
    return str(found.role)


def label_of(role: str) -> str:
    """In words."""
    return str(Grant.Role(role).label) if role else ""


def list_seen(eyes: Eyes, owner: User, collection: Collection) -> "QuerySet[Document]":
    """The documents of the owner's collection that the person would find in its list.

    To be read within `reading_as(eyes)`, as the person reads them.
    """
    owned = list(Collection.objects.owned_by(owner).filter(pk=collection.pk).values_list("pk"))
    seen: QuerySet[Document] = Document.objects.collected_for(eyes).prefetch_related("stages")
    return seen.filter(collection__in=[pk for (pk,) in owned])


def search_as(
    eyes: Eyes,
    owner: User,
    query: str,
    collections: Iterable[UUID] | None,
    limit: int,
    **options: Any,
) -> SearchResult:
    """What the person would find in those of the collections that `owner` owns (None: in all);
    `options` are those of `retrieval.search`."""
    owned = Collection.objects.owned_by(owner)
    if collections is not None:
        owned = owned.filter(pk__in=list(collections))
    return retrieval.search(eyes, query, list(owned.values_list("pk", flat=True)), limit, **options)


def record_look(eyes: Eyes, thing: Collection | Document | None) -> None:
    """Whoever looks through another's eyes is in the audit log; what they asked for is not."""
    to: dict[str, Any] = {"to": "nobody"}
    if isinstance(eyes, User):
        to = {"to": eyes.email, "to_id": str(eyes.pk)}
    audit.record(Act.VIEWED_AS, thing, **to)


def members_of(team_ids: Iterable[UUID]) -> "QuerySet[Membership]":
    members = Membership.objects.filter(team__in=list(team_ids), user__is_active=True)
    return members.select_related("user", "team").order_by("team__name", "pk")[: MOST + 1]


def _seen(owner: User, person: User, collection: Collection | None) -> bool:
    owned = Collection.objects.owned_by(owner)
    if collection is not None:
        owned = owned.filter(pk=collection.pk)
    ids = list(owned.values_list("pk", flat=True))
    with reading_as(person):
        return bool(Collection.objects.visible_to(person).filter(pk__in=ids).exists())
