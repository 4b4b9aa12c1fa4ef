import threading

import django_rq
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from psycopg import sql

from events import context as context_module
from events import jobs, leases, log, ringing
from events.models import Event, Job, Stream
from security.ids import new_id

from .test_leases import expire

HERE = "tests.events.test_jobs."
seen: list = []


def succeed(context, number):
    context.progress("count", 1, 3)
    seen.append((context.attempt, number))
    context.progress("count", 3, 3)


def give_up(context):
    raise jobs.JobFailed("This file has no text.")


def crash(context):
    raise ValueError("a bug in /srv/secret: select * from accounts_user")


def settle(job):
    import_string(HERE + "seen").append((job.status, job.reason))


@jobs.settled_by(settle)
def crash_and_settle(context):
    crash(context)


def cancel_itself(context):
    jobs.request_cancel(context.job.pk)
    context.check()
    raise AssertionError("went on after being cancelled")


def lose_postgres(context):
    """All its connections are cut, and there are no new ones until two attempts have failed."""
    parameters = {**connection.get_connection_params(), "dbname": "postgres"}
    parameters.pop("cursor_factory", None)
    operator = psycopg.connect(**parameters, autocommit=True)
    name = sql.Identifier(connection.settings_dict["NAME"])
    operator.execute(sql.SQL("alter database {} allow_connections false").format(name))
    operator.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
        [connection.settings_dict["NAME"]],
    )

    def come_back():
        operator.execute(sql.SQL("alter database {} allow_connections true").format(name))
        operator.close()

    threading.Timer(2.0, come_back).start()
    context.check()
    raise AssertionError("went on without Postgres")


def lose_lease(context):
    expire(context.job.pk)
    leases.claim_one(context.job.pk, "thief")
    context.check()
    raise AssertionError("went on without a lease")


@pytest.fixture
def enqueue(db, monkeypatch):
    monkeypatch.syspath_prepend(".")
    seen.clear()
    for name in settings.RQ_QUEUES:  # earlier tests rang for jobs whose rows are gone
        django_rq.get_queue(name).empty()

    def enqueue(name, arguments=None, **options):
        return jobs.enqueue(HERE + name, arguments or {}, **options)

    return enqueue


def run(job):
    jobs.run(str(job.pk))
    job.refresh_from_db()
    return job


def kinds(job):
    return list(Event.objects.filter(stream=job.pk).order_by("seq").values_list("kind", flat=True))


def test_a_job_runs_once_with_progress(enqueue):
    # The task is found by its dotted path, so it may live in another import of this module.
    module_seen = import_string(HERE + "seen")
    module_seen.clear()
    job = run(enqueue("succeed", {"number": 7}))
    assert (job.status, job.stage, job.done, job.total) == ("succeeded", "count", 3, 3)
    assert job.finished_at is not None
    assert kinds(job) == ["job_started", "job_progress", "job_progress", "job_succeeded"]
    assert log.read(job.pk, 0).is_closed
    run(job)
    assert module_seen == [(1, 7)]


def test_a_job_that_says_why_fails_at_once(enqueue):
    job = run(enqueue("give_up"))
    assert (job.status, job.reason) == ("failed", "This file has no text.")
    assert kinds(job) == ["job_started", "job_failed"]


def test_a_crashing_job_is_tried_again_later_and_then_fails(enqueue, caplog):
    job = run(enqueue("crash", max_attempts=2))
    assert job.status == "queued"
    assert job.ring_after is not None
    assert ringing.ring_waiting_jobs() == 0
    job = run(job)
    assert job.status == "failed"
    assert kinds(job) == ["job_started", "job_retried", "job_started", "job_failed"]
    told = f"{job.reason} {list(Event.objects.values_list('payload', flat=True))}"
    assert not [word for word in ("a bug", "/srv", "select", "ValueError") if word in told]
    incident = job.reason.removeprefix("Something went wrong; it was logged as ").rstrip(".")
    assert len(incident) == 8
    assert f"incident {incident}" in caplog.text


def test_what_a_job_worked_on_follows_it(enqueue):
    module_seen = import_string(HERE + "seen")
    module_seen.clear()
    failed = run(enqueue("crash_and_settle", max_attempts=1))
    jobs.request_cancel(enqueue("crash_and_settle").pk)
    retried = run(enqueue("crash_and_settle"))
    assert retried.status == "queued"
    assert module_seen == [("failed", failed.reason), ("cancelled", "")]
    jobs.request_cancel(enqueue("not_there_any_more").pk)


def test_a_worker_that_dies_every_time_fails_the_job(enqueue):
    job = enqueue("succeed", {"number": 1}, max_attempts=2)
    for _ in range(2):
        assert leases.claim_one(job.pk, "dies")
        expire(job.pk)
    job = run(job)
    assert job.status == "failed"
    assert "died" in job.reason


def test_cancelling(enqueue):
    waiting = enqueue("succeed", {"number": 1})
    jobs.request_cancel(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    assert run(enqueue("cancel_itself")).status == "cancelled"
    jobs.request_cancel(new_id())


def test_a_job_without_its_lease_changes_nothing(enqueue):
    job = run(enqueue("lose_lease"))
    assert job.status == "running"
    assert Stream.objects.get(pk=job.pk).holder == "thief"


def test_a_worker_told_to_stop_hands_its_job_back(enqueue, monkeypatch):
    monkeypatch.setattr(context_module, "is_draining", lambda: True)
    job = run(enqueue("succeed", {"number": 1}))
    assert job.status == "queued"
    assert kinds(job) == ["job_started", "job_handed_back"]
    assert Stream.objects.get(pk=job.pk).attempts == 0
    assert ringing.ring_waiting_jobs() == 1


def test_the_sweeper_rings_what_nobody_heard(enqueue):
    job = enqueue("succeed", {"number": 1})
    assert ringing.ring_waiting_jobs() == 0
    Job.objects.filter(pk=job.pk).update(ring_after=Now())
    assert ringing.ring_waiting_jobs() == 1
    assert ringing.ring_waiting_jobs() == 0


def test_a_heartbeat_notices_a_lost_lease(transactional_db):
    stream = leases.open_stream(new_id(), "job")
    claim = leases.claim_one(stream.id, "a")
    with jobs.Heartbeat(claim, lease=0.03) as heartbeat:
        Stream.objects.filter(pk=stream.id).update(fence=9)
        heartbeat.lost.wait(10)
    assert heartbeat.is_lost


@pytest.mark.django_db(transaction=True)
def test_f08_a_job_that_loses_postgres_is_put_back_as_soon_as_it_is_there_again(enqueue):
    """Its row says so at once; nobody waits for its lease to run out."""
    job = run(enqueue("lose_postgres"))
    assert job.status == "queued"
    assert kinds(job)[-1] == "job_retried"
    assert Stream.objects.get(pk=job.pk).state == "queued"
