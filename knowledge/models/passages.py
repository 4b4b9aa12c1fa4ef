"""What is searched: passages and their vectors."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField, SparseVectorField, VectorField

from knowledge.analyzer import TERM_SPACE
from knowledge.models.collections import Collection, PassageQuerySet
from knowledge.models.documents import Document
from security.ids import new_id


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
    # Of a program: the line of the file in which it begins.
    line = models.IntegerField(null=True, blank=True)
    # The rows that name a table's columns, where the passage begins below them: read and searched
    # with it, but no part of its text.
    head = models.TextField(blank=True, default="", db_default="")
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    # What a model wrote so that it is found (`enrichment`): searched with it, never quoted.
    context = models.TextField(blank=True, default="", db_default="", editable=False)
    # Where a curator's edit made it (`curation`): which of its passages this is.
    piece_id = models.UUIDField(null=True, blank=True, editable=False)
    script = models.CharField(max_length=5, choices=Script.choices)
    length = models.IntegerField(help_text=_("Terms, repeats counted."))
    terms = ArrayField(models.IntegerField())
    bm25 = SparseVectorField(dimensions=TERM_SPACE)

    objects = PassageQuerySet.as_manager()

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["document", "position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="one_chunk_per_position")
        ]
        # What is new waits in a list, that terms go into the index many at a time; searches read
        # it, so it is kept short.
        indexes = [
            GinIndex(
                fields=["terms"], name="chunk_terms", fastupdate=True, gin_pending_list_limit=512
            )
        ]

    def __str__(self) -> str:
        return f"{self.document_id} #{self.position}"


class EmbeddingVersion(models.Model):
    """An embedding model's generation of vectors, kept in one way; one is searched, others lie
    beside it. Vectors of two versions are never compared with each other."""

    class Storage(models.TextChoices):
        FLOAT = "float", _("float, 4 bytes a number")
        HALF = "half", _("half, 2 bytes a number")
        BINARY = "binary", _("binary, then exact re-ranking")

    class State(models.TextChoices):
        FILLING = "filling", _("being filled")
        READY = "ready", _("ready")
        ACTIVE = "active", _("searched")
        RETIRED = "retired", _("kept")
        DROPPING = "dropping", _("being dropped")

    id = models.SmallAutoField(primary_key=True)
    model = models.CharField(_("model"), max_length=120)
    dimensions = models.IntegerField(_("dimensions"))
    is_multilingual = models.BooleanField(_("multilingual"), default=False)
    storage = models.CharField(
        _("storage"), max_length=6, choices=Storage, default=Storage.HALF, db_default=Storage.HALF
    )
    state = models.CharField(
        _("state"), max_length=8, choices=State, default=State.FILLING, db_default=State.FILLING
    )
    is_active = models.GeneratedField(
        verbose_name=_("searched"),
        expression=models.Q(state="active"),  # type: ignore[arg-type]  # the stubs know no Q
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # The vector of a known sentence: a model that answers otherwise is not the one of this version.
    probe = HalfVectorField(null=True, blank=True, editable=False)
    # The gateway's default when a person chose this version: it is not followed by itself.
    chosen_over = models.CharField(max_length=120, blank=True, default="", db_default="")
    rate = models.FloatField(
        _("passages a second"), null=True, blank=True, help_text=_("While it was filled, lately.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("embedding version")
        verbose_name_plural = _("embedding versions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="active"),
                name="one_active_embedding_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.dimensions})"


class Embedding(models.Model):
    """A chunk's unit vector in one version; its HNSW index is partial, one per version.

    Versions that are stored as float have it in `precise`, all others in `vector`.
    """

    id = models.BigAutoField(primary_key=True)
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="embeddings")
    version = models.ForeignKey(EmbeddingVersion, on_delete=models.CASCADE, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    script = models.CharField(max_length=5, choices=Chunk.Script.choices)
    vector = HalfVectorField(null=True)
    precise = VectorField(null=True)

    class Meta:
        verbose_name = _("vector of a passage")
        verbose_name_plural = _("vectors of passages")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chunk", "version"], name="one_vector_per_version"),
            models.CheckConstraint(
                condition=models.Q(vector=None) ^ models.Q(precise=None),
                name="one_form_of_a_vector",
            ),
        ]

    def __str__(self) -> str:
        return str(self.chunk_id)


class StorageMeasurement(models.Model):
    """What each way of keeping a model's vectors costs and finds, on passages of this installation.

    `figures` holds for each storage: `recall` (share of the exact ten that were found), `bytes` of
    a passage with its part of the index, and `p50_ms` of a search.
    """

    id = models.AutoField(primary_key=True)
    model = models.CharField(_("model"), max_length=120)
    dimensions = models.IntegerField(_("dimensions"))
    sample = models.IntegerField(_("passages measured"))
    rate = models.FloatField(_("passages a second"), null=True, blank=True)
    figures = models.JSONField(_("figures"), default=dict)
    measured_at = models.DateTimeField(_("measured"), auto_now_add=True)

    class Meta:
        verbose_name = _("measurement of storage")
        verbose_name_plural = _("measurements of storage")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.model} ({self.sample})"
