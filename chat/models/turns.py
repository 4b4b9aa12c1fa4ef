"""A question on its way to an answer."""

from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from agents.models import Agent
from chat.models.conversations import Conversation
from chat.models.messages import Message
from security.ids import new_id


class TurnQuerySet(models.QuerySet["Turn"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(conversation__in=Conversation.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(conversation__in=Conversation.objects.editable_by(user))


class Turn(models.Model):
    """A question on its way to an answer; its id is also its event stream's."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        WAITING = "waiting", _("waiting for a person")
        COMPLETED = "completed", _("completed")
        STOPPED = "stopped", _("stopped")
        INTERRUPTED = "interrupted", _("interrupted")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="turn")
    agent = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    # Asked for with the question; empty: the agent's, and without one the default.
    model_name = models.CharField(_("model"), max_length=120, blank=True, db_default="")
    # The answer this one stands beside, to be compared with it until one of them is preferred.
    comparison = models.UUIDField(null=True, blank=True, editable=False)
    # The answer that broke off and that this one goes on from: its text is how this one begins.
    continues = models.UUIDField(null=True, blank=True, editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # The API token by which it was asked, for whoever pays; none: in a browser.
    token_id = models.UUIDField(null=True, blank=True, editable=False)
    collections = models.JSONField(null=True, blank=True)
    # Narrowings that its words seem to name (`knowledge.retrieval.understanding`) and that it is
    # asked without.
    without = ArrayField(
        models.CharField(max_length=12), default=list, db_default=[], blank=True, editable=False
    )
    status = models.CharField(
        _("status"), max_length=11, choices=Status.choices, default=Status.QUEUED
    )
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    error = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="one_turn_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"
