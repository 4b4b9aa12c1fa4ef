"""What was read in a document: its text, and pictures."""

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge.models.documents import Document


class DocumentText(models.Model):
    """The extracted text that every offset of the document's chunks and citations points into."""

    document = models.OneToOneField(
        Document, primary_key=True, on_delete=models.CASCADE, related_name="extracted"
    )
    text = models.TextField()
    layout = models.JSONField(null=True, blank=True)  # `knowledge.layout`; none of older texts
    # Of a file with pages: those that are pictures alone, which nobody finds by their words, and
    # those whose words were read by a program (`extraction.ocr`).
    pages_without_text = ArrayField(models.IntegerField(), null=True, blank=True, editable=False)
    pages_by_ocr = ArrayField(models.IntegerField(), null=True, blank=True, editable=False)
    # Whether pictures inside the file were looked for when it was read: not in older texts.
    has_figures_read = models.BooleanField(default=True, db_default=True, editable=False)
    # Everything else that the reader found (`ingestion.kept`), of which file, and by which reader:
    # splitting and embedding can be done again without it. Empty for older texts.
    kept = models.BinaryField(null=True, blank=True)
    read_of = models.CharField(max_length=64, blank=True, default="", db_default="")
    reader = models.CharField(max_length=40, blank=True, default="", db_default="")

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
    """A picture inside a document, drawn anew from its pixels; the layout says where it stands.

    That of a version which is not searched any more goes when the version goes.
    """

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="figures")
    version = models.ForeignKey(
        "DocumentVersion", null=True, on_delete=models.CASCADE, related_name="figures"
    )
    number = models.IntegerField()
    data = models.BinaryField()
    media_type = models.CharField(max_length=20)
    width = models.IntegerField()
    height = models.IntegerField()

    objects = OfDocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number"],
                condition=models.Q(version=None),
                name="one_figure_per_number",
            ),
            models.UniqueConstraint(fields=["version", "number"], name="one_figure_of_a_version"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} #{self.number}"
