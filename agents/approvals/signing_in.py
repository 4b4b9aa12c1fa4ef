"""A call waits for the person's account at its server: nothing of it happens, nor is approved,
before they connected, said to go on without it, or let it be."""

from dataclasses import replace
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from agents.approvals.asking import Call, store
from agents.approvals.models import Approval
from agents.authority.policy import Scope
from agents.authority.types import Verdict
from events.notices import What, announce
from events.waking import wake
from security.sentences import Sentence

MOST = 5  # times that one call waits for the same account


@transaction.atomic
def ask_to_sign_in(call: Call) -> Verdict:
    """Asks, or says how the person answered; they are not let in at the moment."""
    reason = Sentence("sign_in_wanted", server=call.server)
    if not call.is_interactive:
        return Verdict("deny", Sentence("sign_in_elsewhere", server=call.server))
    rows = Approval.objects.select_for_update().filter(kind=Approval.Kind.SIGN_IN)
    found = rows.filter(run_id=call.run_id, call_id=call.call_id).order_by("-attempt").first()
    if found is not None and found.status == Approval.Status.WAITING:
        if found.expires_at > timezone.now():
            return Verdict("ask", reason, found.pk, found.expires_at.isoformat())
        found.status = Approval.Status.EXPIRED
        found.save(update_fields=["status"])
    if found is not None and (found.status != Approval.Status.APPROVED or found.attempt >= MOST):
        return Verdict("deny", Sentence("sign_in_declined", server=call.server), found.pk)
    attempt = found.attempt + 1 if found else 1
    asked = replace(call, attempt=attempt, reason=reason, longest=Scope.ONCE)
    made = store(asked, Approval.Kind.SIGN_IN)
    return Verdict("ask", reason, made.pk, made.expires_at.isoformat())


@transaction.atomic
def signed_in(user: User, server: str) -> None:
    """The person connected: what waited for that goes on."""
    waiting = Approval.objects.editable_by(user).filter(
        kind=Approval.Kind.SIGN_IN, server=server, status=Approval.Status.WAITING
    )
    for row in waiting.select_for_update(of=("self",)):
        row.status, row.decided_at, row.decided_by = (
            Approval.Status.APPROVED, timezone.now(), user,
        )  # fmt: skip
        row.save(update_fields=["status", "decided_at", "decided_by"])
        transaction.on_commit(partial(wake, row.run_id), robust=True)
        announce(What.APPROVALS, people=[user.pk])
