"""Collections, and who may see what is in them."""

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import EDIT, READ, OneOf, OwnedModel, OwnedQuerySet, has_grant
from accounts.models import Grant, User
from gateway.label_fields import LabelsField
from knowledge.switch_fields import SwitchesField


class CollectionQuerySet(OwnedQuerySet):
    """Shelves are no collections to anybody: `visible_to` and its like leave them out.

    So nobody finds one in a list, searches it by chance, shares it or adds to it. Who wants what
    is attached asks for `shelves_of`.
    """

    def _with_role(self, user: User | AnonymousUser, roles: tuple[str, ...]) -> Self:
        return super()._with_role(user, roles).filter(is_shelf=False)

    def shelves_of(self, user: User | AnonymousUser) -> Self:
        """Shelves `user` may read: their own, and those of conversations shared with them."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        is_guest = has_grant(user, Grant.Kind.CONVERSATION, READ, "conversation_id")
        mine = models.Q(owner=user) | models.Q(is_guest)
        return self.filter(mine, is_shelf=True, is_withdrawn=False)


class Whole(models.Manager.from_queryset(CollectionQuerySet)):  # type: ignore[misc]
    """Collections as people know them; what one document has for itself is none."""

    def get_queryset(self) -> CollectionQuerySet:
        found: CollectionQuerySet = super().get_queryset().filter(part_of=None)
        return found


class PartQuerySet(models.QuerySet[Any]):
    """Under which ids passages lie apart from those of their collection (`document_access`)."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Of what they may read as a whole, where it is not for others alone; and what is shared
        with them by itself."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        # By grants alone: a part has its collection's owner. Short, since every search plans it.
        read = has_grant(user, Grant.Kind.COLLECTION, READ, "part_of")
        edited = has_grant(user, Grant.Kind.COLLECTION, EDIT, "part_of")
        named = has_grant(user, Grant.Kind.DOCUMENT, READ)
        readable = (
            models.Q(owner=user)
            | models.Q(read, is_restricted=False)
            | models.Q(edited, is_restricted=True)
            | models.Q(named)
        )
        return self.filter(readable, part_of__isnull=False, is_withdrawn=False)

    def kept_from(self, user: User) -> Self:
        """The restricted ones of all collections that they may not read, also of documents that
        were deleted and can be restored."""
        seen = OneOf("pk", self.visible_to(user).values("pk"))
        edited = OneOf("part_of", Collection.objects.editable_by(user).values("pk"))
        return self.filter(~models.Q(seen), ~models.Q(edited), is_restricted=True)


