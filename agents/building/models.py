"""What remains of agents as they are changed: published versions, what golden questions hold back
of them, and drawn pictures."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from security.ids import new_id


class AgentVersion(models.Model):
    """An agent as it was published once; `content` is what `agents.building.content` reads."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    content = models.JSONField()
    note = models.CharField(_("note"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("published"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of an agent")
        verbose_name_plural = _("versions of agents")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "number"], name="one_agent_version_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.number}"


class Publication(models.Model):
    """A draft on its way to a version: golden questions are asked of it and of what members use
    (`agents.building.comparing`), and where it loses on them it waits for a person.

    `content` is what the draft said at `revision`; `basis` the version it is compared with,
    `number` the one that it became.
    """

    class State(models.TextChoices):
        ASKING = "asking", _("being compared")
        HELD = "held", _("held back")
        FAILED = "failed", _("failed")
        PUBLISHED = "published", _("published")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.OneToOneField(
        "agents.Agent", on_delete=models.CASCADE, related_name="publication"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField()
    basis = models.PositiveIntegerField()
    number = models.PositiveIntegerField(_("version"), default=0)
    content = models.JSONField()
    note = models.CharField(_("note"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.ASKING)
    reason = models.TextField(_("reason"), blank=True)
    figures = models.JSONField(_("figures"), default=dict)
    job_id = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        verbose_name = _("publication of an agent")
        verbose_name_plural = _("publications of agents")

    def __str__(self) -> str:
        return f"{self.agent_id} {self.state}"


class AgentPicture(models.Model):
    """A picture that was drawn for an agent; versions name it by its id, so it never changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, related_name="pictures")
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.pk)
