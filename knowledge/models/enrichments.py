"""What a model wrote about documents and passages so that they are found."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge.models.documents import Document
from security.ids import new_id


class EnrichmentQuerySet(models.QuerySet[Any]):
    """For curators: to everybody else the documents speak for themselves."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(document__in=Document.objects.editable_by(user))


class Written(models.Model):
    """By which model, asked by which version of the prompt, about what.

    It is written anew when one of the three is another one, and only then.
    """

    made_of = models.CharField(max_length=64)
    model = models.CharField(_("model"), max_length=120)
    prompt = models.CharField(_("version of the prompt"), max_length=10)
    made_at = models.DateTimeField(_("written"), auto_now=True)

    objects = EnrichmentQuerySet.as_manager()

    class Meta:
        abstract = True


class DocumentEnrichment(Written):
    document = models.OneToOneField(
        Document, primary_key=True, on_delete=models.CASCADE, related_name="enrichment"
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    summary = models.TextField(_("summary"), blank=True)
    key_phrases = ArrayField(models.TextField(), default=list, verbose_name=_("key phrases"))

    class Meta:
        verbose_name = _("enrichment of a document")
        verbose_name_plural = _("enrichments of documents")

    def __str__(self) -> str:
        return self.title


class PassageEnrichment(Written):
    """Kept by what it is about, so that it outlives the rows of passages: `made_of` is the hash of
    the passage with all that the model was shown of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    context = models.TextField(blank=True)
    questions = ArrayField(models.TextField(), default=list)

    class Meta:
        verbose_name = _("enrichment of a passage")
        verbose_name_plural = _("enrichments of passages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["document", "made_of"], name="one_enrichment_of_a_passage"
            )
        ]

    def __str__(self) -> str:
        return self.context
