"""Rows of uploads that bring conversations from elsewhere, and of what they brought."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import PrivateQuerySet
from accounts.models import User
from security.ids import new_id


class ImportQuerySet(PrivateQuerySet["Import"]):
    """An import is for the person whose export it is."""


class Import(models.Model):
    """An uploaded export: read first, so that its owner sees what is in it, imported when they say.

    `found` is the beginning of the list of its conversations, `failures` that of what could not be
    taken, with reasons. The file goes when the import has ended.
    """

    class State(models.TextChoices):
        READING = "reading", _("reading")
        READY = "ready", _("ready")
        IMPORTING = "importing", _("importing")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(_("file"), max_length=200)
    size = models.BigIntegerField()
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.READING)
    job_id = models.UUIDField(null=True, blank=True)
    conversations = models.IntegerField(default=0)
    messages = models.IntegerField(default=0)
    known = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    grown = models.IntegerField(default=0, db_default=0)
    failed = models.IntegerField(default=0)
    found = models.JSONField(default=list)
    failures = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.pk)


class ImportedConversation(models.Model):
    """Where a conversation came from: the same one is not brought a second time.

    `messages` tells the id here by the mark of the one there (`growing`); empty where it was
    brought before those were kept. `leaf_id` is what the import showed last, `grown_by` the id of
    the import that last added something.
    """

    conversation = models.OneToOneField(
        "chat.Conversation", primary_key=True, on_delete=models.CASCADE, related_name="origin"
    )
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=16)
    external_id = models.CharField(max_length=200)
    brought_by = models.ForeignKey(
        Import, null=True, on_delete=models.SET_NULL, related_name="brought"
    )
    messages = models.JSONField(default=dict)
    leaf_id = models.UUIDField(null=True)
    grown_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "source", "external_id"], name="imported_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}"
