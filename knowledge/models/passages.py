"""What is searched: passages and their vectors."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField, SparseVectorField

from knowledge.analyzer import TERM_SPACE
from knowledge.models.collections import Collection, InCollectionQuerySet
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
