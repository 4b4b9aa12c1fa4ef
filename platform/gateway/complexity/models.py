"""Aliases that pick one of three models, what they picked, and what people made of it."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from gateway.complexity.rules import NoCondition, parse
from gateway.complexity.score import HARD_FROM, MEDIUM_FROM, TIERS, Settings, Tier
from gateway.complexity.wording import TIER_NAMES, VOTERS
from security.ids import new_id

TIER_CHOICES = list(TIER_NAMES.items())


class RoutingAlias(models.Model):
    """A name for three models: the question decides which of them answers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.OneToOneField(
        "gateway.Model",
        on_delete=models.CASCADE,
        related_name="complexity",
        verbose_name=_("name"),
        help_text=_("A chat model without deployments: what people and agents ask for."),
    )
    simple = models.ForeignKey(
        "gateway.Model", on_delete=models.PROTECT, related_name="+", verbose_name=_("for simple")
    )
    medium = models.ForeignKey(
        "gateway.Model", on_delete=models.PROTECT, related_name="+", verbose_name=_("for medium")
    )
    hard = models.ForeignKey(
        "gateway.Model", on_delete=models.PROTECT, related_name="+", verbose_name=_("for hard")
    )
    judge = models.ForeignKey(
        "gateway.Model",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("judge"),
        help_text=_(
            "A small model that is asked when the score is near a threshold; for 2 seconds at most."
        ),
    )
    judge_margin = models.FloatField(
        _("the judge is asked this near"),
        default=0.75,
        validators=[MinValueValidator(0)],
        help_text=_("Points between the score and a threshold."),
    )
    weights = models.JSONField(_("weights"), default=dict, blank=True, editable=False)
    medium_from = models.FloatField(_("medium from, points"), default=MEDIUM_FROM)
    hard_from = models.FloatField(_("hard from, points"), default=HARD_FROM)
    learned_at = models.DateTimeField(_("learned"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("complexity routing")
        verbose_name_plural = _("complexity routing")
        ordering = ["model__name"]

    def __str__(self) -> str:
        return str(self.model)

    @property
    def targets(self) -> Iterator[tuple[Tier, Any]]:
        return ((tier, getattr(self, tier)) for tier in TIERS)

    @property
    def settings(self) -> Settings:
        named = {"weights": self.weights} if self.weights else {}
        return Settings(medium_from=self.medium_from, hard_from=self.hard_from, **named)

    def clean(self) -> None:
        """No alias leads to an alias, so none leads to itself."""
        if self.hard_from < self.medium_from:
            raise ValidationError({"hard_from": _("Not below the threshold of medium.")})
        if self.model_id:
            self._check_name()
        for field in (*TIERS, "judge"):
            self._check_target(field)

    def _check_name(self) -> None:
        if self.model.kind != "chat":
            raise ValidationError({"model": _("Only a chat model.")})
        if self.model.deployments.exists():
            raise ValidationError({"model": _("It has deployments: it answers by itself.")})
        leads_here = models.Q()
        for field in (*TIERS, "judge"):
            leads_here |= models.Q(**{field: self.model_id})
        if RoutingAlias.objects.filter(leads_here).exists():
            raise ValidationError({"model": _("Another alias leads to it.")})

    def _check_target(self, field: str) -> None:
        if getattr(self, f"{field}_id") is None:
            return
        target = getattr(self, field)
        if target.kind != "chat":
            raise ValidationError({field: _("Only a chat model.")})
        is_alias = RoutingAlias.objects.filter(model=target).exists()
        if is_alias or target.pk == self.model_id:
            raise ValidationError({field: _("An alias leads to models, not to an alias.")})


class RoutingRule(models.Model):
    """Decides before the score does; the lowest number is asked first."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alias = models.ForeignKey(
        RoutingAlias, on_delete=models.CASCADE, related_name="rules", verbose_name=_("alias")
    )
    position = models.PositiveSmallIntegerField(_("place"), default=10)
    conditions = models.TextField(
        _("conditions"),
        max_length=1000,
        help_text=_("One a line, all must hold: “code”, “not code”, “tokens > 400”."),
    )
    tier = models.CharField(_("tier"), max_length=6, choices=TIER_CHOICES)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("routing rule")
        verbose_name_plural = _("routing rules")
        ordering = ["alias", "position", "id"]

    def __str__(self) -> str:
        return f"{self.conditions} → {self.tier}".replace("\r", "").replace("\n", ", ")

    def clean(self) -> None:
        try:
            parse(self.conditions)
        except NoCondition as error:
            raise ValidationError({"conditions": str(error)}) from error


class RoutingChoice(models.Model):
    """What an alias picked for one question: what was seen of it, never what it said.

    `fingerprint` is a keyed hash of the question: the same one is known again, and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alias = models.ForeignKey(RoutingAlias, on_delete=models.CASCADE, verbose_name=_("alias"))
    turn_id = models.UUIDField(_("turn"), null=True, blank=True, db_index=True)
    account_id = models.UUIDField(null=True, blank=True, db_index=True)
    tier = models.CharField(_("tier"), max_length=6, choices=TIER_CHOICES)
    target = models.CharField(_("model"), max_length=120)
    features = models.JSONField(_("features"), default=dict)
    score = models.FloatField(_("points"))
    voted_by = models.CharField(_("decided by"), max_length=12, choices=list(VOTERS.items()))
    fingerprint = models.CharField(max_length=32)
    corrected_tier = models.CharField(
        _("right would be"), max_length=6, choices=TIER_CHOICES, blank=True, default=""
    )
    corrected_by_id = models.UUIDField(null=True, blank=True)
    corrected_at = models.DateTimeField(_("corrected"), null=True, blank=True)
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)

    class Meta:
        verbose_name = _("routing choice")
        verbose_name_plural = _("routing choices")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["alias", "-id"], name="choice_alias"),
            models.Index(fields=["tier", "-id"], name="choice_tier"),
            models.Index(fields=["voted_by", "-id"], name="choice_voter"),
            models.Index(
                fields=["alias", "-corrected_at"],
                condition=~models.Q(corrected_tier=""),
                name="choice_corrected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} → {self.target}"
