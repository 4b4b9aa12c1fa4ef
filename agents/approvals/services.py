"""What people answer, and what they take back."""

from datetime import timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from agents.approvals.asking import withdraw
from agents.approvals.digests import digest_of
from agents.approvals.errors import AlreadyDecided, NotForSoLong, OtherCall, TooLate
from agents.approvals.models import Approval, ToolPermission
from events.models import Stream
from events.notices import What, announce
from events.waking import wake
from security import audit
from security.acts import Act

Answer = Literal["approve", "deny"]
BATCH = 200
KEPT = timedelta(days=30)  # of what was decided, the arguments among it


def list_approvals(user: User) -> QuerySet[Approval]:
    """Theirs; the newest first."""
    return Approval.objects.visible_to(user).select_related("agent").order_by("-id")


def count_waiting(user: User) -> int:
    """One query."""
    return Approval.objects.visible_to(user).waiting().count()


def find_approval(user: User, approval_id: UUID) -> Approval:
    """Raises Http404."""
    found = list_approvals(user).filter(pk=approval_id).first()
    if found is None:
        raise Http404
    return found


@transaction.atomic
def decide(
    user: User, approval_id: UUID, answer: Answer, digest: str, scope: str = Approval.Scope.ONCE
) -> Approval:
    """The person of the run answers to exactly what they were shown, whose `digest` this is.

    Raises Http404, AlreadyDecided, TooLate, OtherCall and NotForSoLong. The run goes on when this
    is committed.
    """
    rows = Approval.objects.editable_by(user).select_for_update(of=("self",))
    found = rows.filter(pk=approval_id).first()
    if found is None:
        raise Http404
    _require_open(found)
    if digest != found.digest or digest != _digest_of(found):
        raise OtherCall
    if answer == "approve" and scope not in found.scopes:
        raise NotForSoLong
    is_given = answer == "approve"
    found.status = Approval.Status.APPROVED if is_given else Approval.Status.DENIED
    found.scope = scope if is_given else Approval.Scope.ONCE
    found.decided_at, found.decided_by = timezone.now(), user
    found.save(update_fields=["status", "scope", "decided_at", "decided_by"])
    if found.kind == Approval.Kind.CALL:
        act = Act.APPROVAL_GIVEN if is_given else Act.APPROVAL_REFUSED
        audit.record(act, found, by=user, title=found.tool, scope=found.scope, digest=digest)
    if is_given and scope != Approval.Scope.ONCE:
        _permit(found)
    transaction.on_commit(partial(wake, found.run_id), robust=True)
    announce(What.APPROVALS, people=[user.pk])
    return found


def _require_open(found: Approval) -> None:
    if found.status == Approval.Status.EXPIRED:
        raise TooLate
    if found.status != Approval.Status.WAITING:
        raise AlreadyDecided
    if found.expires_at <= timezone.now():
        raise TooLate


def _digest_of(found: Approval) -> str:
    """Of what the row holds now: nobody changed it since."""
    return digest_of(found.tool, found.server, found.arguments, found.owner_id, found.run_id)


def _permit(found: Approval) -> None:
    is_here = found.scope == Approval.Scope.CONVERSATION
    ToolPermission.objects.get_or_create(
        owner_id=found.owner_id,
        agent=found.agent,
        tool=found.tool,
        server=found.server,
        conversation_id=found.conversation_id if is_here else None,
        defaults={"title": found.title},
    )


def list_permissions(user: User) -> QuerySet[ToolPermission]:
    """What they allowed for longer; the newest first."""
    return ToolPermission.objects.visible_to(user).select_related("agent").order_by("-id")


@transaction.atomic
def revoke_permission(user: User, permission_id: UUID) -> None:
    """From now on the agent asks again. Raises Http404."""
    found = ToolPermission.objects.editable_by(user).filter(pk=permission_id).first()
    if found is None:
        raise Http404
    audit.record(Act.PERMISSION_REVOKED, found, by=user, title=found.tool)
    found.delete()


def sweep() -> int:
    """Close what nobody answered in time, or needs to any more, wake its runs, forget what is old;
    how many were closed. The clock calls this."""
    count = _withdraw_of_ended()
    while expired := _expire_some():
        count += expired
    _wake_forgotten()
    Approval.objects.filter(created_at__lt=Now() - KEPT).exclude(
        status=Approval.Status.WAITING
    ).delete()
    return count


def _withdraw_of_ended() -> int:
    """Of runs whose runner died when they had ended, before it could say so."""
    ended = Stream.objects.filter(pk=OuterRef("run_id"), state=Stream.State.CLOSED)
    left = Approval.objects.waiting().filter(Exists(ended))
    runs = list(left.values_list("run_id", flat=True)[:BATCH])
    if runs:
        withdraw(runs)
    return len(runs)


@transaction.atomic
def _expire_some() -> int:
    """What is being decided this moment is left alone."""
    due: Any = Approval.objects.filter(status=Approval.Status.WAITING, expires_at__lte=Now())
    rows = due.select_for_update(skip_locked=True).values_list("pk", "run_id", "owner_id")
    found = list(rows[:BATCH])
    expired = Approval.objects.filter(pk__in=[pk for pk, *_rest in found])
    expired.update(status=Approval.Status.EXPIRED)
    if found:
        announce(What.APPROVALS, people={owner for *_rest, owner in found})
    for _pk, run_id, _owner in found:
        transaction.on_commit(partial(wake, run_id), robust=True)
    return len(found)


def _wake_forgotten() -> None:
    """Runs that wait for nobody: whoever decided died before they could say so."""
    asked = Approval.objects.filter(status=Approval.Status.WAITING, run_id=OuterRef("pk"))
    waiting = Stream.objects.filter(~Exists(asked), state=Stream.State.WAITING)
    for run_id in waiting.values_list("pk", flat=True)[:BATCH]:
        wake(run_id)
