"""Usage: a row for each upstream call, and what they add up to by the hour and by the day."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from gateway.metering.price_models import Price, PricedModel, note_price
from security.ids import new_id

__all__ = [
    "Price", "PricedModel", "Usage", "UsageChange", "UsageDay", "UsageHour", "UsageMark",
    "note_price",
]  # fmt: skip

PURPOSES = {
    "chat": _("answers"),
    "title": _("titles"),
    "memory": _("memory"),
    "complexity": _("choice of a model"),
    "embedding": _("vectors"),
    "rerank": _("reranking"),
    "rewriting": _("understanding questions"),
    "enrichment": _("enrichment"),
    "guardrail": _("guardrails"),
    "api": _("programs"),
    "probe": _("tests"),
    "other": _("other work"),
}


class Transaction(models.Func):
    """The number of the transaction that writes the row."""

    template = "((pg_current_xact_id())::text)::bigint"
    output_field = models.BigIntegerField()
    allowed_default = True


class Looked(models.Model):
    """Whose call it was and who answered: what usage is looked at by."""

    account_id = models.UUIDField(null=True, blank=True)
    agent_id = models.UUIDField(null=True, blank=True)
    token_id = models.UUIDField(null=True, blank=True)
    # The teams of the person at that time. All in one column: nothing is added up twice.
    team_ids = ArrayField(models.UUIDField(), default=list, blank=True, db_default=[])
    model_name = models.CharField(max_length=120)
    endpoint_name = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=12, choices=PURPOSES, default="chat", db_default="chat")

    class Meta:
        abstract = True


class Usage(Looked, PricedModel):
    """One upstream call: what it cost in tokens, time and money, and how it ended.

    The prices are those of that time. `cost` is exact, or none where it is not known; it
    `is_estimated` where tokens were said that nobody counted. The table has a partition for each
    month (`gateway.metering.partitions`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    turn_id = models.UUIDField(null=True, blank=True, db_index=True)
    account_id = models.UUIDField(null=True, blank=True, db_index=True)
    prompt_tokens = models.IntegerField(null=True, blank=True)
    cached_tokens = models.IntegerField(null=True, blank=True)
    completion_tokens = models.IntegerField(null=True, blank=True)
    reasoning_tokens = models.IntegerField(null=True, blank=True)
    cache_write_tokens = models.IntegerField(null=True, blank=True)
    accepted_prediction_tokens = models.IntegerField(null=True, blank=True)
    rejected_prediction_tokens = models.IntegerField(null=True, blank=True)
    # What was thought before the call, and by what: the vocabulary, the endpoint, or a ratio.
    estimated_prompt_tokens = models.IntegerField(null=True, blank=True)
    estimated_completion_tokens = models.IntegerField(null=True, blank=True)
    estimated_by = models.CharField(max_length=10, blank=True, default="", db_default="")
    prompt_characters = models.IntegerField(null=True, blank=True)
    script = models.CharField(max_length=5, blank=True, default="", db_default="")
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    cost = models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True)
    is_estimated = models.BooleanField(default=False, db_default=False)
    first_token_ms = models.IntegerField(null=True, blank=True)
    total_ms = models.IntegerField(null=True, blank=True)
    deployment_id = models.UUIDField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1, db_default=1)
    # Kept as `security.sentences` keeps them.
    why = models.TextField(blank=True, default="", db_default="")
    detail = models.TextField(blank=True, default="", db_default="")
    outcome = models.CharField(max_length=40, default="completed")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    transaction = models.BigIntegerField(db_default=Transaction(), editable=False)

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["model_name", "-id"], name="usage_model"),
            models.Index(fields=["endpoint_name", "-id"], name="usage_endpoint"),
            models.Index(
                fields=["outcome", "-id"],
                condition=~models.Q(outcome="completed"),
                name="usage_not_completed",
            ),
            models.Index(fields=["-id"], condition=models.Q(attempt__gt=1), name="usage_repeated"),
            BrinIndex(fields=["transaction"], autosummarize=True, name="usage_transaction"),
        ]

    def __str__(self) -> str:
        return self.model_name


def _sum() -> Any:
    return models.BigIntegerField(default=0)


class RolledUp(Looked):
    """Calls added up. Sums are of what is known: `uncosted` calls have a cost that is not.

    Times are sums of milliseconds over `answered` calls (to the first word) and over `timed` ones.
    `compared_tokens` are those prompt tokens that were both estimated and counted, as counted;
    `estimated_tokens` the same as estimated.
    """

    id = models.BigAutoField(primary_key=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    calls = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    uncosted = models.IntegerField(default=0)
    uncounted = models.IntegerField(default=0)
    answered = models.IntegerField(default=0)
    timed = models.IntegerField(default=0)
    prompt_tokens = _sum()
    cached_tokens = _sum()
    cache_write_tokens = _sum()
    completion_tokens = _sum()
    reasoning_tokens = _sum()
    accepted_prediction_tokens = _sum()
    rejected_prediction_tokens = _sum()
    estimated_tokens = _sum()
    compared_tokens = _sum()
    first_token_ms = _sum()
    total_ms = _sum()
    cost = models.DecimalField(max_digits=28, decimal_places=12, default=0)

    class Meta:
        abstract = True


class UsageHour(RolledUp):
    """An hour's calls."""

    at = models.DateTimeField()

    class Meta:
        verbose_name = _("usage of an hour")
        verbose_name_plural = _("usage by the hour")
        indexes = [
            models.Index(fields=["at"], name="usage_hour"),
            models.Index(fields=["account_id", "at"], name="usage_hour_account"),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.at:%Y-%m-%d %H}"


class UsageDay(RolledUp):
    """A day's calls, by the clock of Greenwich."""

    at = models.DateField()

    class Meta:
        verbose_name = _("usage of a day")
        verbose_name_plural = _("usage by the day")
        indexes = [
            models.Index(fields=["at"], name="usage_day"),
            models.Index(fields=["account_id", "at"], name="usage_day_account"),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.at}"


class UsageChange(models.Model):
    """An hour whose calls are to be added up anew."""

    at = models.DateTimeField(primary_key=True)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H}"


class UsageMark(models.Model):
    """One row: rows of this transaction and later ones may not have been seen by the roll-ups."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    transaction = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.transaction)
