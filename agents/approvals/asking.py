"""The person is asked about a call once, and their yes is good for that one call.

Whatever happens around it, the row decides: it is locked while it is read, and a call that is let
through is marked as used in the same transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.approvals.digests import digest_of
from agents.approvals.models import Approval, ToolPermission
from agents.authority.policy import Scope, covers
from agents.authority.types import Verdict
from agents.tools.models import ToolExecution
from events.notices import What, announce
from security import audit
from security.acts import Act
from security.sentences import Sentence, as_text, stored

LONGEST = 100_000  # characters of arguments that a person could be shown
READING = frozenset({"none", "reads"})  # effects of calls that may be made again


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the policy wants asked about; `arguments` as `canonical` writes them."""

    owner_id: UUID
    agent_id: UUID | None
    run_id: UUID
    call_id: str
    tool: str
    title: str
    server: str
    arguments: str
    effect: str
    reason: str
    taints: tuple[str, ...] = ()
    attempt: int = 1
    conversation_id: UUID | None = None
    longest: Scope = Scope.ONCE
    is_interactive: bool = True

    @property
    def digest(self) -> str:
        return digest_of(self.tool, self.server, self.arguments, self.owner_id, self.run_id)


@transaction.atomic
def ask(call: Call) -> Verdict:
    """Allow what was approved or permitted, deny what was not, or ask: then there is a row."""
    rows = Approval.objects.select_for_update().filter(kind=Approval.Kind.CALL)
    of_call = rows.filter(run_id=call.run_id, call_id=call.call_id, attempt__gte=call.attempt)
    found = of_call.order_by("-attempt").first()
    if found is not None and found.status == Approval.Status.USED and not _has_begun(call):
        call = replace(call, attempt=found.attempt + 1)  # a runner died between the two
    elif found is not None:
        return _as_decided(call, found)
    elif (given := _under_way(call, rows)) is not None:
        return Verdict("allow", call.reason, given.pk)
    if is_permitted(call):
        return Verdict("allow", call.reason)
    if not call.is_interactive:
        return Verdict("deny", Sentence("approval_elsewhere", reason=call.reason))
    made = store(call)
    return Verdict("ask", call.reason, made.pk, made.expires_at.isoformat())


def _under_way(call: Call, rows: QuerySet[Approval]) -> Approval | None:
    """The yes by which this very call was begun, where its runner died in it and it only reads: it
    is made again, and nothing is done twice."""
    if call.attempt == 1 or call.effect not in READING:
        return None
    before = rows.filter(run_id=call.run_id, call_id=call.call_id, attempt__lt=call.attempt)
    last = before.order_by("-attempt").first()
    if last is None or last.status != Approval.Status.USED:
        return None
    is_same = last.digest == call.digest and last.owner_id == call.owner_id
    return last if is_same else None


def _has_begun(call: Call) -> bool:
    """Whether it is written down that this call was made, or is about to be."""
    return ToolExecution.objects.filter(run_id=call.run_id, call_id=call.call_id).exists()


def is_permitted(call: Call) -> bool:
    """Whether the person allowed such calls of this agent for longer, and that covers this one."""
    where = Q()
    if covers(Scope.ALWAYS, call.longest):
        where |= Q(conversation_id=None)
    if call.conversation_id and covers(Scope.CONVERSATION, call.longest):
        where |= Q(conversation_id=call.conversation_id)
    mine = Q(owner=call.owner_id, agent=call.agent_id, tool=call.tool, server=call.server)
    return bool(where) and ToolPermission.objects.filter(mine & where).exists()


def _as_decided(call: Call, found: Approval) -> Verdict:
    if found.digest != call.digest or found.owner_id != call.owner_id:
        audit.record(Act.APPROVAL_SWAPPED, found, title=found.tool, digest=call.digest)
        return Verdict("deny", Sentence("approval_swapped"), found.pk)
    status = Approval.Status
    if found.status == status.WAITING and found.expires_at <= timezone.now():
        found.status = status.EXPIRED
        found.save(update_fields=["status"])
    match found.status:
        case status.WAITING:
            return Verdict("ask", call.reason, found.pk, found.expires_at.isoformat())
        case status.APPROVED:
            found.status = status.USED
            found.save(update_fields=["status"])
            return Verdict("allow", call.reason, found.pk)
        case status.USED:
            return Verdict("deny", Sentence("approval_replayed"), found.pk)
        case status.DENIED:
            return Verdict("deny", Sentence("approval_denied"), found.pk)
        case _:
            return Verdict("deny", Sentence("approval_expired"), found.pk)


def store(call: Call, kind: str = Approval.Kind.CALL) -> Approval:
    announce(What.APPROVALS, people=[call.owner_id])
    return Approval.objects.create(
        kind=kind,
        owner_id=call.owner_id,
        agent_id=call.agent_id,
        run_id=call.run_id,
        call_id=call.call_id,
        attempt=call.attempt,
        conversation_id=call.conversation_id,
        tool=call.tool,
        title=call.title[:200],
        server=call.server,
        arguments=call.arguments,
        digest=call.digest,
        effect=call.effect,
        taints=sorted(call.taints),
        kept_reason=as_text(stored(call.reason)),
        longest=call.longest,
        expires_at=timezone.now() + timedelta(hours=settings.PARLEY_APPROVAL_HOURS),
    )


def give_back(run_id: UUID, call_id: str) -> None:
    """The call that it let through is not at its end: the same one goes on by the same yes."""
    used = Approval.objects.filter(run_id=run_id, call_id=call_id, status=Approval.Status.USED)
    used.filter(kind=Approval.Kind.CALL).update(status=Approval.Status.APPROVED)


def withdraw(run_ids: Iterable[UUID]) -> None:
    """These runs are being ended: nobody needs to decide about their calls any more."""
    rows = Approval.objects.filter(run_id__in=list(run_ids), status=Approval.Status.WAITING)
    if people := set(rows.values_list("owner_id", flat=True)):
        rows.update(status=Approval.Status.EXPIRED)
        announce(What.APPROVALS, people=people)


def forget(conversation_ids: Iterable[UUID]) -> None:
    """What was asked and permitted in conversations that are being removed."""
    ids = list(conversation_ids)
    Approval.objects.filter(conversation_id__in=ids).delete()
    ToolPermission.objects.filter(conversation_id__in=ids).delete()
