"""Reads about documents with readers of their own."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import Grant, User
from knowledge.models import Collection, Document


def list_grants(document: Document) -> "QuerySet[Grant]":
    """To whom it is given by itself, the oldest first."""
    grants = Grant.objects.filter(kind=Document.grant_kind, object_id=document.pk)
    return grants.select_related("user", "team").order_by("created_at")


def is_restricted(document: Document) -> bool:
    return bool(Collection.parts_apart.filter(pk=document.pk, is_restricted=True).exists())


def list_shared(user: User) -> "QuerySet[Document]":
    """Documents that `user` reads without reading their collection."""
    whole = Collection.objects.visible_to(user).values("pk")
    found: QuerySet[Document] = Document.objects.collected_for(user).filter(is_apart=True)
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
