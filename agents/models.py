from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import OWN, OwnedModel, OwnedQuerySet
from accounts.models import Grant, User
from agents.approvals.models import Approval, ToolPermission
from agents.authority.models import PolicyRule
from agents.building.models import AgentPicture, AgentVersion, Publication
from agents.guardrails.models import InstalledGuardrail
from agents.mcp_client.models import McpAccount, McpRevocation, McpServer, McpTool
from agents.memory.models import Memory
from agents.reuse.models import Measurement, Saving, require_measurement
from agents.running.models import RunNote, RunStep
from agents.tools.models import ToolExecution
from gateway.label_fields import LabelsField
from knowledge.models import Collection
from knowledge.switch_fields import SwitchesField

__all__ = [
    "Agent",
    "AgentPicture",
    "AgentVersion",
    "Approval",
    "InstalledGuardrail",
    "McpAccount",
    "McpRevocation",
    "McpServer",
    "McpTool",
    "Measurement",
    "Memory",
    "PolicyRule",
    "Publication",
    "RunNote",
    "RunStep",
    "SavedPrompt",
    "Saving",
    "ToolExecution",
    "ToolPermission",
]


class AgentQuerySet(OwnedQuerySet):
    """Who may edit an agent finds it also before anything of it is published."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return super().visible_to(user).filter(version__gt=0)


class Agents(models.Manager.from_queryset(AgentQuerySet)):  # type: ignore[misc]  # made at run time
    """All but drafts, which are nobody's to choose."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(draft_of=None)


class Drafts(models.Manager.from_queryset(AgentQuerySet)):  # type: ignore[misc]  # made at run time
    def get_queryset(self) -> Any:
        return super().get_queryset().exclude(draft_of=None)


class Agent(OwnedModel):
    """Instructions, a model and knowledge under one name; a conversation uses one.

    What its authors write on is its draft: a row of its own, with the agent's owner, that is asked
    where they try it and stands in no list. Its `version` counts how often it was saved; an agent's
    is the last one that was published, and 0 until then.
    """

    grant_kind = Grant.Kind.AGENT

    class Reuse(models.TextChoices):
        OFF = "off", pgettext_lazy("answers", "never")
        PERSON = "person", _("to the person who asked")
        SHARED = "shared", _("to everyone who may read the same")

    class ReuseFor(models.IntegerChoices):
        HOUR = 3600, _("an hour")
        DAY = 86_400, _("a day")
        WEEK = 604_800, _("a week")

    class Effort(models.TextChoices):
        LOW = "low", pgettext_lazy("reasoning", "short")
        MEDIUM = "medium", pgettext_lazy("reasoning", "medium")
        HIGH = "high", pgettext_lazy("reasoning", "long")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    draft_of = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.CASCADE,
        related_name="draft",
    )  # fmt: skip
    emoji = models.CharField(_("emoji"), max_length=16, blank=True, db_default="")
    # Of an AgentPicture; it stands in front of the emoji.
    picture = models.UUIDField(null=True, blank=True, editable=False)
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
    reasoning_effort = models.CharField(
        _("thinking"), max_length=8, choices=Effort.choices, blank=True, db_default="",
        help_text=_("Before the answer, where the model can. Empty: as the model does by itself."),
    )  # fmt: skip
    # As `agents.building.decoding` reads it.
    decoding = models.JSONField(
        _("decoding"), default=dict, db_default={}, blank=True, editable=False
    )
    starters = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("questions to start with"),
        default=list,
        db_default=[],
        blank=True,
    )
    required_labels = LabelsField(_("demanded labels"))
    tools = ArrayField(
        models.CharField(max_length=64),
        verbose_name=_("tools"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("What it may call, by name."),
    )
    # Whom it may ask and hand over to: `agents.delegating.content`.
    helpers = models.JSONField(default=list, db_default=[], blank=True, editable=False)
    # Of one run with tools, where it says other than `agents.types.limits`; by their names there.
    limits = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    # As `agents.guardrails.rules` reads them; the installation's come before them.
    guardrails = models.JSONField(
        _("guardrails"), default=list, db_default=[], blank=True, editable=False
    )
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

    objects: ClassVar[Any] = Agents()
    drafts: ClassVar[Any] = Drafts()

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
