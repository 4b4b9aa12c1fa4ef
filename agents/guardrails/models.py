from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from security.ids import new_id


class InstalledGuardrail(models.Model):
    """A rule of this installation: it comes before those of every agent.

    `rule` is what `agents.guardrails.rules` reads; `name` is the same as in it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(
        _("position"), default=10, help_text=_("Lower ones are asked first.")
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    rule = models.JSONField(_("rule"), editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("guardrail")
        verbose_name_plural = _("guardrails")
        ordering: ClassVar = ["position", "id"]

    def __str__(self) -> str:
        return self.name
