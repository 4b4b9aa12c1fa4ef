"""Documents: the file, how far it is indexed, and what is left of one that is gone."""

from uuid import UUID

from django.db import models
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant, User
from knowledge.models.collections import Collection, DocumentQuerySet
from knowledge.models.sources import Source
from security.ids import new_id


class Document(models.Model):
    """One file of a collection, as it is searched now.

    `version_number` is the version of its content that the row, the text and the passages are of;
    versions before and after it are `DocumentVersion`. `version` counts indexed generations: one
    content that is indexed twice has two.
    """

    grant_kind = Grant.Kind.DOCUMENT

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("indexing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        PAUSED = "paused", _("paused")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE, related_name="documents"
    )
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(_("title"), max_length=300)
    file_name = models.CharField(_("file name"), max_length=255)
    media_type = models.CharField(_("type"), max_length=100)
    size = models.BigIntegerField(_("size, bytes"))
    sha256 = models.CharField(max_length=64)
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.QUEUED
    )
    reason = models.TextField(_("reason"), blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    page_count = models.IntegerField(_("pages"), null=True, blank=True)
    chunk_count = models.IntegerField(_("passages"), default=0)
    invisible_count = models.IntegerField(
        _("invisible characters removed"), default=0, db_default=0
    )
    version = models.IntegerField(default=0)
    version_number = models.IntegerField(_("version"), default=1, db_default=1)
    # Since when this version is the one that is searched; None: since the document was added.
    version_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What its source says of this version (a commit, a date); who brought it, where not `added_by`.
    version_note = models.CharField(max_length=200, blank=True, default="", db_default="")
    version_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    # The name of its stored file; None: the document's own id.
    file_id = models.UUIDField(null=True, blank=True, editable=False)
    added_by = models.ForeignKey(
        User, verbose_name=_("added by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    job_id = models.UUIDField(null=True, blank=True, editable=False)
    # Its access is its own: passages, vectors and terms lie under its own id (`document_access`).
    is_apart = models.BooleanField(default=False, db_default=False, editable=False)
    # Of one that was deleted and may be taken back (`discarding`): where it was, and since when.
    discarded_from = models.ForeignKey(
        Collection, null=True, blank=True, editable=False, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    discarded_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when nothing in it is searched, because a curator wants it so.
    excluded_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Of its text (`curation.likeness`); two documents that share one are the same, or nearly.
    same_text = models.BigIntegerField(null=True, blank=True, editable=False)
    like_a = models.BigIntegerField(null=True, blank=True, editable=False)
    like_b = models.BigIntegerField(null=True, blank=True, editable=False)
    like_c = models.BigIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["collection", "sha256"], name="same_bytes_once")
        ]
        indexes = [
            models.Index(fields=["collection", "status"], name="document_status"),
            models.Index(
                "collection",
                models.F("id").desc(),
                name="document_excluded",
                condition=models.Q(excluded_at__isnull=False),
            ),
            models.Index(
                fields=["discarded_at"],
                condition=models.Q(discarded_at__isnull=False),
                name="document_discarded",
            ),
            models.Index(fields=["collection", "-updated_at", "-id"], name="document_updated"),
            models.Index(
                models.F("collection"), Lower("title"), models.F("id"), name="document_title"
            ),
            models.Index(fields=["collection", "-size", "-id"], name="document_size"),
            models.Index(
                models.F("collection"),
                Coalesce("version_at", "created_at"),
                name="document_renewed",
            ),
            *(
                models.Index(
                    fields=["collection", name],
                    condition=models.Q(**{f"{name}__isnull": False}),
                    name=f"document_{name}",
                )
                for name in ("same_text", "like_a", "like_b", "like_c")
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def page_url(self) -> str:
        return reverse("knowledge:document", args=[self.pk])

    @property
    def owner(self) -> User:
        """Whose collection it is in."""
        return self.collection.owner

    @property
    def space_id(self) -> UUID:
        """Under which id its passages, vectors and terms lie."""
        return self.pk if self.is_apart else self.collection_id

    @property
    def stored_id(self) -> UUID:
        """Under which id the bytes of the searched version are stored."""
        return self.file_id or self.pk


class DeletedDocument(models.Model):
    """The id of a document that is gone, until `deletions` has taken away what is left of it."""

    id = models.UUIDField(primary_key=True)
    deleted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class Stage(models.Model):
    """How far one step of a document's ingestion is, and what it was made of.

    A step that is done for the same `input_hash` by the same `step_version` need not be done again.
    """

    class Name(models.TextChoices):
        FETCH = "fetch", _("fetching")
        EXTRACT = "extract", _("reading")
        CLEAN = "clean", _("cleaning")
        CHUNK = "chunk", _("splitting")
        ENRICH = "enrich", _("enriching")
        EMBED = "embed", _("embedding")
        LOAD = "load", _("saving")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(_("stage"), max_length=10, choices=Name.choices)
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.WAITING
    )
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    reason = models.TextField(blank=True)
    input_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    step_version = models.CharField(max_length=40, blank=True, default="", db_default="")
    # There was nothing new to do: what was kept is used.
    is_kept = models.BooleanField(default=False, db_default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["document", "name"], name="one_stage_each")]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
