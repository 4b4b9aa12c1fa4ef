from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import OWN, OwnedModel, OwnedQuerySet
from accounts.models import Grant, User
from agents.memory.models import Memory
from agents.reuse.models import Measurement, Saving, require_measurement
from gateway.label_fields import LabelsField
from knowledge.models import Collection
from knowledge.switch_fields import SwitchesField

__all__ = ["Agent", "Measurement", "Memory", "SavedPrompt", "Saving"]


class Agent(OwnedModel):
    """Instructions, a model and knowledge under one name; a conversation uses one."""

    grant_kind = Grant.Kind.AGENT

    class Reuse(models.TextChoices):
        OFF = "off", pgettext_lazy("answers", "never")
        PERSON = "person", _("to the person who asked")
        SHARED = "shared", _("to everyone who may read the same")

    class ReuseFor(models.IntegerChoices):
        HOUR = 3600, _("an hour")
        DAY = 86_400, _("a day")
        WEEK = 604_800, _("a week")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    instructions = models.TextField(_("instructions"), blank=True)
    model_name = models.CharField(
        _("model"), max_length=120, blank=True, help_text=_("Empty: the default model.")
    )
    collections = models.ManyToManyField(
        Collection,
        blank=True,
        related_name="agents",
        verbose_name=_("collections"),
    )
    # Not the same as having collections: those chosen may have been deleted since.
    is_limited = models.BooleanField(
        _("searches these collections only"),
        default=False,
        help_text=_("Otherwise everything that the person asking may see."),
    )
    max_passages = models.PositiveSmallIntegerField(
        _("passages at most"), default=8, validators=[MinValueValidator(0), MaxValueValidator(50)]
    )
    context_tokens = models.PositiveIntegerField(
        _("tokens of context"), default=6000, validators=[MinValueValidator(500)]
    )
    max_answer_tokens = models.PositiveIntegerField(_("tokens of answer"), default=2000)
    temperature = models.FloatField(
        _("temperature"), default=0.2, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    required_labels = LabelsField(_("demanded labels"))
    understanding = SwitchesField(_("understanding questions"))
    reuse = models.CharField(
        _("answers are given again"),
        max_length=8,
        choices=Reuse.choices,
        default=Reuse.OFF,
        db_default=Reuse.OFF,
        help_text=_(
            "To the very same question with the very same documents, as each person may read them "
            "at that moment."
        ),
    )
    reuse_seconds = models.PositiveIntegerField(
        _("for how long"), choices=ReuseFor.choices, default=ReuseFor.DAY, db_default=ReuseFor.DAY
    )
    reuses_similar = models.BooleanField(
        _("also to similar questions"),
        default=False,
        db_default=False,
        help_text=_("Only after a measurement whose share of false hits is within the limit."),
    )
    similarity = models.PositiveSmallIntegerField(
        _("nearness of similar questions, %"),
        default=95,
        db_default=95,
        validators=[MinValueValidator(80), MaxValueValidator(100)],
    )
    is_builtin = models.BooleanField(default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["-is_builtin", "name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.reuses_similar:
            require_measurement(self.reuse != self.Reuse.OFF, self.similarity)


class SavedPromptQuerySet(OwnedQuerySet):
    """A deleted prompt is there for nobody, until it is restored or purged."""

    def _with_role(self, user: User | AnonymousUser, roles: tuple[str, ...]) -> Self:
        return super()._with_role(user, roles).filter(deleted_at=None)

    def restorable_by(self, user: User | AnonymousUser) -> Self:
        return super()._with_role(user, OWN).exclude(deleted_at=None)


class SavedPrompt(OwnedModel):
    """Words that a person asks with again and again; `{{name}}` in them is filled in each time."""

    grant_kind = Grant.Kind.SAVED_PROMPT

    name = models.CharField(_("name"), max_length=80)
    text = models.TextField(_("text"), max_length=8000)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects: ClassVar[Any] = SavedPromptQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved prompt")
        verbose_name_plural = _("saved prompts")
        ordering = ["name"]
        indexes = [
            models.Index(fields=["owner", "name"], name="saved_prompt_owner"),
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
                name="saved_prompt_deleted",
            ),
        ]

    def __str__(self) -> str:
        return self.name
