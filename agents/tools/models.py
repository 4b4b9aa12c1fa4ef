from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import PrivateQuerySet
from accounts.models import User
from security.ids import new_id


class ToolExecutionQuerySet(PrivateQuerySet["ToolExecution"]):
    """What was called for a person, and what came of it, is theirs alone to read."""


class ToolExecution(models.Model):
    """One call of a tool: begun before it acts, and ended with its whole result.

    One that acts and was begun but has not ended may have happened: nobody repeats it unasked.
    So may one that is `stopped`: its run ended before it did.
    """

    class Status(models.TextChoices):
        RUNNING = "running", pgettext_lazy("call", "running")
        DONE = "done", pgettext_lazy("call", "done")
        REFUSED = "refused", pgettext_lazy("call", "refused")
        FAILED = "failed", pgettext_lazy("call", "failed")
        LATE = "late", pgettext_lazy("call", "took too long")
        DENIED = "denied", pgettext_lazy("call", "not allowed")
        STOPPED = "stopped", pgettext_lazy("call", "stopped")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run_id = models.UUIDField(_("run"))
    # Behind the ids of the calls in which it was made, with a slash between them.
    call_id = models.CharField(_("call"), max_length=400)
    parent = models.CharField(_("in the call"), max_length=400, blank=True, db_default="")
    owner = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    agent = models.ForeignKey(
        "agents.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("agent"),
    )  # fmt: skip
    tool = models.CharField(_("tool"), max_length=64)
    server = models.CharField(_("server"), max_length=200, blank=True)
    effect = models.CharField(_("effect"), max_length=8, blank=True)
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.RUNNING
    )
    arguments = models.TextField(_("arguments"), blank=True)
    output = models.TextField(_("result"), blank=True)
    data = models.JSONField(default=dict)
    passages = models.JSONField(default=list)
    documents = ArrayField(models.UUIDField(), default=list)  # that its passages are of
    readers = ArrayField(models.UUIDField(), default=list)
    # What its run had come upon when it was made, and what it brought in.
    input_taints = ArrayField(
        models.CharField(max_length=16),
        verbose_name=_("taints of what it was given"),
        default=list,
        db_default=[],
    )
    taints = ArrayField(models.CharField(max_length=16), verbose_name=_("taints"), default=list)
    demands = models.JSONField(default=list)
    took_ms = models.PositiveIntegerField(_("milliseconds"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    approval_id = models.UUIDField(_("approval"), null=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = ToolExecutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("call of a tool")
        verbose_name_plural = _("calls of tools")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run_id", "call_id"], name="one_execution_a_call"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-id"], name="execution_owner"),
            models.Index(fields=["created_at"], name="execution_created"),
            GinIndex(fields=["documents"], name="execution_documents"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.pk}"
