"""What was measured with golden questions, and what people decided by it."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from knowledge.models.collections import Collection, InCollectionQuerySet
from knowledge.models.documents import Document
from knowledge.models.golden import GoldenQuestion, kept_from
from knowledge.models.passages import Chunk, EmbeddingVersion
from security.ids import new_id


class QualityPlan(models.Model):
    """When a collection's golden questions are asked by themselves, and what was seen last.

    `seen` is the fingerprint (`quality.fingerprints`) of what the collection was like when the
    clock came by; `changed_at` since when it is so. A run begins when it has been so for a while.
    """

    class Schedule(models.TextChoices):
        NONE = "none", _("only after changes")
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("every week")

    collection = models.OneToOneField(
        Collection, primary_key=True, on_delete=models.CASCADE, related_name="quality_plan"
    )
    schedule = models.CharField(_("asked"), max_length=6, choices=Schedule, default=Schedule.NONE)
    asks_answers = models.BooleanField(_("answers too"), default=False)
    seen = models.JSONField(default=dict, editable=False)
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_run_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = InCollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan of golden questions")
        verbose_name_plural = _("plans of golden questions")

    def __str__(self) -> str:
        return str(self.collection_id)


class QualityRun(models.Model):
    """The golden questions of a collection asked once, with the figures of all of them together.

    `settings` says what search was like (`quality.fingerprints`); `version` by which vectors it
    searched, also where another version is searched by everybody. `before` is the run it is
    compared with.
    """

    class Cause(models.TextChoices):
        HAND = "hand", _("started by hand")
        SCHEDULE = "schedule", _("on schedule")
        COMMAND = "command", _("from the command line")
        CONTENT = "content", _("the documents changed")
        CHUNKER = "chunker", _("passages are split otherwise")
        ANALYZER = "analyzer", _("words are read otherwise")
        EMBEDDER = "embedder", _("another embedding version")
        WEIGHTS = "weights", _("other weights")
        GLOSSARY = "glossary", _("the glossary changed")
        PROMPT = "prompt", _("another prompt")
        QUESTIONS = "questions", _("the questions changed")
        GATE = "gate", _("before a change")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE,
        related_name="quality_runs",
    )  # fmt: skip
    cause = models.CharField(_("cause"), max_length=9, choices=Cause)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    reason = models.TextField(_("reason"), blank=True)
    settings = models.JSONField(_("settings"), default=dict)
    version = models.ForeignKey(
        EmbeddingVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    figures = models.JSONField(_("figures"), default=dict)
    questions = models.IntegerField(_("questions"), default=0)
    asks_answers = models.BooleanField(_("answers too"), default=False)
    before = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    job_id = models.UUIDField(null=True, blank=True, editable=False)
    asked_by = models.ForeignKey(
        User, verbose_name=_("started by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects: ClassVar[Any] = InCollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("run of golden questions")
        verbose_name_plural = _("runs of golden questions")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["collection", "state", "-id"], name="quality_run_of_collection")
        ]

    def __str__(self) -> str:
        return f"{self.collection_id} {self.created_at:%Y-%m-%d}"


class QualityResult(models.Model):
    """What one question found in a run. `rank` is that of the first expected passage; None where
    none was found, or none was to be found."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(QualityRun, on_delete=models.CASCADE, related_name="results")
    question = models.ForeignKey(GoldenQuestion, on_delete=models.CASCADE, related_name="results")
    rank = models.IntegerField(_("rank"), null=True, blank=True)
    ndcg = models.FloatField(_("nDCG"), null=True, blank=True)
    # Of a question that must find nothing: whether it did.
    is_quiet = models.BooleanField(_("found nothing"), null=True, blank=True)
    supported = models.FloatField(_("supported"), null=True, blank=True)
    found = models.JSONField(_("found"), default=list)
    took_ms = models.FloatField(default=0)

    class Meta:
        verbose_name = _("result of a golden question")
        verbose_name_plural = _("results of golden questions")
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "question"], name="one_result_of_a_question")
        ]

    def __str__(self) -> str:
        return f"{self.question_id} #{self.rank}"


