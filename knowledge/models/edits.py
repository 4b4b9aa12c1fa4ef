"""What curators changed in the passages of documents."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge.models.documents import Document
from security.ids import new_id


class PassageEditQuerySet(models.QuerySet[Any]):
    """Edits are for those who may make them: readers see the passages alone."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.editable_by(user)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(document__in=Document.objects.editable_by(user))


class PassageEdit(models.Model):
    """One change, anchored to the words it concerns; in the order of their ids they make sense.

    `targets` are anchors in the source text, or pieces of earlier edits; `pieces` the ids of the
    passages it makes; `replaced` what stood there before, as the index has it now. `start` and
    `end` are its place in the source text, `text_start` where its own words are in the stored one.
    """

    class Kind(models.TextChoices):
        SPLIT = "split", _("split")
        MERGE = "merge", _("merged")
        EXCLUDE = "exclude", _("excluded")
        CORRECT = "correct", _("corrected")
        ADD = "add", _("added")

    class State(models.TextChoices):
        APPLIED = "applied", _("applied")
        LOST = "lost", _("could not be re-applied")
        UNDONE = "undone", _("undone")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="edits")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.APPLIED)
    targets = models.JSONField(default=list)
    text = models.TextField(_("text"), blank=True)
    at = models.IntegerField(null=True, blank=True)
    pieces = models.JSONField(default=list)
    replaced = models.JSONField(default=list)
    start = models.IntegerField(default=0)
    end = models.IntegerField(default=0)
    text_start = models.IntegerField(null=True, blank=True)
    made_by = models.ForeignKey(
        User, verbose_name=_("made by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    undone_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = PassageEditQuerySet.as_manager()

    class Meta:
        verbose_name = _("edit of a passage")
        verbose_name_plural = _("edits of passages")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.document_id} {self.kind}"

    @property
    def quote(self) -> str:
        """The first words that it concerns, where they are the source's."""
        return next((target["quote"] for target in self.targets if "quote" in target), "")
