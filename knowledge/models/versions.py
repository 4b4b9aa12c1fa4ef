"""Versions of documents beside the one that is searched, and what is kept of their reading."""

from typing import Any, Self
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge.models.documents import Document
from knowledge.models.sources import Source


class VersionQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(document__in=Document.objects.visible_to(user))

    def newer_failed(self) -> Self:
        """Those that could not be taken in, of documents of which an older one is searched."""
        newer = models.Q(number__gt=models.F("document__version_number"))
        return self.filter(newer, state="failed", document__status=Document.Status.READY)


class DocumentVersion(models.Model):
    """A version that is not searched: not yet, not any more, or never, because it failed.

    The one that is searched is the document's own row: so there is always exactly one. Whatever
    takes its place does it in the transaction that replaces the passages (`versions.switch`).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        PAST = "past", _("replaced")
        FAILED = "failed", _("failed")

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField(_("version"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    reason = models.TextField(_("reason"), blank=True)
    file_id = models.UUIDField(editable=False)  # versions of the same bytes share a file
    file_name = models.CharField(_("file name"), max_length=255)
    media_type = models.CharField(_("type"), max_length=100)
    size = models.BigIntegerField(_("size, bytes"))
    sha256 = models.CharField(max_length=64)
    title = models.CharField(_("title"), max_length=300)
    page_count = models.IntegerField(_("pages"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    added_by = models.ForeignKey(
        User, verbose_name=_("added by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    note = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(_("added"))
    ended_at = models.DateTimeField(null=True, blank=True)  # since when it is not searched any more

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a document")
        verbose_name_plural = _("versions of documents")
        ordering = ["document", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="one_version_per_number"),
            models.UniqueConstraint(
                fields=["document"],
                condition=models.Q(state="waiting"),
                name="one_waiting_version",
            ),
        ]
        indexes = [
            models.Index(
                fields=["document"], condition=models.Q(state="failed"), name="version_failed"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.number})"

    @property
    def stored_id(self) -> UUID:
        """Under which id its bytes are stored."""
        return self.file_id


class VersionText(models.Model):
    """The text of a version that was searched once: what its citations point into."""

    version = models.OneToOneField(
        DocumentVersion, primary_key=True, on_delete=models.CASCADE, related_name="extracted"
    )
    text = models.TextField()
    layout = models.JSONField(null=True, blank=True)
    kept = models.BinaryField(null=True, blank=True)
    read_of = models.CharField(max_length=64, blank=True)
    reader = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("text of a version")
        verbose_name_plural = _("texts of versions")

    def __str__(self) -> str:
        return str(self.version)


class Reading(models.Model):
    """What a slow reading found, from then until its passages are loaded.

    A worker that dies meanwhile, or an embedder that is away, costs no second reading.
    """

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    read_of = models.CharField(max_length=64)
    reader = models.CharField(max_length=40)
    kept = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "read_of"], name="one_reading_of_a_file")
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.read_of[:8]}"
