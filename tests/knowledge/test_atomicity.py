"""Real processes: a killed worker leaves the old passages or the new ones, never a mixture."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client

from accounts import tokens
from accounts.models import User
from events.leases import LEASE_SECONDS
from events.models import Job, Stream
from knowledge import retrieval, services, storage
from knowledge.models import Chunk, Collection, Document, Embedding
from tests.knowledge.conftest import run_job
from tests.knowledge.files import as_stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import os, sys
sys.path[:0] = [{root!r}, {root!r} + "/platform"]
from django.conf import settings
import django
settings.DATABASES["default"]["NAME"] = {database!r}
settings.FILES_ROOT = {files!r}
django.setup()
from events import jobs
from knowledge import indexing

kill_before = {kill_before!r}
if kill_before:
    module = jobs if hasattr(jobs, kill_before) else indexing
    real = getattr(module, kill_before)
    def stop_here(*args, **kwargs):
        print("here", flush=True)
        sys.stdin.readline()
        return real(*args, **kwargs)
    setattr(module, kill_before, stop_here)
jobs.run({job!r})
print("done", flush=True)
"""


def start_worker(document: Document, kill_before: str = "") -> "subprocess.Popen[str]":
    """A worker of its own that runs the document's job, stopping before one step of the swap."""
    code = WORKER.format(
        root=str(ROOT),
        database=connection.settings_dict["NAME"],
        files=str(django_settings.FILES_ROOT),
        kill_before=kill_before,
        job=str(document.job_id),
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(worker: "subprocess.Popen[str]") -> None:
    worker.communicate(timeout=60)


def let_lease_expire(document: Document) -> None:
    """What waiting for the lease's 30 seconds would do."""
    assert LEASE_SECONDS > 0
    with connection.cursor() as cursor:
        cursor.execute(
            "update events_stream set lease_until = now() - interval '1 second' where id = %s",
            [document.job_id],
        )
    assert Stream.objects.get(pk=document.job_id).state == Stream.State.RUNNING


def texts(document: Document) -> list[str]:
    return list(document.chunks.order_by("position").values_list("text", flat=True))


@pytest.fixture
def collection(alice: User) -> Collection:
    return services.create_collection(alice, "Handbook")


STEPS = ["copy_embeddings", "_save_document"]


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_leaves_the_old_passages(
    alice: User, collection: Collection, step: str
) -> None:
    document, _ = services.add_document(alice, collection, as_stream("# A\n\nOld words."), "a.md")
    run_job(document)
    assert texts(document) == ["Old words."]
    storage.path_of(document.pk).write_text("# A\n\nNew words.\n\n# B\n\nMore new words.")
    services.reindex_document(document)
    worker = start_worker(document, kill_before=step)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "here\n"
    worker.send_signal(signal.SIGKILL)
    finish(worker)
    document.refresh_from_db()
    assert (texts(document), document.version) == (["Old words."], 1)
    assert Embedding.objects.count() == 1
    assert [p.text for p in retrieval.search(alice, "words").passages] == ["Old words."]
    let_lease_expire(document)
    run_job(document)
    assert (document.status, document.version) == (Document.Status.READY, 2)
    assert texts(document) == ["New words.", "More new words."]
    assert Embedding.objects.count() == Chunk.objects.count() == 2


def test_f04_a_worker_killed_between_the_swap_and_its_jobs_end_has_done_it_once(
    alice: User, collection: Collection
) -> None:
    document, _ = services.add_document(alice, collection, as_stream("# A\n\nOne."), "a.md")
    worker = start_worker(document, kill_before="_finish")
    assert worker.stdout is not None
    assert worker.stdout.readline() == "here\n"
    worker.send_signal(signal.SIGKILL)
    finish(worker)
    kept = list(document.chunks.values_list("pk", flat=True))
    assert len(kept) == 1
    let_lease_expire(document)
    run_job(document)
    assert (document.status, document.version) == (Document.Status.READY, 1)
    assert list(document.chunks.values_list("pk", flat=True)) == kept
    assert Job.objects.get(pk=document.job_id).status == Job.Status.SUCCEEDED


def test_a_worker_that_lost_its_lease_writes_nothing(alice: User, collection: Collection) -> None:
    document, _ = services.add_document(alice, collection, as_stream("# A\n\nOne."), "a.md")
    worker = start_worker(document, kill_before="replace_chunks")
    assert worker.stdout is not None
    assert worker.stdin is not None
    assert worker.stdout.readline() == "here\n"
    let_lease_expire(document)
    run_job(document)
    assert (document.status, document.version) == (Document.Status.READY, 1)
    kept = list(document.chunks.values_list("pk", flat=True))
    worker.stdin.write("\n")
    finish(worker)
    document.refresh_from_db()
    assert document.version == 1
    assert list(document.chunks.values_list("pk", flat=True)) == kept


def in_threads(count: int, work) -> list:
    """Run `work(n)` at the same moment in many threads; what they returned, in order."""
    together = threading.Barrier(count)
    results: list = [None] * count

    def run(n: int) -> None:
        together.wait()
        try:
            results[n] = work(n)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[n]) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_same_bytes_at_the_same_moment_are_one_document(
    alice: User, collection: Collection
) -> None:
    def upload(n: int) -> tuple[Document, bool]:
        return services.add_document(alice, collection, as_stream("same bytes"), f"{n}.txt")

    found = in_threads(8, upload)
    assert len({document.pk for document, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1
    files = [path for path in Path(django_settings.FILES_ROOT).rglob("*") if path.is_file()]
    assert files == [storage.path_of(found[0][0].pk)]


def test_f24_one_upload_sent_twenty_times_at_once_is_one_document(
    alice: User, collection: Collection
) -> None:
    """Through the API, as a program with a bad network does it."""
    bearer = {"Authorization": f"Bearer {tokens.issue(alice, 'laptop')[1]}"}

    def upload(_n: int) -> tuple[int, str, bool]:
        file = SimpleUploadedFile("a.txt", b"the same words")
        place = f"/api/v1/collections/{collection.pk}/documents"
        response = Client().post(place, {"file": file}, headers=bearer)
        return response.status_code, response.json()["id"], response.json()["is_new"]

    found = in_threads(20, upload)
    assert {status for status, _, _ in found} == {202}
    assert len({pk for _, pk, _ in found}) == 1
    assert sum(is_new for _, _, is_new in found) == 1
    assert Document.objects.count() == Job.objects.count() == 1
    files = [path for path in Path(django_settings.FILES_ROOT).rglob("*") if path.is_file()]
    assert files == [storage.path_of(Document.objects.get().pk)]


def test_documents_indexed_at_once_do_not_deadlock_and_count_right(
    alice: User, collection: Collection
) -> None:
    words = ["leave", "travel", "coffee", "badge", "server", "budget"]
    documents = [
        services.add_document(
            alice,
            collection,
            as_stream(f"# {n}\n\n" + " ".join(words[n:] + words[:n]) + f" number{n}"),
            f"{n}.md",
        )[0]
        for n in range(6)
    ]
    in_threads(6, lambda n: run_job(documents[n]))
    assert {document.status for document in documents} == {Document.Status.READY}
    with connection.cursor() as cursor:
        cursor.execute("select n, sum_length from lexical_statistics")
        totals = cursor.fetchone()
        cursor.execute("select max(df), count(*) from term_df")
        assert cursor.fetchone() == (6, 6 + 12)
    assert totals == (6, sum(Chunk.objects.values_list("length", flat=True)))


def test_a_deleted_document_stays_deleted_while_its_worker_runs(
    alice: User, collection: Collection
) -> None:
    document, _ = services.add_document(alice, collection, as_stream("# A\n\nOne."), "a.md")
    worker = start_worker(document, kill_before="replace_chunks")
    assert worker.stdout is not None
    assert worker.stdin is not None
    assert worker.stdout.readline() == "here\n"
    services.delete_document(document)
    worker.stdin.write("\n")
    finish(worker)
    assert not Chunk.objects.exists()
    assert not Document.objects.exists()
