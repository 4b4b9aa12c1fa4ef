"""From a file to a searchable document: stages, reasons, retries, and the same bytes once."""

import os
from pathlib import Path

import pytest
from django.db import connection
from django.utils import translation

from accounts import services as accounts
from accounts.models import User
from events import jobs as event_jobs
from events.models import Job
from gateway.embedding.local import count_pieces
from knowledge import jobs, retrieval, services, storage, sweeping
from knowledge.errors import FileTooLarge, UploadRefused
from knowledge.extraction import reasons
from knowledge.ingestion.steps import STEPS
from knowledge.models import Chunk, Collection, Document, DocumentText, Embedding, Stage
from knowledge.rows import describe
from security.ids import new_id
from tests.knowledge import files
from tests.knowledge.conftest import AddText, run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db


def add_file(user: User, collection: Collection, path: Path) -> Document:
    with path.open("rb") as file:
        document, _ = services.add_document(user, collection, file, path.name)
    return run_job(document)


def statistics_of(collection: Collection) -> tuple[tuple[int, int], dict[int, int]]:
    """What is stored, and fails unless it is what the passages say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select n, sum_length from lexical_statistics where collection_id = %s", [collection.pk]
        )
        totals = cursor.fetchone() or (0, 0)
        cursor.execute("select term, df from term_df where collection_id = %s", [collection.pk])
        stored = dict(cursor.fetchall())
    chunks = list(Chunk.objects.filter(collection=collection))
    counted: dict[int, int] = {}
    for chunk in chunks:
        for term in chunk.terms:
            counted[term] = counted.get(term, 0) + 1
    assert totals == (len(chunks), sum(chunk.length for chunk in chunks))
    assert stored == counted
    return totals, stored


@pytest.mark.parametrize("name", ["pdf", "docx", "md", "html", "txt"])
def test_every_format_becomes_searchable(
    alice: User, handbook: Collection, tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"file.{name}"
    words = {"md": files.MARKDOWN, "html": files.HTML, "txt": "Leave is 25 days.\n\n年假二十五天。"}
    if name in words:
        path.write_text(words[name])
    else:
        {"pdf": files.make_pdf, "docx": files.make_docx}[name](path)
    document = add_file(alice, handbook, path)
    assert (document.status, document.reason) == (Document.Status.READY, "")
    text = DocumentText.objects.get(document=document).text
    chunks = list(document.chunks.all())
    assert document.chunk_count == len(chunks) > 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert count_pieces(chunk.text) <= 230
        assert (chunk.page is not None) == (name == "pdf")
    latin = [chunk.pk for chunk in chunks if chunk.script == Chunk.Script.LATIN]
    assert set(Embedding.objects.values_list("chunk_id", flat=True)) == set(latin)
    statistics_of(handbook)


def test_stages_are_recorded(handbook: Collection, add_text: AddText) -> None:
    document = add_text(handbook, "# Leave\n\nTwenty-five days.")
    stages = list(document.stages.all())
    assert [stage.name for stage in stages] == list(STEPS)
    assert all(stage.status == Stage.Status.DONE for stage in stages)
    assert all(stage.done == stage.total > 0 for stage in stages)
    assert all(stage.started_at and stage.finished_at for stage in stages)
    assert Job.objects.get(pk=document.job_id).status == Job.Status.SUCCEEDED


def test_a_small_document_needs_few_statements(
    alice: User, handbook: Collection, add_text: AddText, django_assert_max_num_queries
) -> None:
    add_text(handbook, "The first one makes the collection's statistics.", "first.txt")
    document, _ = services.add_document(alice, handbook, as_stream("Leave: 25 days."), "a.txt")
    with django_assert_max_num_queries(49):  # 31, the others are savepoints
        run_job(document)
    assert document.status == Document.Status.READY


def test_title_is_the_files_own_or_its_name(handbook: Collection, add_text: AddText) -> None:
    assert add_text(handbook, "# Leave policy\n\nText.", "a.md").title == "Leave policy"
    assert add_text(handbook, "Only text.", "travel rules.txt").title == "travel rules"


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (files.make_scan, "scan.pdf", reasons.NEEDS_OCR),
        (files.broken_pdf, "broken.pdf", reasons.DAMAGED),
        (files.make_zip_bomb, "bomb.docx", reasons.BOMB),
    ],
)
def test_a_bad_file_ends_as_failed_with_a_reason(
    alice: User, handbook: Collection, tmp_path: Path, make, name: str, reason: str
) -> None:
    document = add_file(alice, handbook, make(tmp_path / name))
    assert (document.status, document.reason) == (Document.Status.FAILED, reason)
    assert document.stages.get(name="extract").reason == reason
    assert document.stages.get(name="chunk").status == Stage.Status.WAITING
    job = Job.objects.get(pk=document.job_id)
    assert (job.status, job.reason) == (Job.Status.FAILED, reason)
    assert not document.chunks.exists()


def test_an_upload_that_is_refused_leaves_nothing(
    alice: User, handbook: Collection, settings
) -> None:
    settings.PARLEY_MAX_UPLOAD_MB = 1
    with pytest.raises(FileTooLarge):
        services.add_document(alice, handbook, as_stream("x" * 1_100_000), "a.txt")
    for text, name in [("", "a.txt"), ("words", "a.pdf"), ("words", "a.exe")]:
        with pytest.raises(UploadRefused):
            services.add_document(alice, handbook, as_stream(text), name)
    assert [path for path in settings.FILES_ROOT.rglob("*") if path.is_file()] == []
    assert not Document.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "C:\\temp\\a.txt", "a\0.txt", "/etc/a.txt", "..", "é" * 400]
)
def test_a_name_is_only_a_label(alice: User, handbook: Collection, settings, name: str) -> None:
    if name == "..":
        name = "...txt"
    document, _ = services.add_document(alice, handbook, as_stream("words"), name)
    stored = [path for path in settings.FILES_ROOT.rglob("*") if path.is_file()]
    assert stored == [storage.path_of(document.pk)]
    assert "/" not in document.file_name
    assert "\\" not in document.file_name


def test_the_same_bytes_are_one_document(
    alice: User, bob: User, handbook: Collection, settings
) -> None:
    first, is_new = services.add_document(alice, handbook, as_stream("words"), "a.txt")
    again, is_new_again = services.add_document(bob, handbook, as_stream("words"), "b.txt")
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert len([p for p in settings.FILES_ROOT.rglob("*") if p.is_file()]) == 1
    other = services.create_collection(alice, "Other")
    assert services.add_document(alice, other, as_stream("words"), "a.txt")[1]


def test_a_failed_document_can_be_tried_again(
    alice: User, handbook: Collection, add_text: AddText
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("Leave: 25 days."), "a.txt")
    path = storage.path_of(document.pk)
    kept = path.read_bytes()
    path.unlink()
    assert run_job(document).reason == reasons.MISSING
    path.write_bytes(kept)
    services.retry_document(document)
    assert document.status == Document.Status.QUEUED
    assert run_job(document).status == Document.Status.READY
    assert [stage.status for stage in document.stages.all()] == [Stage.Status.DONE] * len(STEPS)


def test_uploading_a_failed_document_again_tries_again(
    alice: User, handbook: Collection, tmp_path: Path
) -> None:
    path = files.make_scan(tmp_path / "scan.pdf")
    document = add_file(alice, handbook, path)
    with path.open("rb") as file:
        again, is_new = services.add_document(alice, handbook, file, "scan.pdf")
    assert (again, is_new, again.status) == (document, False, Document.Status.QUEUED)


def test_indexing_again_keeps_one_generation(handbook: Collection, add_text: AddText) -> None:
    document = add_text(handbook, "# A\n\nOne two three.\n\n# B\n\nFour five.")
    before = statistics_of(handbook)
    old = set(document.chunks.values_list("pk", flat=True))
    services.reindex_document(document)
    run_job(document)
    assert document.version == 2
    assert set(document.chunks.values_list("version", flat=True)) == {2}
    assert old.isdisjoint(document.chunks.values_list("pk", flat=True))
    assert statistics_of(handbook) == before


def test_while_a_document_is_indexed_again_its_old_passages_are_found(
    alice: User, handbook: Collection, add_text: AddText
) -> None:
    document = add_text(handbook, "The umbrella stand is beside the lift.")
    services.reindex_document(document)
    assert document.status == Document.Status.QUEUED
    assert len(retrieval.search(alice, "umbrella").passages) == 1
    storage.path_of(document.pk).unlink()
    run_job(document)
    assert document.status == Document.Status.FAILED
    assert len(retrieval.search(alice, "umbrella").passages) == 1


def test_deleting_removes_passages_statistics_and_file(
    handbook: Collection, add_text: AddText, django_capture_on_commit_callbacks
) -> None:
    kept = add_text(handbook, "Kept words stay.", "kept.txt")
    before = statistics_of(handbook)
    document = add_text(handbook, "Other words leave.", "gone.txt")
    path = storage.path_of(document.pk)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_document(document)
    assert not path.exists()
    assert storage.path_of(kept.pk).exists()
    assert statistics_of(handbook) == before
    assert not Chunk.objects.filter(document_id=document.pk).exists()


def test_deleting_a_collection_removes_everything(
    alice: User, handbook: Collection, add_text: AddText, django_capture_on_commit_callbacks
) -> None:
    path = storage.path_of(add_text(handbook, "Words.").pk)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_collection(handbook)
    assert not path.exists()
    assert not Chunk.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from term_df")
        assert cursor.fetchone() == (0,)


def test_a_document_deleted_while_it_waits_is_not_made_again(
    alice: User, handbook: Collection
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("words"), "a.txt")
    services.delete_document(document)
    event_jobs.run(str(document.job_id))
    assert not Chunk.objects.exists()


def test_a_document_whose_waiting_job_is_cancelled_can_be_tried_again(
    alice: User, handbook: Collection, api_for
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("words"), "a.txt")
    assert api_for(alice).post(f"/jobs/{document.job_id}/cancel").status_code == 202
    document.refresh_from_db()
    assert (document.status, document.reason) == (Document.Status.FAILED, jobs.CANCELLED)
    assert document.stages.get(name="fetch").reason == jobs.CANCELLED
    cancelled = document.job_id
    services.retry_document(document)
    jobs.settle_document(Job.objects.get(pk=cancelled))
    assert run_job(document).status == Document.Status.READY


def test_a_job_is_shown_to_those_who_may_see_its_document(
    alice: User, bob: User, charlie: User, handbook: Collection, api_for
) -> None:
    accounts.share(handbook, bob, "editor", by=alice)
    document, _ = services.add_document(bob, handbook, as_stream("words"), "a.txt")
    place = f"/jobs/{document.job_id}"
    assert api_for(alice).get(place).status_code == api_for(bob).get(place).status_code == 200
    assert api_for(charlie).get(place).status_code == 404
    accounts.share(handbook, bob, "reader", by=alice)
    assert api_for(bob).post(f"{place}/cancel").status_code == 403
    accounts.unshare(handbook, bob, by=alice)
    assert api_for(bob).get(place).status_code == 404
    assert api_for(bob).post(f"{place}/cancel").status_code == 404
    assert Job.objects.get(pk=document.job_id).status == Job.Status.QUEUED


def test_no_words_of_an_exception_reach_a_document(
    alice: User, handbook: Collection, settings, caplog
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("words"), "a.txt")
    Job.objects.filter(pk=document.job_id).update(max_attempts=1)
    Document.objects.filter(pk=document.pk).update(media_type="no/such-type")
    run_job(document)
    assert document.status == Document.Status.FAILED
    assert document.reason.startswith("Something went wrong; it was logged as ")
    assert document.reason.rstrip(".").rpartition(" ")[2] in caplog.text
    with translation.override("zh-hans"):
        shown = describe(document).detail
    assert "Something" not in shown
    assert document.reason.rstrip(".").rpartition(" ")[2] in shown


def test_a_document_whose_worker_died_too_often_is_closed(
    alice: User, handbook: Collection
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("words"), "a.txt")
    assert sweeping.close_abandoned_documents() == 0
    Job.objects.filter(pk=document.job_id).update(
        status=Job.Status.FAILED, reason="The worker died.", finished_at=document.created_at
    )
    assert sweeping.close_abandoned_documents() == 1
    document.refresh_from_db()
    assert (document.status, document.reason) == (Document.Status.FAILED, "The worker died.")


def test_weights_follow_the_average_length(
    alice: User, handbook: Collection, add_text: AddText
) -> None:
    short = add_text(handbook, "Leave.", "short.txt")
    weight = short.chunks.get().bm25
    add_text(
        handbook, "\n\n".join(f"Word{n} and some more of them here." for n in range(9)), "b.md"
    )
    job = Job.objects.get(task=jobs.REWEIGH)
    event_jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == Job.Status.SUCCEEDED
    assert max(short.chunks.get().bm25.values()) > max(weight.values())


def test_files_without_a_row_are_removed_when_they_are_old(
    alice: User, handbook: Collection, settings
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("words"), "a.txt")
    orphan, fresh = new_id(), new_id()
    for document_id in (orphan, fresh):
        storage.store(document_id, as_stream("left"))
    for document_id in (orphan, document.pk):
        os.utime(storage.path_of(document_id), (1, 1))
    assert sweeping.remove_orphaned_files() == 1
    assert not storage.path_of(orphan).exists()
    assert storage.path_of(fresh).exists()
    assert storage.path_of(document.pk).exists()
