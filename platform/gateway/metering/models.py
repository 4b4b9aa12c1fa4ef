"""Usage rows, and what calls cost when."""

from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from gateway.metering.prices import NAMES
from security.ids import new_id


def _price(name: Any, help_text: Any) -> Any:
    return models.DecimalField(
        name,
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=help_text,
    )


class PricedModel(models.Model):
    """Prices of a million tokens; see `gateway.metering.prices`."""

    prompt_price = _price(_("price of the prompt"), _("For a million tokens; empty: unknown."))
    completion_price = _price(_("price of the answer"), _("For a million tokens; empty: unknown."))
    cached_price = _price(
        _("price of what is read from a cache"),
        _("For a million tokens of the prompt; empty: as the prompt."),
    )
    cache_write_price = _price(
        _("price of what is written into a cache"),
        _("For a million tokens of the prompt; empty: as the prompt."),
    )
    request_price = _price(
        _("price of a request"), _("Whatever its length, beside the tokens; empty: none.")
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="USD",
        db_default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three letters, as USD, EUR or CNY."))],
    )

    class Meta:
        abstract = True


class Price(PricedModel):
    """What a deployment cost from `valid_from` on, until the next one of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    deployment = models.ForeignKey(
        "gateway.Deployment",
        verbose_name=_("deployment"),
        on_delete=models.CASCADE,
        related_name="price_history",
    )
    valid_from = models.DateTimeField(_("valid from"), db_default=Now())

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["-valid_from", "-id"]
        indexes = [models.Index(fields=["deployment", "-valid_from"], name="price_history")]

    def __str__(self) -> str:
        return f"{self.deployment} {self.valid_from:%Y-%m-%d}"


def note_price(deployment: Any) -> Price | None:
    """Append the deployment's prices to its history where they are new; None where they are not.

    One that never had any has no history.
    """
    now = {name: getattr(deployment, name) for name in NAMES}
    last = deployment.price_history.values(*NAMES).first()
    if last is None and not any(now[name] is not None for name in NAMES if name != "currency"):
        return None
    if last is not None and all(last[name] == now[name] for name in NAMES):
        return None
    made: Price = deployment.price_history.create(**now)
    return made


class Usage(models.Model):
    """One upstream call: what it cost in tokens and time, and how it ended."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    turn_id = models.UUIDField(null=True, blank=True, db_index=True)
    account_id = models.UUIDField(null=True, blank=True, db_index=True)
    model_name = models.CharField(max_length=120)
    endpoint_name = models.CharField(max_length=80, blank=True)
    prompt_tokens = models.IntegerField(null=True, blank=True)
    cached_tokens = models.IntegerField(null=True, blank=True)
    completion_tokens = models.IntegerField(null=True, blank=True)
    reasoning_tokens = models.IntegerField(null=True, blank=True)
    cache_write_tokens = models.IntegerField(null=True, blank=True)
    accepted_prediction_tokens = models.IntegerField(null=True, blank=True)
    rejected_prediction_tokens = models.IntegerField(null=True, blank=True)
    first_token_ms = models.IntegerField(null=True, blank=True)
    total_ms = models.IntegerField(null=True, blank=True)
    deployment_id = models.UUIDField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1, db_default=1)
    why = models.CharField(max_length=200, blank=True, default="", db_default="")
    detail = models.CharField(max_length=300, blank=True, default="", db_default="")
    outcome = models.CharField(max_length=40, default="completed")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

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
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.outcome}"
