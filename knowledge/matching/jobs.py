"""In batches, each one transaction with the event that says what it did and where to go on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop as _

from accounts.models import User
from events.context import HandedBack, JobContext, JobFailed
from events.models import Job
from knowledge.bulk import Action, act
from knowledge.curation.documents import Wanted
from knowledge.matching import orders
from knowledge.matching.walking import count, walk
from knowledge.models import Collection
from security import audit

BATCH = 25
SLICE_SECONDS = 45.0
NO_MORE = _("You may not change these documents any more.")


@dataclass(slots=True)
class Run:
    """One of these jobs at work."""

    context: JobContext
    action: Action
    collection_id: UUID
    target_id: UUID | None
    looked: int = 0
    changed: int = 0
    began: float = 0.0

    @property
    def user(self) -> User:
        """Whoever ordered it; looked up each time, for they may lose the right meanwhile."""
        owner_id = self.context.job.owner_id
        found = User.objects.filter(pk=owner_id, is_active=True).first() if owner_id else None
        if found is None:
            raise JobFailed(NO_MORE)
        return found

    def take_up(self) -> dict[str, Any]:
        """What the last event of an earlier attempt says; empty in the first."""
        self.began = time.monotonic()
        last = orders.done_by(self.context.job.pk).order_by("-seq").first()
        if last is None:
            return {}
        self.looked, self.changed = last.payload["looked"], last.payload["changed"]
        return dict(last.payload)

    def take(self, ids: list[UUID], after: str, total: int) -> None:
        """Do it to these, and note it."""
        self.context.check()
        user = self.user
        with transaction.atomic(), audit.acting_for(user):
            collection = self.editable(user, self.collection_id)
            target = self.editable(user, self.target_id) if self.target_id else None
            done = act(user, collection, self.action, ids, target)
            self.looked += len(ids)
            self.changed += len(done)
            noted: dict[str, object] = {
                "documents": [str(pk) for pk in done], "after": after,
                "looked": self.looked, "changed": self.changed, "total": total,
            }  # fmt: skip
            self.context.emit(orders.CHANGED, noted)
        self.context.progress("change", self.looked, max(total, self.looked + 1))
        self._make_way()

    def editable(self, user: User, collection_id: UUID) -> Collection:
        """Raises JobFailed where it is not, or not any more."""
        found: Collection | None = (
            Collection.objects.editable_by(user).filter(pk=collection_id).first()
        )
        if found is None:
            raise JobFailed(NO_MORE)
        return found

    def _make_way(self) -> None:
        """After a while, jobs that wait come first."""
        if time.monotonic() - self.began < SLICE_SECONDS:
            return
        if Job.objects.filter(status=Job.Status.QUEUED).exists():
            raise HandedBack
        self.began = time.monotonic()


def change_matching(
    context: JobContext,
    collection_id: str,
    action: str,
    wanted: dict[str, Any],
    target_id: str | None = None,
) -> None:
    """Do one thing to every document that matches, and was there when it was ordered."""
    source = UUID(wanted["source"]) if wanted["source"] else None
    filters = Wanted(**{**wanted, "source": source})
    target = UUID(target_id) if target_id else None
    run = Run(context, Action(action), UUID(collection_id), target)
    user, done = run.user, run.take_up()
    run.editable(user, run.collection_id)
    total = done["total"] if done else count(user, run.collection_id, filters) or 0
    after, ordered_at = UUID(done.get("after", UUID(int=0).hex)), context.job.created_at
    found = walk(user, run.collection_id, filters, after, ordered_at)
    if filters.list == "duplicates":
        found = _noted(context, found, after)
    for stretch in found:
        for at in range(0, len(stretch), BATCH):
            ids = stretch[at : at + BATCH]
            run.take(ids, ids[-1].hex, total)
    run.editable(run.user, run.collection_id)  # else nothing more was found


def _noted(context: JobContext, found: Iterator[list[UUID]], after: UUID) -> Iterator[list[UUID]]:
    """Those that were found when it began, beyond `after`: a copy of one that is gone by now would
    not be found again."""
    if not orders.found_by(context.job.pk).exists():
        with transaction.atomic():
            for stretch in found:
                context.emit(orders.FOUND, {"documents": [str(pk) for pk in stretch]})
    for event in orders.found_by(context.job.pk).order_by("seq"):
        yield [pk for told in event.payload["documents"] if (pk := UUID(told)) > after]


def undo_matching(context: JobContext, collection_id: str, action: str, undone_id: str) -> None:
    """Take back what an earlier job has done in this collection, batch by batch."""
    undone = Job.objects.filter(pk=UUID(undone_id), owner_id=context.job.owner_id).first()
    if undone is None or undone.task != orders.CHANGE:
        return
    left = UUID(collection_id)
    target_id = undone.arguments.get("target_id")
    target = UUID(target_id) if target_id else None
    run = Run(context, Action(action), target or left, left if target else None)
    after = int(run.take_up().get("after", 0))
    total = orders.standing_of(undone).changed
    for seq, ids in orders.batches_of(undone.pk, after):
        run.take(ids, str(seq), total)
