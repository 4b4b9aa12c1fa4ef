"""The two jobs of an import: look through the upload, then bring in what is in it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext_noop as _

from accounts.models import User
from chat.imports import storage
from chat.imports.bringing import bring, folder_of, is_known
from chat.imports.growing import add_what_is_new, has_grown
from chat.imports.reading import Failed, read_conversations
from chat.imports.tree import count_messages
from chat.imports.types import Foreign, Unreadable
from chat.models import Import, ImportedConversation
from events import jobs
from events.context import JobContext, JobFailed
from events.models import Job
from events.notices import What, announce
from security import audit
from security.acts import Act

LISTED = 200  # conversations shown before the import
REPORTED = 100  # failures with their reasons
SAVED_EVERY = 25
FILE_GONE = _("The uploaded file is gone. Upload it again.")
STOPPED = _("It was stopped. Upload the file again.")


def settle_import(job: Job) -> None:
    """The import follows a job that ended without success."""
    found = Import.objects.filter(job_id=job.pk).exclude(state=Import.State.DONE)
    is_cancelled = job.status == Job.Status.CANCELLED
    found.update(
        state=Import.State.CANCELLED if is_cancelled else Import.State.FAILED,
        reason="" if is_cancelled else job.reason or STOPPED,
        finished_at=Now(),
    )
    for import_id in Import.objects.filter(job_id=job.pk).values_list("pk", flat=True):
        transaction.on_commit(partial(storage.remove, import_id))


@jobs.settled_by(settle_import)
def read_import(context: JobContext, import_id: str) -> None:
    """Count what is in it, and note the beginning of the list."""
    found = Import.objects.select_related("owner").filter(pk=import_id).first()
    if found is None or found.state != Import.State.READING:
        return
    tally = _Tally()
    for item in _conversations(found, context, "read"):
        if isinstance(item, Failed):
            tally.fail(item)
            continue
        known = is_known(found.owner, item)
        grown = isinstance(known, ImportedConversation) and has_grown(known, item)
        tally.see(item, is_known=known is not None and not grown, is_grown=grown)
    Import.objects.filter(pk=found.pk).update(
        state=Import.State.READY,
        conversations=tally.conversations,
        messages=tally.messages,
        known=tally.known,
        grown=tally.grown,
        failed=tally.failed,
        found=tally.found,
        failures=tally.failures,
    )


@jobs.settled_by(settle_import)
def bring_import(context: JobContext, import_id: str) -> None:
    """Bring in what is not here yet, also of conversations that have grown since. Run again after
    a crash, it goes on where it was."""
    found = Import.objects.select_related("owner").filter(pk=import_id).first()
    if found is None or found.state != Import.State.IMPORTING:
        return
    with translation.override(found.owner.language or "en"):
        tally = _bring_all(context, found)
    with transaction.atomic():
        state = Import.State.DONE
        _save(found.pk, tally, state=state, finished_at=Now())
        audit.record(
            Act.CONVERSATIONS_IMPORTED, by=found.owner, conversations=tally.added, of=str(found.pk)
        )
        announce(What.FOLDERS, people=[found.owner_id])
    storage.remove(found.pk)


def _bring_all(context: JobContext, found: Import) -> "_Tally":
    user: User = found.owner
    folder = folder_of(user)
    tally = _Tally()
    for n, item in enumerate(_conversations(found, context, "import")):
        if isinstance(item, Failed):
            tally.fail(item)
        else:
            _bring_one(user, item, found, folder, tally)
        if n % SAVED_EVERY == 0:
            context.check()
            _save(found.pk, tally)
    return tally


def _bring_one(user: User, item: Foreign, into: Import, folder: Any, tally: "_Tally") -> None:
    before = is_known(user, item)
    try:
        if before is None:
            tally.note(is_new=bring(user, item, into, folder))
        elif isinstance(before, ImportedConversation):
            # Also what an attempt at this import brought that a crash ended.
            grew = add_what_is_new(before, item, into) or before.grown_by == into.pk
            tally.note(is_new=before.brought_by_id == into.pk, is_grown=grew)
        else:
            tally.note(is_new=False)
    except Unreadable as problem:
        tally.fail(Failed(item.title, str(problem)))


def _conversations(found: Import, context: JobContext, stage: str) -> Any:
    """Raises JobFailed with what is wrong with the file."""
    try:
        yield from read_conversations(
            storage.path_of(found.pk), lambda done, total: context.progress(stage, done, total + 1)
        )
    except FileNotFoundError as error:
        raise JobFailed(FILE_GONE) from error
    except Unreadable as problem:
        raise JobFailed(str(problem)) from problem


def _save(import_id: UUID, tally: "_Tally", **more: Any) -> None:
    Import.objects.filter(pk=import_id).update(
        added=tally.added,
        known=tally.known,
        grown=tally.grown,
        failed=tally.failed,
        failures=tally.failures,
        **more,
    )


class _Tally:
    def __init__(self) -> None:
        self.conversations = self.messages = self.failed = 0
        self.known = self.grown = self.added = 0
        self.found: list[dict[str, Any]] = []
        self.failures: list[dict[str, str]] = []

    def see(self, item: Foreign, *, is_known: bool, is_grown: bool) -> None:
        messages = count_messages(item)
        self.conversations += 1
        self.messages += messages
        self.known += is_known
        self.grown += is_grown
        if len(self.found) < LISTED:
            at = item.updated_at or item.created_at
            row = {"title": item.title, "messages": messages}
            row |= {"known": is_known, "grown": is_grown}
            self.found.append({**row, "source": item.source, "at": at and at.isoformat()})

    def note(self, *, is_new: bool, is_grown: bool = False) -> None:
        """One that this import brought counts as new, however often it ran."""
        self.added += is_new
        self.grown += is_grown and not is_new
        self.known += not (is_new or is_grown)

    def fail(self, failed: Failed) -> None:
        self.failed += 1
        if len(self.failures) < REPORTED:
            self.failures.append({"title": failed.title[:80], "reason": failed.reason})
