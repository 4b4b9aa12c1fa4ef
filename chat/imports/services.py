"""Imports: uploaded, looked through, and brought in when their owner has seen what is in them."""

from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from chat.errors import ImportRefused
from chat.imports import storage
from chat.models import Import
from events import jobs
from knowledge.file_names import clean_name
from knowledge.storage import Readable
from security.ids import new_id

READ = "chat.imports.jobs.read_import"
BRING = "chat.imports.jobs.bring_import"
MOST_OPEN = 5  # uploads of one person that wait


def upload(user: User, file: Readable, name: str) -> Import:
    """Store the export and look through it in a job. Raises ImportRefused, and what
    `storage.store` raises; then no file stays behind."""
    waiting = Import.objects.filter(owner=user, finished_at=None)
    if waiting.count() >= MOST_OPEN:
        raise ImportRefused(_("Import or discard what you have uploaded before."))
    import_id = new_id()
    size = storage.store(import_id, file)
    try:
        with transaction.atomic():
            made = Import.objects.create(
                id=import_id, owner=user, file_name=clean_name(name)[:200], size=size
            )
            _begin(made, READ)
    except BaseException:
        storage.remove(import_id)
        raise
    return made


def start(user: User, import_id: UUID) -> Import:
    """Bring the conversations in; twice is once. Raises Http404 and ImportRefused."""
    with transaction.atomic():
        found = _own(user, import_id)
        if found.state == Import.State.READY:
            found.state = Import.State.IMPORTING
            found.save(update_fields=["state"])
            _begin(found, BRING)
        elif found.state != Import.State.IMPORTING:
            raise ImportRefused(_("Upload the file again."))
    return found


def discard(user: User, import_id: UUID) -> None:
    """Stop it, or forget it when it has stopped; what was brought in stays. Raises Http404."""
    with transaction.atomic():
        found = _own(user, import_id)
        if found.state in storage.OPEN and found.job_id is not None:
            jobs.request_cancel(found.job_id)
            return
        found.delete()
        transaction.on_commit(lambda: storage.remove(import_id))


def remove_everything_of(user: User) -> None:
    """In the caller's transaction (`DEPARTURES`); their jobs are removed by whoever calls this."""
    for import_id in Import.objects.filter(owner=user).values_list("pk", flat=True):
        storage.remove(import_id)
    Import.objects.filter(owner=user).delete()


def _begin(found: Import, task: str) -> None:
    job = jobs.enqueue(task, {"import_id": str(found.pk)}, found.owner_id)
    Import.objects.filter(pk=found.pk).update(job_id=job.pk)
    found.job_id = job.pk


def _own(user: User, import_id: UUID) -> Import:
    mine = Import.objects.editable_by(user).select_for_update()
    found = mine.filter(pk=import_id).first()
    if found is None:
        raise Http404
    return found
