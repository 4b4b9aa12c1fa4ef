"""What people thought of answers."""

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from agents.models import Agent
from chat.models.messages import (
    Message,
)
from security.ids import new_id


class OpinionQuerySet(models.QuerySet[Any]):
    """What a person thinks of an answer is theirs, as long as they may see the answer."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.filter(person=user, message__in=Message.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.visible_to(user)


class Feedback(models.Model):
    """What one person thinks of one answer; kept with who gave the answer, for evaluation."""

    class Rating(models.IntegerChoices):
        GOOD = 1, _("good")
        BAD = -1, _("bad")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    rating = models.SmallIntegerField(_("rating"), choices=Rating.choices)
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    model_name = models.CharField(_("model"), max_length=120, blank=True)
    agent = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(fields=["message", "person"], name="one_feedback_each")
        ]
        indexes = [models.Index(fields=["-updated_at"], name="feedback_recent")]

    def __str__(self) -> str:
        return f"{self.get_rating_display()} {self.message_id}"


class Preference(models.Model):
    """Which answer of a comparison a person went on with; it may be another one later."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    comparison = models.UUIDField(editable=False)
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    model_name = models.CharField(_("preferred model"), max_length=120, blank=True)
    others = models.JSONField(_("other models"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "comparison"], name="one_preference_a_comparison"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.message_id}"
