"""Workers killed, poisoned and told to stop: each document whole, each job done or honestly failed.

Real `manage.py worker` processes. Leases are not waited for: `time_passes` does to the rows what
thirty seconds would.
"""

import contextlib
import random
import signal
import threading
import time

import django_rq
import pytest
from django.db import connection, connections

from embedded.children import Child
from embedded.supervisor import Supervisor
from events import jobs, ringing
from events.models import Job, Stream
from gateway.embedding.local import local_embedder
from knowledge import retrieval, services, storage
from knowledge.models import Document
from tests.knowledge.conftest import run_job
from tests.knowledge.files import as_stream
from tests.support.processes import Processes
from tests.support.tasks import HERE

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]

SECTIONS = 4


@pytest.fixture(autouse=True)
def _model_is_there():
    local_embedder().embed(["warm"])
    django_rq.get_queue("default").empty()


@pytest.fixture
def processes():
    found = Processes()
    yield found
    found.end()


def until(true, seconds=120, *, meanwhile=lambda: None):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        meanwhile()
        time.sleep(0.02)


def time_passes():
    """Leases of dead workers run out, pauses end, and the clock rings."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update events_stream set lease_until = now() - interval '1 s'"
            " where kind = 'job' and state = 'running'"
        )
        cursor.execute("update events_job set ring_after = now() where finished_at is null")
    ringing.ring_waiting_jobs()


def is_at_work(job):
    return lambda: Job.objects.filter(pk=job.pk, stage="here", status="running").exists()


def text_of(number, word):
    parts = [f"# Part {n}\n\nDocument {number} says {word} in part {n}." for n in range(SECTIONS)]
    return "\n\n".join(parts)


# -- Fault 32 --------------------------------------------------------------------------------------


class Reader(threading.Thread):
    """Looks at the index all the time, and keeps what should never be seen."""

    def __init__(self, user):
        super().__init__()
        self.user = user
        self.looks = 0
        self.problems = []
        self.is_over = threading.Event()

    def run(self):
        try:
            while not self.is_over.wait(0.02):
                self.look()
                self.looks += 1
        finally:
            connections.close_all()

    def look(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "select c.document_id, count(*), count(e.id), count(distinct c.version),"
                "       count(distinct substring(c.text from 'says (\\w+)'))"
                " from knowledge_chunk c left join knowledge_embedding e on e.chunk_id = c.id"
                " group by c.document_id"
            )
            whole = (SECTIONS, SECTIONS, 1, 1)
            self.problems += [row for row in cursor.fetchall() if row[1:] != whole]
        found = retrieval.search(self.user, "says part", limit=50).passages
        keys = [(p.document_id, p.text.partition(" in part ")[2]) for p in found]
        self.problems += [key for key in set(keys) if keys.count(key) > 1]


def kill_workers_during(processes, alice, documents, kills, seed):
    """Index many documents, every other one in its second version, while workers are killed."""
    chance = random.Random(seed)
    shelf = services.create_collection(alice, "Shelf")
    rows = []
    for number in range(documents):
        stream = as_stream(text_of(number, "one"))
        row, _ = services.add_document(alice, shelf, stream, f"{number}.md")
        if number % 2:
            run_job(row)
            stream = as_stream(text_of(number, "two"))
            services.put_document(shelf, stream, f"{number}.md", document=row)
        rows.append(row)
    Job.objects.update(max_attempts=kills + 1)  # the same one may be hit every time
    open_jobs = Job.objects.filter(finished_at=None)
    reader = Reader(alice)
    reader.start()
    try:
        share = documents // (kills + 1)
        for _ in range(kills):
            left = open_jobs.count() - chance.randint(1, max(share, 1))
            worker = processes.start("worker")
            until(lambda left=left: open_jobs.count() <= max(left, 1))
            time.sleep(chance.random() * 0.1)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            time_passes()
        processes.start("worker")
        until(lambda: not open_jobs.exists(), seconds=240, meanwhile=ringing.ring_waiting_jobs)
    finally:
        reader.is_over.set()
        reader.join()
    assert reader.looks > kills
    assert reader.problems == []
    for number, row in enumerate(rows):
        row.refresh_from_db()
        assert (row.status, row.reason) == (Document.Status.READY, "")
        assert row.version == (2 if number % 2 else 1)
        word = "two" if number % 2 else "one"
        texts = list(row.chunks.order_by("position").values_list("text", flat=True))
        assert len(texts) == SECTIONS
        assert all(f"Document {number} says {word}" in text for text in texts)
        assert row.version_number == row.version
        past = [(old.state, "says one" in old.extracted.text) for old in row.versions.all()]
        assert past == [("past", True)] * (number % 2)
        assert storage.path_of(row.stored_id).read_text() == text_of(number, word)
    with connection.cursor() as cursor:
        cursor.execute("select n from lexical_statistics")
        assert cursor.fetchone() == (documents * SECTIONS,)


def test_f32_workers_killed_at_random_leave_every_document_whole(processes, alice):
    kill_workers_during(processes, alice, documents=30, kills=3, seed=32)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_f32_a_thousand_documents(processes, alice):
    kill_workers_during(processes, alice, documents=1000, kills=25, seed=1000)


# -- Fault 28 --------------------------------------------------------------------------------------


def test_f28_a_worker_told_to_stop_hands_its_job_back(processes, tmp_path):
    """One that listens at once, one that does not with the second signal; neither is counted."""
    for name, signals in (("listen", 1), ("sleep", 2)):
        worker = processes.start("worker")
        job = jobs.enqueue(HERE + name, {})
        until(is_at_work(job))
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        if signals > 1:
            time.sleep(1.1)  # rq takes a second signal within a second for the first one
            worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert time.monotonic() - began < 15
        job.refresh_from_db()
        stream = Stream.objects.get(pk=job.pk)
        assert (job.status, stream.state, stream.attempts) == ("queued", "queued", 0)
        Job.objects.filter(pk=job.pk).update(
            task=HERE + "note", arguments={"path": str(tmp_path / name)}
        )
    processes.start("worker")
    time_passes()
    until(lambda: not Job.objects.filter(finished_at=None).exists())
    assert [len((tmp_path / name).read_text().split()) for name in ("listen", "sleep")] == [1, 1]


@pytest.mark.chaos
def test_f28_one_signal_is_enough_within_thirty_seconds(processes):
    worker = processes.start("worker")
    job = jobs.enqueue(HERE + "sleep", {})
    until(is_at_work(job))
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)
    assert time.monotonic() - began < 30
    assert Stream.objects.get(pk=job.pk).state == "queued"


# -- Fault 29 --------------------------------------------------------------------------------------


@contextlib.contextmanager
def supervised_worker(processes, monkeypatch, *arguments):
    """A worker as `up` runs it: started again whenever it dies."""
    for name, value in processes.environment.items():
        monkeypatch.setenv(name, value)
    child = Child("worker", ["worker", *arguments])
    supervisor = Supervisor([child], ("127.0.0.1", 9), [])
    supervisor.is_ready = True
    thread = threading.Thread(target=supervisor.run, args=[lambda: None, lambda: None])
    thread.start()
    try:
        yield child
    finally:
        supervisor.request_stop()
        supervisor.request_stop()
        thread.join(60)
        assert not thread.is_alive()


def poison(processes, monkeypatch, tmp_path, *names, stall="3"):
    """Each poison gets its three attempts and a reason; jobs beside it are done, once."""
    notes = tmp_path / "notes"
    with supervised_worker(processes, monkeypatch, "--stall", stall) as child:
        bad = [jobs.enqueue(HERE + name, {}) for name in names]
        good = [jobs.enqueue(HERE + "note", {"path": str(notes)}) for _ in range(3)]
        # Leases of a worker that lives are renewed: only those of the dead run out here.
        until(
            lambda: not Job.objects.filter(finished_at=None).exists(),
            seconds=240,
            meanwhile=lambda: _bury(child),
        )
        until(child.is_running)
    for job in bad:
        job.refresh_from_db()
        assert (job.status, Stream.objects.get(pk=job.pk).attempts) == ("failed", 4)
        assert job.reason == "The worker died while running this, 3 times."
    assert sorted(notes.read_text().split()) == sorted(str(job.pk) for job in good)


def _bury(child):
    child.back_off.failures = 0
    if not child.is_running():
        time_passes()


def test_f29_a_job_that_crashes_its_worker_is_dead_after_three(processes, monkeypatch, tmp_path):
    poison(processes, monkeypatch, tmp_path, "segfault")


@pytest.mark.chaos
def test_f29_every_poison(processes, monkeypatch, tmp_path):
    names = ("run_out_of_memory", "hang_in_c", "segfault", "sleep")
    poison(processes, monkeypatch, tmp_path, *names)
