from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from knowledge.versions import find_active_version
from security.ids import new_id


class Measurement(models.Model):
    """How often questions that only look alike would have shared an answer, on a labelled set."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    embedder = models.CharField(_("embedding model"), max_length=120)
    similarity = models.PositiveSmallIntegerField(_("nearness, %"))
    questions = models.CharField(_("labelled questions"), max_length=120)
    pairs = models.PositiveIntegerField(_("pairs"))
    different = models.PositiveIntegerField(_("pairs that mean different things"))
    hits = models.PositiveIntegerField(_("answers reused"))
    false_hits = models.PositiveIntegerField(_("of them wrongly"))
    limit = models.FloatField(_("share that is allowed"))
    measured_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("measured by"), null=True, blank=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    measured_at = models.DateTimeField(_("measured"), auto_now_add=True)

    class Meta:
        verbose_name = _("measurement of similar questions")
        verbose_name_plural = _("measurements of similar questions")
        ordering = ["-measured_at", "-id"]
        indexes = [
            models.Index(fields=["embedder", "similarity", "-measured_at"], name="measurement_last")
        ]

    def __str__(self) -> str:
        return f"{self.embedder} {self.similarity} %"

    @property
    def false_share(self) -> float:
        """Of the answers that would have been reused."""
        return self.false_hits / self.hits if self.hits else 0.0

    @property
    def is_passed(self) -> bool:
        return self.false_share <= self.limit


def is_measured(embedder: str, similarity: int) -> bool:
    """Whether the last measurement allows it."""
    last = Measurement.objects.filter(embedder=embedder, similarity=similarity).first()
    return last is not None and last.is_passed


def require_measurement(reuses_same: bool, similarity: int) -> None:
    """Raises ValidationError unless similar questions may share an answer at this nearness."""
    if not reuses_same:
        raise ValidationError({"reuses_similar": _("First let answers be given again at all.")})
    embedder = find_active_version().model
    if not is_measured(embedder, similarity):
        text = _("Measure first how often that is wrong, with {embedder} at {similarity} %.")
        raise ValidationError(
            {"reuses_similar": text.format(embedder=embedder, similarity=similarity)}
        )


class Saving(models.Model):
    """What an agent's reused answers did not cost, day by day; no cost where no price is known."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    agent_id = models.UUIDField()
    is_similar = models.BooleanField()
    currency = models.CharField(max_length=3, blank=True)
    answers = models.PositiveIntegerField()
    tokens = models.PositiveBigIntegerField()
    cost = models.DecimalField(max_digits=20, decimal_places=9)
    unpriced = models.PositiveIntegerField()  # answers whose price was not known

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "agent_id", "is_similar", "currency"], name="one_saving_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}"
