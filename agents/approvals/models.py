from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import PrivateQuerySet
from accounts.models import User
from agents.tools.types import Effect
from security.ids import new_id
from security.sentences import said_text


class EffectKind(models.TextChoices):
    """`agents.tools.types.Effect`, in words."""

    NONE = Effect.NONE.value, _("computes")
    READS = Effect.READS.value, _("reads")
    CHANGES = Effect.CHANGES.value, _("changes something")
    SENDS = Effect.SENDS.value, _("talks to somebody outside")


class ApprovalQuerySet(PrivateQuerySet["Approval"]):
    """A question is for the person of the run; administrators have no other way to answer it."""

    def waiting(self) -> "ApprovalQuerySet":
        return self.filter(status=Approval.Status.WAITING, expires_at__gt=Now())


class Approval(models.Model):
    """One call that an agent wants to make, and what the person said to it.

    Of the kind `sign_in` it waits for the person's account at the tool's server instead of their
    yes: that is asked afterwards. `digest` is over tool, server, arguments, person and run
    (`agents.approvals.digests`): the answer is to that call and to no other. `run_id` has no
    foreign key: a run is a turn in chat.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("approval", "waiting")
        APPROVED = "approved", pgettext_lazy("approval", "approved")
        DENIED = "denied", pgettext_lazy("approval", "not approved")
        EXPIRED = "expired", pgettext_lazy("approval", "expired")
        USED = "used", pgettext_lazy("approval", "approved and done")

    class Kind(models.TextChoices):
        CALL = "call", pgettext_lazy("approval", "call")
        SIGN_IN = "sign_in", pgettext_lazy("approval", "sign-in")

    class Scope(models.TextChoices):
        ONCE = "once", _("once")
        CONVERSATION = "conversation", _("in this conversation")
        ALWAYS = "always", _("always")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="approvals", verbose_name=_("person")
    )
    agent = models.ForeignKey(
        "agents.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("agent"),
    )  # fmt: skip
    kind = models.CharField(
        pgettext_lazy("field", "kind"), max_length=8, choices=Kind.choices, default=Kind.CALL,
        db_default=Kind.CALL,
    )  # fmt: skip
    run_id = models.UUIDField(_("run"))
    call_id = models.CharField(_("call"), max_length=400)
    attempt = models.PositiveSmallIntegerField(default=1)
    conversation_id = models.UUIDField(_("conversation"), null=True, blank=True)
    tool = models.CharField(_("tool"), max_length=64)
    title = models.CharField(_("name"), max_length=200)
    server = models.CharField(_("server"), max_length=200, blank=True)
    arguments = models.TextField(_("arguments"))  # canonical JSON, byte for byte
    digest = models.CharField(_("digest"), max_length=64)
    effect = models.CharField(_("effect"), max_length=8, choices=EffectKind.choices)
    taints = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    kept_reason = models.TextField(blank=True)  # as `security.sentences` keeps it
    # For how long a yes may hold: `agents.authority.policy`.
    longest = models.CharField(max_length=12, choices=Scope.choices, default=Scope.ONCE)
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.WAITING
    )
    scope = models.CharField(_("scope"), max_length=12, choices=Scope.choices, default=Scope.ONCE)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run_id", "call_id", "kind", "attempt"], name="one_approval_a_call"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-id"], name="approval_owner"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status="waiting"),
                name="approval_waiting",
            ),
            models.Index(fields=["conversation_id"], name="approval_conversation"),
            models.Index(fields=["created_at"], name="approval_created"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.pk}"

    @property
    def reason(self) -> str:
        """In the language of whoever reads."""
        return said_text(self.kept_reason)

    @property
    def scopes(self) -> list[str]:
        """For how long the person may allow it, the shortest first."""
        order = list(self.Scope)
        offered = order[: order.index(self.Scope(self.longest)) + 1]
        has_place = self.conversation_id is not None
        return [one for one in offered if has_place or one != self.Scope.CONVERSATION]


class ToolPermissionQuerySet(PrivateQuerySet["ToolPermission"]):
    """What a person allowed is theirs to see and to take back."""


class ToolPermission(models.Model):
    """Calls of one tool that an agent may make for this person without asking again.

    Of `conversation_id` none: everywhere. It covers no call of which the policy
    wants to be asked each time.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tool_permissions")
    agent = models.ForeignKey(
        "agents.Agent", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    tool = models.CharField(_("tool"), max_length=64)
    title = models.CharField(_("name"), max_length=200)
    server = models.CharField(_("server"), max_length=200, blank=True)
    conversation_id = models.UUIDField(_("conversation"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ToolPermissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("permission of a tool")
        verbose_name_plural = _("permissions of tools")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "agent", "tool", "server", "conversation_id"],
                nulls_distinct=False,
                name="one_permission_each",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["conversation_id"], name="permission_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.pk}"
