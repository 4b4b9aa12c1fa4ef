"""Conversations, and the folders a person keeps them in."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.access import OWN, OwnedModel, OwnedQuerySet, PrivateQuerySet
from accounts.models import Grant, User
from agents.models import Agent
from knowledge.models import Collection
from security.ids import new_id


class ConversationQuerySet(OwnedQuerySet):
    """A deleted conversation is there for nobody, until it is restored or purged."""

    def _with_role(self, user: User | AnonymousUser, roles: tuple[str, ...]) -> Self:
        return super()._with_role(user, roles).filter(deleted_at=None)

    def restorable_by(self, user: User | AnonymousUser) -> Self:
        return super()._with_role(user, OWN).exclude(deleted_at=None)

    def lasting(self) -> Self:
        """Without the temporary ones, which no list, search or export tells of."""
        return self.filter(ends_at=None)


class Conversation(OwnedModel):
    """A tree of messages; the path to `leaf_id` is the one shown."""

    grant_kind = Grant.Kind.CONVERSATION

    title = models.CharField(_("title"), max_length=200, blank=True)
    agent = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations"
    )
    # Chosen for its questions instead of the agent's own; empty: nothing was.
    model_name = models.CharField(_("model"), max_length=120, blank=True, db_default="")
    collections = models.ManyToManyField(Collection, blank=True, related_name="+")
    # Not the same as having collections: those chosen may have been deleted since.
    is_limited = models.BooleanField(_("limited to collections"), default=False)
    is_pinned = models.BooleanField(_("pinned"), default=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    leaf_id = models.UUIDField(null=True, blank=True, editable=False)
    # Temporary ones leave nothing behind: when, and in which open pages it still is (`temporary`).
    ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    visits = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    # Whether its title was given, by a person or a model: what is only cut from a question is not.
    is_named = models.BooleanField(default=False, db_default=False, editable=False)
    # What was ever demanded of whoever answered in it: later questions bring those answers along.
    demanded_labels = ArrayField(
        models.CharField(max_length=40), default=list, db_default=[], editable=False
    )
    branched_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, editable=False, related_name="+"
    )
    branched_at = models.UUIDField(null=True, blank=True, editable=False)  # the message it left at
    indexed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[Any] = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-updated_at"]
        indexes = [
            models.Index(fields=["owner", "-updated_at"], name="conversation_recent"),
            models.Index(
                fields=["owner", "-updated_at"],
                condition=models.Q(is_pinned=True),
                name="conversation_pinned",
            ),
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
                name="conversation_deleted",
            ),
            models.Index(
                fields=["ends_at"],
                condition=models.Q(ends_at__isnull=False),
                name="conversation_temporary",
            ),
            models.Index(
                fields=["updated_at"],
                condition=models.Q(indexed_at=None)
                | models.Q(indexed_at__lt=models.F("updated_at")),
                name="conversation_stale",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    @property
    def is_temporary(self) -> bool:
        return self.ends_at is not None


class FolderQuerySet(PrivateQuerySet["Folder"]):
    """A folder is for the person who made it; nothing in it becomes visible by being in it."""


class Folder(models.Model):
    """Where a person keeps conversations together in their own sidebar."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = FolderQuerySet.as_manager()

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="one_folder_a_name")]

    def __str__(self) -> str:
        return self.name


class Filing(models.Model):
    """That a person keeps a conversation in a folder; one folder for each person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="filings")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="filings")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "conversation"], name="one_folder_each")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} in {self.folder_id}"
