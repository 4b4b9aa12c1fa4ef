"""Visits as jobs: one at a time, paused and resumed, cancelled, due by the clock, and killed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from events import jobs
from events.models import Job
from knowledge.models import Collection, Document, Source, SourceItem, SyncRun
from knowledge.sources import scheduling, services, sweeping
from knowledge.sources.services import SourceBusy, SourceRefused
from tests.knowledge.sources.conftest import Add, counts, titles, visit, work

ROOT = Path(__file__).resolve().parents[3]
Status = SyncRun.Status


def fill(root: Path, count: int) -> None:
    for number in range(count):
        (root / f"{number:03}.md").write_text(f"# {number}\n\nText number {number}.")


@pytest.mark.django_db
def test_one_visit_at_a_time(root: Path, add: Add):
    fill(root, 1)
    source = add("folder", path=str(root))
    run = services.start_sync(source, None)
    assert services.start_sync(source, None).pk == run.pk
    with pytest.raises(SourceBusy):
        services.start_sync(source, None, is_preview=True)
    assert counts(work(run)) == (1, 0, 0, 0, 0)
    assert services.start_sync(source, None).pk != run.pk
    with pytest.raises(SourceRefused):
        services.start_sync(add("api"), None)


@pytest.mark.django_db
def test_a_visit_is_paused_resumed_and_cancelled(root: Path, add: Add, monkeypatch):
    from knowledge.sources import engine, taking  # noqa: PLC0415

    fill(root, 6)
    source = add("folder", path=str(root))
    real = taking.hand_over
    handed = []

    def hand_over_and_pause(*arguments):
        handed.append(1)
        if len(handed) == 3:
            services.pause(source)
        return real(*arguments)

    monkeypatch.setattr(taking, "hand_over", hand_over_and_pause)
    monkeypatch.setattr(engine, "CHECK_SECONDS", 0)
    run = visit(source)
    assert (run.status, run.added, run.finished_at) == (Status.PAUSED, 3, None)
    with pytest.raises(SourceRefused):
        services.create_source(source.added_by, source.collection, "upload", "It", {})
    assert scheduling.start_due() == 0
    services.resume(source)
    run = work(run)
    assert (run.status, counts(run)) == (Status.SUCCEEDED, (6, 0, 0, 0, 0))

    (root / "more.md").write_text("More.")
    waiting = services.start_sync(source, None)
    services.cancel(source)
    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    services.pause(source)
    with pytest.raises(SourceRefused):
        services.start_sync(source, None)
    services.resume(source)
    assert counts(visit(source)) == (1, 0, 6, 0, 0)


@pytest.mark.django_db
def test_a_long_visit_makes_way_for_jobs_that_wait(root: Path, add: Add, monkeypatch):
    from knowledge.sources import engine  # noqa: PLC0415

    monkeypatch.setattr(engine, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(engine, "BATCH", 2)
    fill(root, 5)
    run = visit(add("folder", path=str(root)))
    handed_back = 0
    while run.status == Status.RUNNING and handed_back < 10:
        handed_back += 1
        run = work(run)
    assert handed_back > 0
    assert (run.status, counts(run)) == (Status.SUCCEEDED, (5, 0, 0, 0, 0))
    assert Job.objects.get(pk=run.job_id).status == Job.Status.SUCCEEDED


@pytest.mark.django_db
def test_a_visit_says_how_long_it_may_still_take(root: Path, add: Add, api_for, admin):
    source = add("folder", path=str(root))
    began = timezone.now() - timedelta(minutes=10)
    run = SyncRun.objects.create(
        source=source, status=Status.RUNNING, started_at=began, added=20, unchanged=5, total=100
    )
    (told,) = api_for(admin).get(f"/sources/{source.pk}/runs").json()["items"]
    assert 1800 <= told["seconds_left"] < 1900
    assert run.minutes_left == 30
    client = Client()
    client.force_login(admin)
    assert (
        "about 30 minutes left" in client.get(f"/knowledge/sources/{source.pk}/").content.decode()
    )
    for unknown in (
        {"total": None}, {"added": 0, "unchanged": 0}, {"status": Status.PAUSED},
    ):  # fmt: skip
        SyncRun.objects.filter(pk=run.pk).update(status=Status.RUNNING, total=100, added=20)
        SyncRun.objects.filter(pk=run.pk).update(**unknown)
        run.refresh_from_db()
        assert run.minutes_left is None


@pytest.mark.django_db
def test_the_clock_starts_what_is_due(root: Path, add: Add, admin, handbook: Collection):
    fill(root, 1)
    source = add("folder", path=str(root))
    assert scheduling.start_due() == 0  # nobody has said yet that it is the right one
    visit(source)
    source.refresh_from_db()
    assert source.next_run_at is not None
    assert timedelta(days=1) <= source.next_run_at - timezone.now() + timedelta(minutes=1)
    Source.objects.update(next_run_at=timezone.now() - timedelta(minutes=1))
    assert scheduling.start_due() == 1
    assert scheduling.start_due() == 0
    run = source.runs.latest("created_at")
    assert run.is_scheduled
    assert counts(work(run)) == (0, 0, 1, 0, 0)
    Source.objects.update(next_run_at=timezone.now() - timedelta(minutes=1), is_paused=True)
    assert scheduling.start_due() == 0
    services.update_source(admin, source, schedule="manual")
    source.refresh_from_db()
    assert source.next_run_at is None


@pytest.mark.django_db
def test_a_run_whose_job_is_gone_is_closed(root: Path, add: Add):
    fill(root, 1)
    source = add("folder", path=str(root))
    run = services.start_sync(source, None)
    jobs.forget(subject_ids=[source.pk])
    assert sweeping.close_abandoned_runs() == 1
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.reason
    assert counts(visit(source)) == (1, 0, 0, 0, 0)


@pytest.mark.django_db
def test_secrets_are_sealed_and_found_by_whoever_seals_anew(add: Add):
    from security.resealing import list_unreadable  # noqa: PLC0415

    source = add("feed", address="https://example.org/feed", secret="ada:opensesame-opensesame")
    source.refresh_from_db()
    assert b"opensesame" not in bytes(source.secret)
    assert list_unreadable() == []
    Source.objects.filter(pk=source.pk).update(secret=b"\x01" + bytes(40))
    assert list_unreadable() == [str(source)]
    assert "credentials" in visit(source).reason


WORKER = """
import os, sys
sys.path[:0] = [{root!r}, {root!r} + "/platform"]
from django.conf import settings
import django
settings.DATABASES["default"]["NAME"] = {database!r}
settings.FILES_ROOT = {files!r}
settings.PARLEY_SOURCE_ROOTS = [{allowed!r}]
django.setup()
from events import jobs
from knowledge.sources import taking

