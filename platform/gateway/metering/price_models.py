"""What deployments cost, and when."""

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
