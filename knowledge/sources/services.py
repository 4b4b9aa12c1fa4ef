"""Writes: sources, and when they are visited. What a visit does is in `engine`."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from pydantic import ValidationError

from accounts.models import User
from events import jobs
from knowledge.errors import KnowledgeError
from knowledge.models import Collection, Source, SyncRun
from knowledge.sources import kinds
from knowledge.sources.connector import SourceUnusable
from knowledge.sources.handing import keep_documents
from knowledge.sources.roots import require_folder
from knowledge.sources.scheduling import next_time
from knowledge.sources.settings import is_on_server, origin_of, read_settings
from security import audit
from security.acts import Act
from security.secrets import hint, seal

SYNC = "knowledge.sources.jobs.run_sync"
REMOVE = "knowledge.sources.jobs.remove_source"
MOST_SOURCES = 200  # of a collection


class SourceRefused(KnowledgeError):
    """What was asked of a source cannot be; the text says why, translated. `field` is to blame."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class SourceBusy(SourceRefused):
    """Another visit is under way."""


def create_source(
    user: User,
    collection: Collection,
    kind: str,
    name: str,
    settings: dict[str, Any],
    *,
    secret: str = "",
    schedule: str = Source.Schedule.DAILY,
    grace_days: int | None = None,
) -> Source:
    """A source that waits for its first visit. Raises SourceRefused."""
    if kind not in kinds.offered(to_staff=user.is_staff):
        raise SourceRefused(_("Sources of this kind are not offered to you here."), "kind")
    if collection.sources.count() >= MOST_SOURCES:
        raise SourceRefused(_("This collection has as many sources as it can have."))
    source = Source(collection=collection, kind=kind, name=name, added_by=user)
    source.settings = _clean(user, kind, settings)
    source.schedule = schedule if kinds.has_walk(source) else Source.Schedule.MANUAL
    default_grace = 7 if kinds.has_walk(source) else 0
    source.grace_days = default_grace if grace_days is None else grace_days
    _keep_secret(source, secret)
    with transaction.atomic():
        source.save(force_insert=True)
        audit.record(Act.SOURCE_ADDED, source, kind=kind, collection=str(collection.pk))
    return source


def update_source(
    user: User,
    source: Source,
    *,
    name: str | None = None,
    settings: dict[str, Any] | None = None,
    secret: str | None = None,
    schedule: str | None = None,
    grace_days: int | None = None,
) -> None:
    """Change what is given. Credentials do not follow an address to another server: they are
    forgotten then, unless new ones come along. Raises SourceRefused."""
    with transaction.atomic():
        source = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if settings is not None and settings != source.settings:
            cleaned = _clean(user, source.kind, settings)
            if is_on_server(source.kind, source.settings) and not user.is_staff:
                raise SourceRefused(_("Only administrators change what is read of this server."))
            if origin_of(cleaned) != origin_of(source.settings) and secret is None:
                secret = ""
            source.settings, source.cursor = cleaned, {}
        if secret is not None:
            _keep_secret(source, secret)
        source.name = name or source.name
        source.grace_days = source.grace_days if grace_days is None else grace_days
        if schedule is not None and schedule != source.schedule and kinds.has_walk(source):
            source.schedule = schedule
            if source.runs.filter(is_preview=False).exists():
                source.next_run_at = next_time(schedule)
        source.save()
        audit.record(Act.SOURCE_CHANGED, source)


def delete_source(source: Source, *, keeps_documents: bool) -> None:
    """Its documents stay as uploads, or go with it, in the background; it is gone from lists at
    once. Twice is once."""
    cancel(source)
    with transaction.atomic():
        found = Source.objects.select_for_update(of=("self",)).filter(pk=source.pk).first()
        if found is None or found.is_leaving:
            return
        audit.record(Act.SOURCE_DELETED, found, kind=found.kind, keeps_documents=keeps_documents)
        if keeps_documents:
            keep_documents(found)
        found.is_leaving, found.next_run_at, found.secret = True, None, None
        found.save(update_fields=["is_leaving", "next_run_at", "secret"])
        jobs.enqueue(REMOVE, {"source_id": str(found.pk)}, None, found.pk)


