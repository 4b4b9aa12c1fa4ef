"""Golden questions: what a collection must find, and what it must not."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge.models.collections import Collection, InCollectionQuerySet
from knowledge.models.documents import Document
from knowledge.models.passages import Chunk
from security.ids import new_id


def kept_from(user: User | AnonymousUser, rests: Any) -> Any:
    """Those of the passages named by their words whose document `user` may not see."""
    seen = Document.objects.visible_to(user).values("pk")
    return rests.filter(document__is_apart=True).exclude(document__in=seen)


class GoldenQuerySet(InCollectionQuerySet):
    """Those who may see the collection see its questions, but for those that rest on a document
    which is kept from them; its editors change them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        rests = ExpectedPassage.objects.filter(question=models.OuterRef("pk"))
        return super().visible_to(user).filter(~models.Exists(kept_from(user, rests)))

    def counted(self) -> "GoldenQuerySet":
        """Those that a run asks: accepted by a person, and it is known what they are to find."""
        there = ExpectedPassage.objects.filter(
            question=models.OuterRef("pk"), document__collection=models.OuterRef("collection")
        )
        known = models.Q(must_find_nothing=True) | models.Exists(there)
        return self.filter(known, state=GoldenQuestion.State.ACCEPTED)


class GoldenQuestion(models.Model):
    """A question with what it is to find: passages, whole documents, or nothing at all.

    What a model proposed, or a reader, counts only once an editor has accepted it.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("to review")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")

    class Origin(models.TextChoices):
        WRITTEN = "written", _("written here")
        IMPORTED = "imported", _("imported")
        FEEDBACK = "feedback", _("from feedback")
        MESSAGE = "message", _("from an answer")
        SEARCH = "search", _("from the search test")
        MODEL = "model", _("proposed by a model")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE,
        related_name="golden_questions",
    )  # fmt: skip
    text = models.TextField(_("question"))
    # Of its words without case, width and white space: nobody asks the same twice.
    key = models.CharField(max_length=64, editable=False)
    script = models.CharField(max_length=5, choices=Chunk.Script.choices, editable=False)
    must_find_nothing = models.BooleanField(_("must find nothing"), default=False)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ACCEPTED)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin, default=Origin.WRITTEN)
    note = models.CharField(_("note"), max_length=300, blank=True, default="", db_default="")
    added_by = models.ForeignKey(
        User, verbose_name=_("added by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    reviewed_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[Any] = GoldenQuerySet.as_manager()

    class Meta:
        verbose_name = _("golden question")
        verbose_name_plural = _("golden questions")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["collection", "key"], name="one_golden_question_each")
        ]

    def __str__(self) -> str:
        return self.text[:80]


class ExpectedPassage(models.Model):
    """Where a question's answer stands: a quote of a document, or any part of it if none.

    Named by its words, since passages change with every indexing. `start` is where they were when
    they were quoted; a quote that repeats is told apart by it.
    """

    id = models.BigAutoField(primary_key=True)
    question = models.ForeignKey(GoldenQuestion, on_delete=models.CASCADE, related_name="expected")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    quote = models.TextField(_("quote"), blank=True)
    start = models.IntegerField(default=0)

    class Meta:
        verbose_name = _("expected passage")
        verbose_name_plural = _("expected passages")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.document_id} {self.quote[:40]}"
