from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agents.approvals.models import EffectKind
from agents.authority.policy import BOTH, CLEAN, PRIVATE, UNTRUSTED, Audience
from agents.authority.rules import Rule
from agents.tools.types import Effect
from security.ids import new_id

TAINTS = {"clean": CLEAN, "untrusted": UNTRUSTED, "private": PRIVATE, "both": BOTH}


class PolicyRule(models.Model):
    """Where administrators decide otherwise than the table (`agents.authority.policy`) does."""

    class Kind(models.TextChoices):
        ALLOW = "allow", pgettext_lazy("policy", "allow")
        ASK = "ask", pgettext_lazy("policy", "ask")
        DENY = "deny", pgettext_lazy("policy", "deny")

    class Read(models.TextChoices):
        CLEAN = "clean", _("nothing untrusted and nothing private")
        UNTRUSTED = "untrusted", _("untrusted text")
        PRIVATE = "private", _("private data")
        BOTH = "both", _("untrusted text and private data")

    class Readers(models.TextChoices):
        NOBODY = Audience.NOBODY.value, _("nobody but the person")
        SOME = Audience.SOME.value, _("readers of some collections")
        EVERYBODY = Audience.EVERYBODY.value, _("everybody")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("what is done"), max_length=5, choices=Kind.choices)
    tool = models.CharField(
        _("tool"), max_length=64, blank=True, help_text=_("By its name. Empty: every tool.")
    )
    server = models.CharField(
        _("server"), max_length=200, blank=True, help_text=_("Of tools of others, by its name.")
    )
    effect = models.CharField(
        _("effect"), max_length=8, choices=EffectKind.choices, blank=True,
        help_text=_("Empty: whatever it can do."),
    )  # fmt: skip
    read = models.CharField(
        _("what was read before"), max_length=9, choices=Read.choices, blank=True,
        help_text=_("Empty: whatever it was."),
    )  # fmt: skip
    readers = models.CharField(
        _("who else may read that"), max_length=9, choices=Readers.choices, blank=True,
        help_text=_("Empty: whoever."),
    )  # fmt: skip
    reason = models.CharField(
        _("reason"), max_length=300, blank=True,
        help_text=_("Is shown to whoever is asked, and to the model."),
    )  # fmt: skip
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("rule about tools")
        verbose_name_plural = _("rules about tools")
        ordering: ClassVar = ["tool", "effect", "id"]

    def __str__(self) -> str:
        return f"{self.tool or self.server or self.effect or '*'}: {self.kind}"

    def clean(self) -> None:
        if not (self.tool or self.server or self.effect):
            raise ValidationError(_("Name a tool, a server or an effect."))

    def as_rule(self) -> Rule:
        return Rule(
            kind=self.kind,  # type: ignore[arg-type]  # the choices are the kinds
            tool=self.tool,
            server=self.server,
            effect=Effect(self.effect) if self.effect else None,
            taints=TAINTS[self.read] if self.read else None,
            audience=Audience(self.readers) if self.readers else None,
            reason=self.reason,
        )
