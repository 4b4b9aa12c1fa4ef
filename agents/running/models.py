from typing import ClassVar, Self

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
    Steps of an agent that another one called have the id of that call as `parent`.
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
    parent = models.CharField(_("in the call"), max_length=400, blank=True, db_default="")
    ordinal = models.PositiveSmallIntegerField(_("step"))
    text = models.TextField(_("text"), blank=True)
    # As guardrails let readers see it, where that differs from what the model said.
    shown = models.TextField(blank=True, db_default="")
    calls = models.JSONField(_("calls"), default=list)  # id, name and arguments of each
    done = models.JSONField(default=dict)  # a gateway.types.Completed
    # Of the first: what had been read before it, an agents.types.Opening.
    opening = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(_("finished"), auto_now_add=True)

    objects = RunStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of runs")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run_id", "parent", "ordinal"], name="one_step_an_ordinal"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["owner"], name="runstep_owner")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.ordinal}"


class RunNoteQuerySet(PrivateQuerySet["RunNote"]):
    """What was said to a run is its person's."""

    def waiting(self) -> Self:
        return self.filter(step=None, asked_as=None)


class RunNote(models.Model):
    """What the person says to a run that has begun. `step` is the one behind which it was taken up,
    `asked_as` the turn that asks it since the run had ended before; its own one where nobody
    may."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run_id = models.UUIDField(_("run"))
    owner = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    text = models.TextField(_("text"))
    step = models.PositiveSmallIntegerField(_("step"), null=True, blank=True)
    asked_as = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = RunNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("note to a run")
        verbose_name_plural = _("notes to runs")
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run_id", "key"], condition=models.Q(key__isnull=False),
                name="one_note_a_key",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["run_id"], name="runnote_run"),
            models.Index(fields=["owner"], name="runnote_owner"),
            models.Index(
                fields=["id"], name="runnote_waiting",
                condition=models.Q(step=None, asked_as=None),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.run_id} {self.pk}"
