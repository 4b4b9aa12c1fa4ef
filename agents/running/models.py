from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import PrivateQuerySet
from accounts.models import User
from security.ids import new_id


class RunStepQuerySet(PrivateQuerySet["RunStep"]):
    """What a run did is for the person it ran for."""


class RunStep(models.Model):
    """One call of a model in a run with tools: what it said, and what it wanted to be called.

    What came of the calls are its ToolExecutions: a run is a tree, and whoever takes it up again
    does nothing twice that stands here. `run_id` has no foreign key: in chat it is the turn's.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run_id = models.UUIDField(_("run"))
    owner = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    agent = models.ForeignKey(
        "agents.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("agent"),
    )  # fmt: skip
    ordinal = models.PositiveSmallIntegerField(_("step"))
    text = models.TextField(_("text"), blank=True)
    calls = models.JSONField(_("calls"), default=list)  # id, name and arguments of each
    done = models.JSONField(default=dict)  # a gateway.types.Completed
    created_at = models.DateTimeField(_("finished"), auto_now_add=True)

    objects = RunStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of runs")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run_id", "ordinal"], name="one_step_an_ordinal"),
        ]
        indexes: ClassVar = [models.Index(fields=["owner"], name="runstep_owner")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.ordinal}"
