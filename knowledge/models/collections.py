"""Collections, and who may see what is in them."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import READ, OwnedModel, OwnedQuerySet, has_grant
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


class Collection(OwnedModel):
    """Documents that are searched and shared together.

    A shelf (see `shelves`) is the collection of one file attached to a question.
    """

    grant_kind = Grant.Kind.COLLECTION

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    required_labels = LabelsField(_("demanded labels"))
    is_shelf = models.BooleanField(default=False, db_default=False, editable=False)
    # Of a shelf: where its file was sent; its owner is that conversation's. None: not sent yet.
    conversation_id = models.UUIDField(null=True, blank=True, editable=False)
    # Of a shelf: its conversation is deleted and may be restored; until then nobody reads it.
    is_withdrawn = models.BooleanField(default=False, db_default=False, editable=False)
    # Since when nothing in it is indexed: what comes in waits until somebody goes on.
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)
    # The model that writes what its passages are found by (`enrichment`), and who switched that on
    # and pays for it; empty: nobody.
    enrich_model = models.CharField(max_length=120, blank=True, default="", db_default="")
    enrich_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    understanding = SwitchesField(_("understanding questions"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[Any] = CollectionQuerySet.as_manager()

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
        ]

    def __str__(self) -> str:
        return self.name


class InCollectionQuerySet(models.QuerySet[Any]):
    """Documents and passages are visible to whoever may see their collection, or their shelf.

    What is on a shelf is edited by nobody: it is only taken away (`shelves`).
    """

    def visible_to(self, user: User | AnonymousUser) -> Self:
        collected = models.Q(collection__in=Collection.objects.visible_to(user))
        attached = models.Q(collection__in=Collection.objects.shelves_of(user))
        return self.filter(collected | attached)

    def collected_for(self, user: User | AnonymousUser) -> Self:
        """Those in collections alone."""
        return self.filter(collection__in=Collection.objects.visible_to(user))

    def attached_for(self, user: User | AnonymousUser) -> Self:
        """Those on shelves alone."""
        return self.filter(collection__in=Collection.objects.shelves_of(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(collection__in=Collection.objects.editable_by(user))
