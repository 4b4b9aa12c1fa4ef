"""What remains of agents as they are changed: published versions, and drawn pictures."""

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


class AgentPicture(models.Model):
    """A picture that was drawn for an agent; versions name it by its id, so it never changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, related_name="pictures")
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.pk)