class Collection(OwnedModel):
    """Documents that are searched and shared together.

    A shelf (see `shelves`) is the collection of one file attached to a question. A part has the id
    of the one document whose passages it holds, since their readers are not the collection's.
    """

    grant_kind = Grant.Kind.COLLECTION

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    required_labels = LabelsField(_("demanded labels"))
    is_shelf = models.BooleanField(default=False, db_default=False, editable=False)
    # Of a shelf: where its file was sent; its owner is that conversation's. None: not sent yet.
    conversation_id = models.UUIDField(null=True, blank=True, editable=False)
    # Of a shelf, that its conversation is deleted, of a part, that its document is: nobody reads
    # it until that is restored.
    is_withdrawn = models.BooleanField(default=False, db_default=False, editable=False)
    # Of a part: what it belongs to. Owner and labels are that one's: Postgres keeps them the same.
    part_of = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.CASCADE,
        related_name="parts",
    )  # fmt: skip
    # Of a part: whoever reads the collection reads it too, or only its editors and who is named.
    is_restricted = models.BooleanField(default=False, db_default=False, editable=False)
    # Since when nothing in it is indexed: what comes in waits until somebody goes on.
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)
    # The model that writes what its passages are found by (`enrichment`), and who switched that on
    # and pays for it; empty: nobody.
    enrich_model = models.CharField(max_length=120, blank=True, default="", db_default="")
    enrich_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    # Since when the marker that models are shown beside its passages alarms (`canaries`).
    canary_at = models.DateTimeField(null=True, blank=True, editable=False)
    understanding = SwitchesField(_("understanding questions"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[Any] = Whole()
    parts_apart: ClassVar[Any] = PartQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["name", "id"]
        indexes = [
            models.Index(
                fields=["owner"], condition=models.Q(is_shelf=False), name="collection_owner"
            ),
            models.Index(
                fields=["conversation_id"],
                condition=models.Q(is_shelf=True),
                name="shelf_conversation",
            ),
            models.Index(
                fields=["part_of"],
                condition=models.Q(part_of__isnull=False),
                name="collection_part",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Known:
    """Whether there are parts at all. While there are none, no search asks for them: a house hears
    of its first one within two seconds, and this process at once. Until then nobody finds it."""

    REMEMBERED_SECONDS = 2.0

    def __init__(self) -> None:
        self._are_there = False
        self._until = 0.0

    def note(self) -> None:
        self._are_there = True

    def are_there(self) -> bool:
        now = time.monotonic()
        if not self._are_there and now >= self._until:
            self._until = now + self.REMEMBERED_SECONDS
            if Collection.parts_apart.filter(part_of__isnull=False).exists():
                self.note()  # never the contrary: another thread may have noted one meanwhile
        return self._are_there


known_parts = Known()


def spaces_of(
    user: User | AnonymousUser, within: Sequence[UUID] | None = None
) -> "tuple[models.QuerySet[Any], models.QuerySet[Any]]":
    """The collections and the parts whose passages `user` may read, of these collections alone
    where some are named."""
    whole, parts = Collection.objects.visible_to(user), Collection.parts_apart.visible_to(user)
    if within is None:
        return whole, parts
    return whole.filter(pk__in=list(within)), parts.filter(part_of__in=list(within))


def is_collected() -> models.Q:
    """Of documents: in a collection and on no shelf.

    Without a join: where a document is shared by itself, its reader finds no row of the collection.
    """
    whole = Collection.objects.filter(is_shelf=False).values("pk")
    return models.Q(is_apart=True) | models.Q(collection__in=whole)


class InCollectionQuerySet(models.QuerySet[Any]):
    """What whoever may see a collection, or a shelf, may see of it as a whole.

    What is on a shelf is edited by nobody: it is only taken away (`shelves`).
    """

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(self._collected(user) | self._attached(user))

    def collected_for(self, user: User | AnonymousUser) -> Self:
        """Those in collections alone."""
        return self.filter(self._collected(user))

    def attached_for(self, user: User | AnonymousUser) -> Self:
        """Those on shelves alone."""
        return self.filter(self._attached(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(collection__in=Collection.objects.editable_by(user))

    def _collected(self, user: User | AnonymousUser) -> models.Q:
        return models.Q(collection__in=Collection.objects.visible_to(user))

    def _attached(self, user: User | AnonymousUser) -> models.Q:
        return models.Q(collection__in=Collection.objects.shelves_of(user))


class DocumentQuerySet(InCollectionQuerySet):
    """Documents are visible with their collection, or each as its own access says."""

    def owned_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(collection__in=Collection.objects.owned_by(user))

    def shown_to(self, user: User | AnonymousUser) -> Self:
        """Of documents in a collection that they read: without those kept from them."""
        parts = Collection.parts_apart.visible_to(user).values("pk")
        return self.filter(models.Q(is_apart=False) | models.Q(OneOf("pk", parts)))

    def _collected(self, user: User | AnonymousUser) -> models.Q:
        whole, parts = spaces_of(user)
        if not isinstance(user, User) or not user.is_active:
            return models.Q(pk__in=[])
        together = models.Q(OneOf("collection", whole.values("pk")), is_apart=False)
        return together | models.Q(OneOf("pk", parts.values("pk")), is_apart=True)


class PassageQuerySet(InCollectionQuerySet):
    """Passages and vectors lie under the collection, or under the part that their document is."""

    def editable_by(self, user: User | AnonymousUser) -> Self:
        editable = Collection.objects.editable_by(user)
        apart = Collection.parts_apart.filter(part_of__in=editable)
        return self.filter(
            models.Q(collection__in=editable) | models.Q(collection__in=apart.values("pk"))
        )

    def _collected(self, user: User | AnonymousUser) -> models.Q:
        whole, parts = spaces_of(user)
        return models.Q(collection__in=whole.values("pk")) | models.Q(
            collection__in=parts.values("pk")
        )