module, name = {stop_in!r}.split(".")
module = {{"taking": taking}}[module]
real, calls = getattr(module, name), []
def stop_here(*args, **kwargs):
    calls.append(1)
    if len(calls) == {after}:
        print("here", flush=True)
        sys.stdin.readline()
    return real(*args, **kwargs)
setattr(module, name, stop_here)
jobs.run({job!r})
print("done", flush=True)
"""


def start_worker(run: SyncRun, allowed: Path, stop_in: str, after: int) -> "subprocess.Popen[str]":
    code = WORKER.format(
        root=str(ROOT), database=connection.settings_dict["NAME"], job=str(run.job_id),
        files=str(django_settings.FILES_ROOT), allowed=str(allowed), stop_in=stop_in, after=after,
    )  # fmt: skip
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_a_killed_worker_leaves_every_item_whole_and_counted_once(
    root: Path, add: Add, handbook: Collection
):
    fill(root, 12)
    source = add("folder", path=str(root))
    run = services.start_sync(source, None)
    # Inside the transaction of the 5th item, and between the row and the end of the 9th.
    for stop_in, after, stored in (("taking.hand_over", 5, 4), ("taking.note", 5, 8)):
        worker = start_worker(run, root, stop_in, after)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "here\n"
        worker.send_signal(signal.SIGKILL)
        worker.communicate(timeout=60)
        run.refresh_from_db()
        assert (run.status, run.added) == (Status.RUNNING, stored)
        assert Document.objects.filter(collection=handbook).count() == stored
        assert SourceItem.objects.filter(source=source).count() == stored
        with connection.cursor() as cursor:  # what waiting for the end of its lease would do
            cursor.execute(
                "update events_stream set lease_until = now() - interval '1 second' where id = %s",
                [run.job_id],
            )
    run = work(run)
    assert (run.status, counts(run)) == (Status.SUCCEEDED, (12, 0, 0, 0, 0))
    assert titles(handbook) == [f"{number:03}.md" for number in range(12)]
    assert Job.objects.filter(task="knowledge.jobs.ingest_document").count() == 12
    assert counts(visit(source)) == (0, 0, 12, 0, 0)