class SearchWeights(models.Model):
    """How a collection is searched in one script, where a person applied what tuning found.

    What is None is the house's own. `dense` is the share of vectors in the fusion. It and the
    `threshold` were measured with the vectors of `embedder`, and count for those alone; where none
    is named they count for all.
    """

    id = models.BigAutoField(primary_key=True)
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="search_weights"
    )
    script = models.CharField(_("script"), max_length=5, choices=Chunk.Script.choices)
    dense = models.FloatField(_("share of vectors"), null=True, blank=True)
    threshold = models.FloatField(_("threshold"), null=True, blank=True)
    rerank_depth = models.IntegerField(_("depth of re-ranking"), null=True, blank=True)
    embedder = models.CharField(
        _("embedding model"), max_length=120, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("weights of a search")
        verbose_name_plural = _("weights of searches")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["collection", "script"], name="one_weight_of_a_script")
        ]

    def __str__(self) -> str:
        return f"{self.collection_id} {self.script}"


class QualityTuning(models.Model):
    """What other weights would gain on questions they were not chosen by; applied by people only.

    `proposed` and `replaced` hold, for each script, the columns of `SearchWeights`, and
    beside them `k1` and `b` of the collection; `figures` the gain with its interval.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        READY = "ready", _("ready")
        APPLIED = "applied", _("applied")
        REVERTED = "reverted", _("taken back")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="tunings")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    reason = models.TextField(_("reason"), blank=True)
    proposed = models.JSONField(_("proposed"), default=dict)
    replaced = models.JSONField(_("replaced"), default=dict)
    figures = models.JSONField(_("figures"), default=dict)
    settings = models.JSONField(default=dict)
    job_id = models.UUIDField(null=True, blank=True, editable=False)
    asked_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    applied_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    applied_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)

    objects: ClassVar[Any] = InCollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("tuning of a search")
        verbose_name_plural = _("tunings of searches")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.collection_id} {self.state}"


class ApprovedQuerySet(InCollectionQuerySet):
    """Those who may see the collection are given its answers, but for those that rest on a document
    which is kept from them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        rests = ApprovedSource.objects.filter(answer=models.OuterRef("pk"))
        return super().visible_to(user).filter(~models.Exists(kept_from(user, rests)))


class ApprovedAnswer(models.Model):
    """What a curator wants to be answered to a question, until it expires."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE,
        related_name="approved_answers",
    )  # fmt: skip
    question = models.TextField(_("question"))
    text = models.TextField(_("answer"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    approved_by = models.ForeignKey(
        User, verbose_name=_("approved by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[Any] = ApprovedQuerySet.as_manager()

    class Meta:
        verbose_name = _("approved answer")
        verbose_name_plural = _("approved answers")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.question[:80]


class ApprovedWording(models.Model):
    """One way to ask for an approved answer: its own question, and those a curator added."""

    id = models.BigAutoField(primary_key=True)
    answer = models.ForeignKey(ApprovedAnswer, on_delete=models.CASCADE, related_name="wordings")
    text = models.TextField(_("question"))
    key = models.CharField(max_length=64, db_index=True, editable=False)
    terms = ArrayField(models.IntegerField(), editable=False)

    class Meta:
        verbose_name = _("wording of an approved question")
        verbose_name_plural = _("wordings of approved questions")
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [GinIndex(fields=["terms"], name="approved_terms", fastupdate=False)]

    def __str__(self) -> str:
        return self.text[:80]


class ApprovedSource(models.Model):
    """A passage that an approved answer rests on, named by its words."""

    id = models.BigAutoField(primary_key=True)
    answer = models.ForeignKey(ApprovedAnswer, on_delete=models.CASCADE, related_name="sources")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    quote = models.TextField(_("quote"), blank=True)
    start = models.IntegerField(default=0)

    class Meta:
        verbose_name = _("source of an approved answer")
        verbose_name_plural = _("sources of approved answers")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.document_id} {self.quote[:40]}"
