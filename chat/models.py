from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.access import OWN, OwnedModel, OwnedQuerySet
from accounts.models import Grant, User
from agents.models import Agent
from chat.imports.models import Import, ImportedConversation
from chat.sharing.models import SharedLink
from knowledge.models import Collection, Document
from security.ids import new_id

__all__ = ["Import", "ImportedConversation", "SharedLink"]


class ConversationQuerySet(OwnedQuerySet):
    """A deleted conversation is there for nobody, until it is restored or purged."""

    def _with_role(self, user: User | AnonymousUser, roles: tuple[str, ...]) -> Self:
        return super()._with_role(user, roles).filter(deleted_at=None)

    def restorable_by(self, user: User | AnonymousUser) -> Self:
        return super()._with_role(user, OWN).exclude(deleted_at=None)

    def lasting(self) -> Self:
        """Without the temporary ones, which no list, search or export tells of."""
        return self.filter(ends_at=None)


class Conversation(OwnedModel):
    """A tree of messages; the path to `leaf_id` is the one shown."""

    grant_kind = Grant.Kind.CONVERSATION

    title = models.CharField(_("title"), max_length=200, blank=True)
    agent = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations"
    )
    # Chosen for its questions instead of the agent's own; empty: nothing was.
    model_name = models.CharField(_("model"), max_length=120, blank=True, db_default="")
    collections = models.ManyToManyField(Collection, blank=True, related_name="+")
    # Not the same as having collections: those chosen may have been deleted since.
    is_limited = models.BooleanField(_("limited to collections"), default=False)
    is_pinned = models.BooleanField(_("pinned"), default=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    leaf_id = models.UUIDField(null=True, blank=True, editable=False)
    # Temporary ones leave nothing behind: when, and in which open pages it still is (`temporary`).
    ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    visits = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    # Whether its title was given, by a person or a model: what is only cut from a question is not.
    is_named = models.BooleanField(default=False, db_default=False, editable=False)
    # What was ever demanded of whoever answered in it: later questions bring those answers along.
    demanded_labels = ArrayField(
        models.CharField(max_length=40), default=list, db_default=[], editable=False
    )
    branched_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, editable=False, related_name="+"
    )
    branched_at = models.UUIDField(null=True, blank=True, editable=False)  # the message it left at
    indexed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[Any] = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-updated_at"]
        indexes = [
            models.Index(fields=["owner", "-updated_at"], name="conversation_recent"),
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
                name="conversation_deleted",
            ),
            models.Index(
                fields=["ends_at"],
                condition=models.Q(ends_at__isnull=False),
                name="conversation_temporary",
            ),
            models.Index(
                fields=["updated_at"],
                condition=models.Q(indexed_at=None)
                | models.Q(indexed_at__lt=models.F("updated_at")),
                name="conversation_stale",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    @property
    def is_temporary(self) -> bool:
        return self.ends_at is not None


class FolderQuerySet(models.QuerySet["Folder"]):
    """A folder is for the person who made it; nothing in it becomes visible by being in it."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.filter(owner=user)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.visible_to(user)


class Folder(models.Model):
    """Where a person keeps conversations together in their own sidebar."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = FolderQuerySet.as_manager()

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="one_folder_a_name")]

    def __str__(self) -> str:
        return self.name


class Filing(models.Model):
    """That a person keeps a conversation in a folder; one folder for each person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="filings")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="filings")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "conversation"], name="one_folder_each")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} in {self.folder_id}"


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


class Citation(models.Model):
    """A claim's evidence: `quote` equals the document's text from `start` to `end`.

    The chunk is remembered by id only, since indexing a document again replaces its chunks.
    """

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

    objects = CitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("citation")
        verbose_name_plural = _("citations")
        ordering = ["message", "n", "start"]

    def __str__(self) -> str:
        return f"[{self.n}] {self.title}"


class TurnQuerySet(models.QuerySet["Turn"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(conversation__in=Conversation.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(conversation__in=Conversation.objects.editable_by(user))


class Turn(models.Model):
    """A question on its way to an answer; its id is also its event stream's."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        STOPPED = "stopped", _("stopped")
        INTERRUPTED = "interrupted", _("interrupted")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="turn")
    agent = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    # Asked for with the question; empty: the agent's, and without one the default.
    model_name = models.CharField(_("model"), max_length=120, blank=True, db_default="")
    # The answer this one stands beside, to be compared with it until one of them is preferred.
    comparison = models.UUIDField(null=True, blank=True, editable=False)
    # The answer that broke off and that this one goes on from: its text is how this one begins.
    continues = models.UUIDField(null=True, blank=True, editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    collections = models.JSONField(null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=11, choices=Status.choices, default=Status.QUEUED
    )
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    error = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="one_turn_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class OpinionQuerySet(models.QuerySet[Any]):
    """What a person thinks of an answer is theirs, as long as they may see the answer."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.filter(person=user, message__in=Message.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.visible_to(user)


class Feedback(models.Model):
    """What one person thinks of one answer; kept with who gave the answer, for evaluation."""

    class Rating(models.IntegerChoices):
        GOOD = 1, _("good")
        BAD = -1, _("bad")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    rating = models.SmallIntegerField(_("rating"), choices=Rating.choices)
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    model_name = models.CharField(_("model"), max_length=120, blank=True)
    agent = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(fields=["message", "person"], name="one_feedback_each")
        ]
        indexes = [models.Index(fields=["-updated_at"], name="feedback_recent")]

    def __str__(self) -> str:
        return f"{self.get_rating_display()} {self.message_id}"


class Preference(models.Model):
    """Which answer of a comparison a person went on with; it may be another one later."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    comparison = models.UUIDField(editable=False)
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    model_name = models.CharField(_("preferred model"), max_length=120, blank=True)
    others = models.JSONField(_("other models"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "comparison"], name="one_preference_a_comparison"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.message_id}"
