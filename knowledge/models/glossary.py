"""Words for one thing, as the curators of a collection have them."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from knowledge.models.collections import Collection, InCollectionQuerySet
from security.ids import new_id


class GlossaryEntry(models.Model):
    """Two or more `terms` that mean the same, in any language; `keys` are what they are found by
    (`retrieval.understanding.glossary`). Whoever sees the collection sees them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE, related_name="glossary"
    )
    terms = ArrayField(models.CharField(max_length=80), verbose_name=_("words"))
    keys = ArrayField(models.CharField(max_length=160), editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[Any] = InCollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("glossary entry")
        verbose_name_plural = _("glossary entries")
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [GinIndex(fields=["keys"], name="glossary_keys")]

    def __str__(self) -> str:
        return " = ".join(self.terms)
