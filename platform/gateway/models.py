from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from gateway.complexity.models import RoutingAlias, RoutingChoice, RoutingRule
from gateway.controls import Capability
from gateway.metering.models import (
    Price,
    PricedModel,
    Usage,
    UsageChange,
    UsageDay,
    UsageHour,
    UsageMark,
    note_price,
)
from security.ids import new_id

__all__ = [
    "Deployment",
    "Endpoint",
    "Model",
    "Price",
    "RoutingAlias",
    "RoutingChoice",
    "RoutingRule",
    "Usage",
    "UsageChange",
    "UsageDay",
    "UsageHour",
    "UsageMark",
]


class Endpoint(models.Model):
    """An OpenAI-compatible server; its key is sealed with this row's id as associated data."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    # Not a URLField: it refuses the names that servers have inside a compose file or a cluster.
    base_url = models.CharField(
        _("base URL"),
        max_length=500,
        help_text=_("For example https://api.openai.com/v1"),
        validators=[
            RegexValidator(
                r"^https?://[^\s/@?#]+(/[^\s?#]*)?$",
                _("An address like https://api.openai.com/v1, without a query or a password."),
            )
        ],
    )
    secret = models.BinaryField(_("key"), null=True, blank=True, editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    max_concurrency = models.PositiveIntegerField(
        _("parallel requests"), default=64, validators=[MinValueValidator(1)]
    )
    connect_timeout = models.FloatField(_("connect time-out, seconds"), default=5)
    first_token_timeout = models.FloatField(_("first-token time-out, seconds"), default=60)
    idle_timeout = models.FloatField(_("between-token time-out, seconds"), default=30)
    total_timeout = models.FloatField(_("time-out of a whole answer, seconds"), default=1800)
    queue_timeout = models.FloatField(
        _("longest wait in the queue, seconds"),
        default=30,
        help_text=_("For one of the parallel requests; then another endpoint is asked."),
    )
    is_draining = models.BooleanField(
        _("draining"),
        default=False,
        help_text=_("It finishes what it has and gets nothing new."),
    )
    labels = models.JSONField(
        _("labels"),
        default=list,
        blank=True,
        help_text=_(
            'Where it is and what it may see, as ["eu", "confidential"]. What demands a label '
            "never leaves the endpoints that have it."
        ),
    )
    last_checked_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Model(models.Model):
    """What people and agents ask for by name; deployments say who serves it."""

    class Kind(models.TextChoices):
        CHAT = "chat", _("chat")
        EMBEDDING = "embedding", _("embedding")
        RERANK = "rerank", _("rerank")
        MODERATION = "moderation", _("moderation")

    class Strategy(models.TextChoices):
        PRIORITY = "priority", _("by priority, with fallback")
        WEIGHTED = "weighted", _("by weight")
        LEAST_BUSY = "least_busy", _("the least busy")
        FASTEST = "fastest", _("the fastest")
        CHEAPEST = "cheapest", _("the cheapest that fits")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        _("name"),
        max_length=120,
        unique=True,
        validators=[RegexValidator(r"^[\w.:/@+-]+$", _("Letters, digits and . : / @ + - _ only."))],
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.CHAT)
    is_default = models.BooleanField(_("default"), default=False)
    strategy = models.CharField(
        _("strategy"),
        max_length=12,
        choices=Strategy.choices,
        default=Strategy.PRIORITY,
        help_text=_("Which of its deployments is asked first; the others follow when it fails."),
    )
    context_length = models.PositiveIntegerField(_("context length, tokens"), default=32_000)
    dimensions = models.PositiveIntegerField(_("dimensions"), null=True, blank=True)
    is_multilingual = models.BooleanField(_("multilingual"), default=False)
    has_vision = models.BooleanField(
        _("sees images"),
        default=False,
        db_default=False,
        help_text=_("Images attached to a question are sent to it. “Test connection” tries it."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(is_default=True), name="one_default_per_kind"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Deployment(PricedModel):
    """A model as one endpoint serves it; the lowest priority number is asked first."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="deployments")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deployments")
    upstream_name = models.CharField(
        _("name at the endpoint"), max_length=200, help_text=_("What the server calls the model.")
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=10)
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, help_text=_("Its share of the requests where weights decide.")
    )
    context_length = models.PositiveIntegerField(
        _("context length, tokens"), null=True, blank=True, help_text=_("Empty: the model's own.")
    )
    probed = models.JSONField(_("found by the test"), default=dict, blank=True, editable=False)
    capabilities = models.JSONField(
        _("capabilities, by hand"),
        default=dict,
        blank=True,
        help_text=_('Corrects what the test found, as {"tools": true, "vision": false}.'),
    )
    extra_body = models.JSONField(
        _("more fields of each request"),
        default=dict,
        blank=True,
        help_text=_("Sent to this deployment as they are."),
    )
    # Tokens a character, by script, as its calls have shown (`gateway.metering.estimates`).
    token_ratios = models.JSONField(default=dict, blank=True, editable=False, db_default={})
    is_enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        ordering = ["priority", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "endpoint", "upstream_name"], name="one_deployment_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} @ {self.endpoint}"

    def clean(self) -> None:
        if self.model_id and RoutingAlias.objects.filter(model=self.model_id).exists():
            raise ValidationError(_("Its name stands for several models: nobody serves it itself."))

    def has(self, capability: Capability) -> bool:
        """What was corrected by hand counts more than what the test found."""
        found: bool = (self.probed | self.capabilities).get(capability.value, False)
        return found

    def save(self, *args: Any, **options: Any) -> None:
        """A price that changes is known as of now; what was before stays in the history."""
        super().save(*args, **options)
        note_price(self)