# -- Visits ----------------------------------------------------------------------------------------


def start_sync(
    source: Source,
    by: User | None,
    *,
    is_preview: bool = False,
    is_scheduled: bool = False,
    is_full: bool = False,
    with_deleted: bool = False,
) -> SyncRun:
    """A visit in the background; the one under way, if there is one. Raises SourceBusy when that is
    of the other sort, and SourceRefused where there is nothing to visit.

    `is_full` also tries those again that failed for what they are, `with_deleted` brings back what
    people deleted here.
    """
    if not kinds.has_walk(source):
        raise SourceRefused(_("Items of this source are pushed: there is nothing to visit."))
    with transaction.atomic():
        source = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if source.is_leaving:
            raise SourceRefused(_("This source is being deleted."))
        under_way = open_run(source)
        if under_way is not None:
            if under_way.is_preview != is_preview:
                raise SourceBusy(_("Another visit is under way. Wait for its end, or cancel it."))
            return under_way
        if source.is_paused and not is_preview:
            raise SourceRefused(_("This source is paused."))
        run = SyncRun.objects.create(
            source=source, started_by=by, is_preview=is_preview, is_scheduled=is_scheduled
        )
        if not is_preview and source.next_run_at is None:
            source.next_run_at = next_time(source.schedule)
            source.save(update_fields=["next_run_at"])
        _enqueue(run, is_full=is_full, with_deleted=with_deleted)
    return run


def pause(source: Source) -> None:
    """What is under way stops where it is; nothing starts until `resume`."""
    Source.objects.filter(pk=source.pk).update(is_paused=True)


def resume(source: Source) -> None:
    """Go on with what was stopped, and with the schedule."""
    with transaction.atomic():
        Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        Source.objects.filter(pk=source.pk).update(is_paused=False)
        run = open_run(source)
        if run is not None and run.status == SyncRun.Status.PAUSED:
            run.status = SyncRun.Status.QUEUED
            run.save(update_fields=["status"])
            _enqueue(run)


def cancel(source: Source) -> None:
    """End the visit under way; what it brought stays."""
    run = open_run(source)
    if run is None:
        return
    if run.job_id is not None:
        jobs.request_cancel(run.job_id)
    paused = SyncRun.objects.filter(pk=run.pk, status=SyncRun.Status.PAUSED)
    paused.update(status=SyncRun.Status.CANCELLED, finished_at=Now())


def open_run(source: Source) -> SyncRun | None:
    return source.runs.filter(status__in=SyncRun.OPEN).first()


def _enqueue(run: SyncRun, *, is_full: bool = False, with_deleted: bool = False) -> None:
    source = run.source
    owner_id: UUID | None = run.started_by_id or source.added_by_id
    wanted = {"run_id": str(run.pk), "is_full": is_full, "with_deleted": with_deleted}
    job = jobs.enqueue(SYNC, wanted, owner_id, source.pk)
    run.job_id = job.pk
    run.save(update_fields=["job_id"])


# -- What a source is told -------------------------------------------------------------------------


def _clean(user: User, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    try:
        values = read_settings(kind, settings).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise SourceRefused(reason, str(first["loc"][0]) if first["loc"] else "") from error
    if is_on_server(kind, values):
        if not user.is_staff:
            raise SourceRefused(_("Only administrators connect folders of the server."), "address")
        name = "path" if "path" in values else "address"
        try:
            require_folder(values[name])
        except SourceUnusable as error:
            raise SourceRefused(str(error), name) from error
    return values


def _keep_secret(source: Source, secret: str) -> None:
    source.secret = seal(secret, kinds.sealed_for(source)) if secret else None
    source.secret_hint = hint(secret) if secret else ""
