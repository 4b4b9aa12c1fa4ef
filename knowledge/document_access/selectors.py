"""Reads about documents with readers of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.access import EDIT, OneOf
from accounts.models import Grant, User
from knowledge.models import Collection, Document
from knowledge.types import SearchResult
from knowledge.viewers import MOST, STRENGTH, Access, Viewer, list_viewers, members_of
from security.reading import reading_as


def list_grants(document: Document) -> "QuerySet[Grant]":
    """To whom it is given by itself, the oldest first."""
    grants = Grant.objects.filter(kind=Document.grant_kind, object_id=document.pk)
    return grants.select_related("user", "team").order_by("created_at")


def is_restricted(document: Document) -> bool:
    return bool(Collection.parts_apart.filter(pk=document.pk, is_restricted=True).exists())


def list_readers(document: Document) -> Access:
    """Active people who may read it, each with every reason: as readers of its collection where it
    is not kept from them, as its editors and owners, or by its own grants."""
    found = list_viewers(document.collection)
    is_kept = is_restricted(document)
    people = {
        one.person.pk: one for one in found.people if not is_kept or Grant.Role(one.role) in EDIT
    }
    everyone = "" if is_kept and found.everyone == Grant.Role.READER else found.everyone
    grants = list(list_grants(document))
    for grant in grants:
        if grant.user and grant.user.is_active:
            people.setdefault(grant.user.pk, Viewer(grant.user, grant.role)).is_direct = True
    teams = {g.team.pk: g.team for g in grants if g.team and not g.team.is_everyone}
    for member in members_of(teams):
        viewer = people.setdefault(member.user_id, Viewer(member.user, Grant.Role.READER))
        if member.team.name not in viewer.teams:
            viewer.teams.append(member.team.name)
    if not everyone and any(g.team and g.team.is_everyone for g in grants):
        everyone = Grant.Role.READER
    ordered = sorted(people.values(), key=lambda v: (-STRENGTH[Grant.Role(v.role)], str(v.person)))
    return Access(ordered[:MOST], everyone, is_cut=found.is_cut or len(ordered) > MOST)


def is_seen_by(eyes: User | AnonymousUser, document: Document) -> bool:
    """Asked as they would ask, under the second lock."""
    with reading_as(eyes):
        return bool(Document.objects.visible_to(eyes).filter(pk=document.pk).exists())


def with_homes(user: User | AnonymousUser, found: SearchResult) -> SearchResult:
    """The same passages; of those that lie apart the collection is named to who reads it."""
    apart = {one.document_id for one in found.passages if one.collection_id == one.document_id}
    homes = homes_of(user, apart) if apart else {}
    if not homes:
        return found
    passages = (
        replace(one, collection_id=homes.get(one.collection_id, one.collection_id))
        for one in found.passages
    )
    return replace(found, passages=tuple(passages))


def list_shared(user: User) -> "QuerySet[Document]":
    """Documents that `user` reads without reading their collection; found by their parts."""
    whole = Collection.objects.visible_to(user).values("pk")
    parts = Collection.parts_apart.visible_to(user).values("pk")
    found: QuerySet[Document] = Document.objects.filter(OneOf("pk", parts), is_apart=True)
    return found.exclude(collection__in=whole).prefetch_related("stages")


def homes_of(user: User | AnonymousUser, spaces: Iterable[UUID]) -> dict[UUID, UUID]:
    """Of those of the ids that are parts: the collection, where `user` may read it as a whole."""
    whole = Collection.objects.visible_to(user).values("pk")
    rows = Collection.parts_apart.filter(pk__in=set(spaces), part_of__in=whole)
    return dict(rows.values_list("pk", "part_of"))


def hide_homes(user: User | AnonymousUser, documents: Sequence[Document]) -> Sequence[Document]:
    """The same documents; those whose collection `user` may not read name themselves in its place.

    One query where any has readers of its own, else none. Not to be saved afterwards.
    """
    apart = [document for document in documents if document.is_apart]
    if apart:
        homes = homes_of(user, [document.pk for document in apart])
        for document in apart:
            if document.pk not in homes:
                document.collection_id = document.pk
    return documents
