from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField, SparseVectorField

from accounts.access import OwnedModel
from accounts.models import Grant, User
from knowledge.analyzer import TERM_SPACE
from security.ids import new_id


class Collection(OwnedModel):
    """Documents that are searched and shared together."""

    grant_kind = Grant.Kind.COLLECTION

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class InCollectionQuerySet(models.QuerySet[Any]):
    """Documents and passages are visible to whoever may see their collection."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(collection__in=Collection.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(collection__in=Collection.objects.editable_by(user))


class Source(models.Model):
    """Where documents of a collection come from."""

    class Kind(models.TextChoices):
        UPLOAD = "upload", _("upload")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.UPLOAD)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """One file of a collection; `version` counts its indexed generations."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("indexing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="documents")
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
    added_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    job_id = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = InCollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["collection", "sha256"], name="same_bytes_once")
        ]
        indexes = [models.Index(fields=["collection", "status"], name="document_status")]

    def __str__(self) -> str:
        return self.title


class DeletedDocument(models.Model):
    """The id of a document that is gone, until `deletions` has taken away what is left of it."""

    id = models.UUIDField(primary_key=True)
    deleted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class DocumentText(models.Model):
    """The extracted text that every offset of the document's chunks and citations points into."""

    document = models.OneToOneField(
        Document, primary_key=True, on_delete=models.CASCADE, related_name="extracted"
    )
    text = models.TextField()

    def __str__(self) -> str:
        return str(self.document)


class Stage(models.Model):
    """How far one step of a document's ingestion is."""

    class Name(models.TextChoices):
        EXTRACT = "extract", _("reading")
        CHUNK = "chunk", _("splitting")
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
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["document", "name"], name="one_stage_each")]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"


class Chunk(models.Model):
    """A passage: `text` equals the document's extracted text from `start` to `end`."""

    class Script(models.TextChoices):
        LATIN = "latin", _("Latin")
        CJK = "cjk", _("Chinese")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    version = models.IntegerField()
    position = models.IntegerField()
    text = models.TextField()
    heading_path = ArrayField(models.TextField(), default=list)
    start = models.IntegerField()
    end = models.IntegerField()
    page = models.IntegerField(null=True, blank=True)
    script = models.CharField(max_length=5, choices=Script.choices)
    length = models.IntegerField(help_text=_("Terms, repeats counted."))
    terms = ArrayField(models.IntegerField())
    bm25 = SparseVectorField(dimensions=TERM_SPACE)

    objects = InCollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["document", "position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="one_chunk_per_position")
        ]
        indexes = [GinIndex(fields=["terms"], name="chunk_terms", fastupdate=False)]

    def __str__(self) -> str:
        return f"{self.document_id} #{self.position}"


class EmbeddingVersion(models.Model):
    """An embedding model's generation of vectors; one is searched, others fill beside it."""

    id = models.SmallAutoField(primary_key=True)
    model = models.CharField(max_length=120)
    dimensions = models.IntegerField()
    is_multilingual = models.BooleanField(default=False)
    is_active = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("embedding version")
        verbose_name_plural = _("embedding versions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=models.Q(is_active=True),
                name="one_active_embedding_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.dimensions})"


class Embedding(models.Model):
    """A chunk's unit vector in one version; its HNSW index is partial, one per version."""

    id = models.BigAutoField(primary_key=True)
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="embeddings")
    version = models.ForeignKey(EmbeddingVersion, on_delete=models.CASCADE, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    script = models.CharField(max_length=5, choices=Chunk.Script.choices)
    vector = HalfVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chunk", "version"], name="one_vector_per_version")
        ]

    def __str__(self) -> str:
        return str(self.chunk_id)
