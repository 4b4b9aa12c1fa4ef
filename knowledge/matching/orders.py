"""Starting, finding, stopping and undoing it; a job does it (`jobs`)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.access import require_all, require_editable
from accounts.models import User
from events import jobs
from events.models import Event, Job
from knowledge.bulk import UNDONE_BY, Action, doing
from knowledge.curation.documents import Wanted
from knowledge.models import Collection, Source

CHANGE = "knowledge.matching.jobs.change_matching"
UNDO = "knowledge.matching.jobs.undo_matching"
CHANGED = "documents_changed"  # the event that says which, with how many there were until then
FOUND = "documents_found"  # of copies: which there were when it began
OPEN = (Job.Status.QUEUED, Job.Status.RUNNING)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one is: `changed` documents, of those that were looked at."""

    job: Job
    action: Action
    changed: int

    @property
    def is_open(self) -> bool:
        return self.job.status in OPEN

    @property
    def title(self) -> str:
        return doing(self.action)

    @property
    def can_be_undone(self) -> bool:
        is_done = self.job.task == CHANGE and not self.is_open and self.changed > 0
        return is_done and self.action in UNDONE_BY


def start(
    user: User, collection: Collection, action: Action, wanted: Wanted, target_id: UUID | None
) -> Job:
    """Raises Http404 for a target or a source that `user` may not change, and for what cannot be
    done to all that match."""
    if action is Action.RESTORE or (action is Action.MOVE and target_id is None):
        raise Http404
    if action is Action.MOVE and target_id is not None:
        require_editable(Collection.objects, user, target_id)
    if wanted.source is not None:
        require_all(Source.objects.editable_by(user), [wanted.source])
    filters = asdict(wanted) | {"source": str(wanted.source) if wanted.source else None}
    arguments = {
        "collection_id": str(collection.pk),
        "action": action.value,
        "wanted": filters,
        "target_id": str(target_id) if action is Action.MOVE else None,
    }
    return jobs.enqueue(CHANGE, arguments, user.pk)


def undo(user: User, collection: Collection, job_id: UUID) -> Job:
    """Take back what that job of theirs has done. Raises Http404 where there is no such job, it is
    still at work, or it cannot be undone."""
    standing = find(user, collection, job_id)
    if not standing.can_be_undone:
        raise Http404
    arguments = {
        "collection_id": str(collection.pk),
        "action": UNDONE_BY[standing.action].value,
        "undone_id": str(job_id),
    }
    return jobs.enqueue(UNDO, arguments, user.pk)


def stop(user: User, collection: Collection, job_id: UUID) -> None:
    """What was done stays done."""
    jobs.request_cancel(find(user, collection, job_id).job.pk)


def find(user: User, collection: Collection, job_id: UUID) -> Standing:
    """One of `user`, of documents of this collection; raises Http404."""
    job = _mine(user, collection).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return standing_of(job)


def find_open(user: User, collection: Collection) -> Standing | None:
    """The last one they started there, if it is at work."""
    job = _mine(user, collection).filter(status__in=OPEN).order_by("-pk").first()
    return standing_of(job) if job else None


def standing_of(job: Job) -> Standing:
    last = done_by(job.pk).order_by("-seq").first()
    action = Action(job.arguments["action"])
    return Standing(job, action, last.payload["changed"] if last else 0)


def done_by(job_id: UUID) -> Any:
    """The events that say what it did."""
    return Event.objects.filter(stream_id=job_id, kind=CHANGED)


def found_by(job_id: UUID) -> Any:
    """The events that say which copies it is to change."""
    return Event.objects.filter(stream_id=job_id, kind=FOUND)


def batches_of(job_id: UUID, after: int) -> Iterator[tuple[int, list[UUID]]]:
    """What it changed, by the numbers of its events beyond `after`."""
    found = done_by(job_id).filter(seq__gt=after).order_by("seq")
    for event in found.iterator(chunk_size=100):
        yield event.seq, [UUID(pk) for pk in event.payload["documents"]]


def _mine(user: User, collection: Collection) -> Any:
    """Theirs alone, as every job that is on nothing in particular."""
    return Job.objects.filter(
        task__in=(CHANGE, UNDO), owner_id=user.pk, subject_id=None,
        arguments__collection_id=str(collection.pk),
    )  # fmt: skip
