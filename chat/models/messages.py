"""Questions and answers, what they cite, and their words for the search."""

from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chat.models.conversations import Conversation
from knowledge.curation.changes import is_edited
from knowledge.models import Document
from security.ids import new_id


class InConversationQuerySet(models.QuerySet["Message"]):
    """Visible and editable as the conversation is."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(conversation__in=Conversation.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(conversation__in=Conversation.objects.editable_by(user))


class Message(models.Model):
    """A question or an answer; the table is partitioned by month on `id` (UUIDv7)."""

    class Role(models.TextChoices):
        USER = "user", _("user")
        ASSISTANT = "assistant", _("assistant")

    class Status(models.TextChoices):
        COMPLETE = "complete", _("complete")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        INTERRUPTED = "interrupted", _("interrupted")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    role = models.CharField(_("role"), max_length=9, choices=Role.choices)
    text = models.TextField(_("text"), blank=True)
    status = models.CharField(
        _("status"), max_length=11, choices=Status.choices, default=Status.COMPLETE
    )
    notice = models.TextField(_("notice"), blank=True)
    reasoning = models.TextField(blank=True)
    model_name = models.CharField(_("model"), max_length=120, blank=True)
    usage = models.JSONField(null=True, blank=True)
    steps = models.JSONField(default=list, blank=True)
    # Of a question: ids of documents on shelves (`chat.attachments`), in order; some may be gone.
    attachments = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Of an answer with sources: sentences that make a claim, and those that a source stands behind.
    claims = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    supported = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)

    objects = InConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["id"]
        indexes = [models.Index(fields=["conversation", "id"], name="message_conversation")]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"


class SearchEntry(models.Model):
    """The words of a message, or of a conversation's title, for `chat.search.finding`."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    message = models.OneToOneField(
        Message, null=True, on_delete=models.CASCADE, related_name="search_entry"
    )
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="search_words")]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(message=None),
                name="one_search_entry_a_title",
            )
        ]

    def __str__(self) -> str:
        return str(self.message_id or self.conversation_id)


class CitationQuerySet(models.QuerySet["Citation"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those whose documents the reader may see: sharing an answer shares no document."""
        return self.filter(document__in=Document.objects.visible_to(user))

    def with_changes(self) -> Self:
        """Each with `has_changed`: its document has another version now, without these words, or a
        curator has changed them.

        Texts are looked into only where the version is another one.
        """
        place = Coalesce(StrIndex("document__extracted__text", "quote"), 0)
        is_same = models.When(
            version=models.F("document__version_number"),
            then=is_edited("document", "start", "end"),
        )
        changed = models.Case(is_same, default=Exact(place, 0), output_field=models.BooleanField())
        return self.annotate(has_changed=changed)


class Citation(models.Model):
    """A claim's evidence: `quote` equals the document's text from `start` to `end`.

    Of the document in this `version`: a newer one may say something else. The chunk is remembered
    by id only, since indexing a document again replaces its chunks. `line` is the first one of a
    program's file; `at` is the place in the answer where the citation's mark stands, or would if
    the model had cited: then it `is_proposed`.
    """

    class Method(models.TextChoices):
        """How the words were found that the answer's sentence stands on (`agents.aligning`)."""

        EXACT = "exact", _("word for word")
        FUZZY = "fuzzy", _("nearly word for word")
        DIFFERS = "differs", _("the same words, but for a number or a “not”")
        WORDS = "words", _("in other words")
        MEANING = "meaning", _("similar in meaning")
        PASSAGE = "passage", _("the passage as a whole")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="citations")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    chunk_id = models.UUIDField()
    n = models.PositiveSmallIntegerField()
    quote = models.TextField()
    start = models.IntegerField()
    end = models.IntegerField()
    page = models.IntegerField(null=True, blank=True)
    title = models.CharField(max_length=300)
    heading_path = models.JSONField(default=list)
    version = models.IntegerField(default=1, db_default=1)
    line = models.IntegerField(null=True, blank=True)
    method = models.CharField(max_length=8, choices=Method.choices, blank=True, db_default="")
    score = models.FloatField(null=True, blank=True)
    at = models.IntegerField(null=True, blank=True)
    is_proposed = models.BooleanField(default=False, db_default=False)

    objects = CitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("citation")
        verbose_name_plural = _("citations")
        ordering = ["message", "n", "start"]

    def __str__(self) -> str:
        return f"[{self.n}] {self.title}"

    @property
    def lines(self) -> tuple[int, int] | None:
        """The first and the last line of the file that the quote is from, where these are known."""
        return (self.line, self.line + self.quote.count("\n")) if self.line else None
