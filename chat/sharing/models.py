"""Rows of links that show a conversation to whoever has them."""

from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from security.ids import new_id


class SharedLinkQuerySet(models.QuerySet["SharedLink"]):
    """A link's row is its maker's; what it shows is for whoever knows its address."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.filter(owner=user, conversation__deleted_at=None)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.visible_to(user)

    def alive(self) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))


class SharedLink(models.Model):
    """A conversation as it was at `taken_at`: the path to `leaf_id`, under `title`.

    Messages never change once they have ended, so the path is the snapshot. Of the address only its
    SHA-256 is stored. A link that is taken back is deleted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="links"
    )
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=200, blank=True)
    leaf_id = models.UUIDField(editable=False)
    is_public = models.BooleanField(_("for anyone"), default=False)
    taken_at = models.DateTimeField(_("as of"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SharedLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("shared link")
        verbose_name_plural = _("shared links")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="link_mine")]

    def __str__(self) -> str:
        return str(self.pk)
