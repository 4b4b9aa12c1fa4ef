from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField, SparseVectorField

from accounts.access import READ, OwnedModel, OwnedQuerySet, granted_ids
from accounts.models import Grant, User
from gateway.label_fields import LabelsField
from knowledge.analyzer import TERM_SPACE
from security.ids import new_id


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
        guests = granted_ids(user, Grant.Kind.CONVERSATION, READ)
        mine = models.Q(owner=user) | models.Q(conversation_id__in=guests)
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
    added_by = models.ForeignKey(
        User, verbose_name=_("added by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    job_id = models.UUIDField(null=True, blank=True, editable=False)
    # Of one that was deleted and may be taken back (`discarding`): where it was, and since when.
    discarded_from = models.ForeignKey(
        Collection, null=True, blank=True, editable=False, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    discarded_at = models.DateTimeField(null=True, blank=True, editable=False)
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
        indexes = [
            models.Index(fields=["collection", "status"], name="document_status"),
            models.Index(
                fields=["discarded_at"],
                condition=models.Q(discarded_at__isnull=False),
                name="document_discarded",
            ),
        ]

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
    layout = models.JSONField(null=True, blank=True)  # `knowledge.layout`; none of older texts

    class Meta:
        verbose_name = _("text of a document")
        verbose_name_plural = _("texts of documents")

    def __str__(self) -> str:
        return str(self.document)


class Picture(models.Model):
    """Of an image: how large the stored file is, and a small one to show and to send many of.

    Both were written anew from the pixels alone by `pictures`: nothing else of the upload is left.
    """

    document = models.OneToOneField(
        Document, primary_key=True, on_delete=models.CASCADE, related_name="picture"
    )
    width = models.IntegerField()
    height = models.IntegerField()
    small = models.BinaryField()
    small_type = models.CharField(max_length=20)
    small_width = models.IntegerField()
    small_height = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"


class OfDocumentQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(document__in=Document.objects.visible_to(user))


class Figure(models.Model):
    """A picture inside a document, drawn anew from its pixels; the layout says where it stands."""

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="figures")
    number = models.IntegerField()
    data = models.BinaryField()
    media_type = models.CharField(max_length=20)
    width = models.IntegerField()
    height = models.IntegerField()

    objects = OfDocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="one_figure_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.document_id} #{self.number}"


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

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


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
        verbose_name = _("vector of a passage")
        verbose_name_plural = _("vectors of passages")
        constraints = [
            models.UniqueConstraint(fields=["chunk", "version"], name="one_vector_per_version")
        ]

    def __str__(self) -> str:
        return str(self.chunk_id)
