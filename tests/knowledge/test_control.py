"""Pause, go on, stop, first and anew: what becomes of documents, and what their jobs do."""

import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.models import User
from events import jobs as event_jobs
from events.models import Job
from knowledge import control, jobs, retrieval, services
from knowledge.control import Order, give
from knowledge.ingestion import pipeline
from knowledge.job_card import find_card
from knowledge.models import Collection, Document
from tests.knowledge.conftest import AddText, run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(alice: User, handbook: Collection) -> list[Document]:
    return [
        services.add_document(alice, handbook, as_stream(f"Number {n} waits."), f"{n}.txt")[0]
        for n in range(3)
    ]


def fresh(documents: list[Document]) -> list[str]:
    for document in documents:
        document.refresh_from_db()
    return [document.status for document in documents]


def run_all() -> None:
    for pk in list(
        Job.objects.filter(finished_at=None).order_by("created_at").values_list("pk", flat=True)
    ):
        event_jobs.run(str(pk))


def test_some_are_paused_and_go_on(handbook: Collection, waiting: list[Document]):
    first = waiting[0]
    assert give(handbook, Order.PAUSE, [first.pk]) == 1
    run_all()
    assert fresh(waiting) == ["paused", "ready", "ready"]
    assert find_card(handbook).paused == 1
    assert give(handbook, Order.RESUME, [first.pk]) == 1
    run_all()
    assert fresh(waiting) == ["ready"] * 3


def test_a_collection_is_paused_with_what_comes_later(
    alice: User, handbook: Collection, waiting: list[Document]
):
    assert give(handbook, Order.PAUSE) == 3
    handbook.refresh_from_db()
    late, _ = services.add_document(alice, handbook, as_stream("Late."), "late.txt")
    run_all()
    assert fresh([*waiting, late]) == ["paused"] * 4
    assert not Job.objects.filter(finished_at=None).exists()
    assert give(handbook, Order.RESUME) == 4
    run_all()  # the job that queues them
    run_all()
    assert fresh([*waiting, late]) == ["ready"] * 4


def test_what_is_in_work_stops_where_it_is(
    handbook: Collection, waiting: list[Document], monkeypatch
):
    document = waiting[0]
    real = pipeline.embed_drafts

    def paused_meanwhile(*args, **more):
        give(handbook, Order.PAUSE, [document.pk])
        return real(*args, **more)

    monkeypatch.setattr(pipeline, "embed_drafts", paused_meanwhile)
    job = document.job_id
    run_job(document)
    assert (document.status, document.chunk_count, document.job_id) == ("paused", 0, None)
    assert Job.objects.get(pk=job).status == Job.Status.CANCELLED


def test_stopping_keeps_what_is_searched_and_fails_what_never_was(
    alice: User, handbook: Collection, waiting: list[Document], add_text: AddText
):
    known = add_text(handbook, "The umbrella stand is beside the lift.", "known.txt")
    services.put_document(handbook, as_stream("Other words."), "known.txt", document=known)
    assert give(handbook, Order.CANCEL) == 4
    run_all()
    assert fresh([*waiting, known]) == ["failed"] * 3 + ["ready"]
    assert {document.reason for document in waiting} == {control.CANCELLED}
    assert known.versions.get().reason == jobs.CANCELLED
    assert len(retrieval.search(alice, "umbrella").passages) == 1
    card = find_card(handbook)
    assert (card.failed, card.done, card.is_active) == (3, 1, False)
    assert len(card.problems) == 4
    services.retry_document(waiting[0])
    run_all()
    assert fresh(waiting[:1]) == ["ready"]


def test_first_is_rung_first(
    handbook: Collection, waiting: list[Document], monkeypatch, django_capture_on_commit_callbacks
):
    rung: list[str] = []
    monkeypatch.setattr(
        "events.ringing.ring", lambda job_id, _queue, is_late=False: rung.append((job_id, is_late))
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert give(handbook, Order.FIRST, [waiting[1].pk, waiting[2].pk]) == 2
    # The one that is to be next is put in front last.
    assert rung == [(str(waiting[2].job_id), True), (str(waiting[1].job_id), True)]
    due = list(Job.objects.order_by("ring_after").values_list("pk", flat=True))
    assert due[-1] == waiting[0].job_id


def test_a_whole_collection_is_indexed_again(
    handbook: Collection, waiting: list[Document], monkeypatch
):
    run_all()
    monkeypatch.setattr(control, "AT_ONCE", 1)
    before = {row.pk: row.version for row in handbook.documents.all()}
    assert give(handbook, Order.REFRESH) == 3
    run_all()
    run_all()
    assert {row.pk: row.version for row in handbook.documents.all()} == before
    assert give(handbook, Order.REBUILD) == 3
    run_all()
    run_all()
    assert all(row.version == before[row.pk] + 1 for row in handbook.documents.all())
    assert fresh(waiting) == ["ready"] * 3


def test_people_and_programs_give_orders_and_see_the_card(
    alice: User, bob: User, handbook: Collection, waiting: list[Document], api_for, client
):
    api, place = api_for(alice), f"/collections/{handbook.pk}/indexing"
    assert api.get(place).json()["waiting"] == 3
    ordered = api.post(place, {"order": "pause"})
    assert (ordered.status_code, ordered.json()) == (202, {"documents": 3})
    told = api.get(place).json()
    assert (told["paused"], told["is_paused"], told["waiting"]) == (3, True, 0)
    assert api.post(place, {"order": "dance"}).status_code == 422
    assert api_for(bob).post(place, {"order": "pause"}).status_code == 404
    client.force_login(alice)
    page = client.get(f"/knowledge/{handbook.pk}/").content.decode()
    assert "Indexing is paused" in page
    client.post(f"/knowledge/{handbook.pk}/order", {"order": "resume"})
    run_all()
    client.post(f"/knowledge/{handbook.pk}/order", {"order": "cancel"})
    assert "could not be indexed" in client.get(f"/knowledge/{handbook.pk}/").content.decode()
    one = client.post(f"/knowledge/documents/{waiting[0].pk}/order", {"order": "first"})
    assert one.status_code == 302
    assert client.post(f"/knowledge/{handbook.pk}/order", {"order": "no"}).status_code == 400


def test_the_terminal_shows_the_card_and_gives_orders(
    handbook: Collection, waiting: list[Document], capsys
):
    call_command("indexing", "Handbook")
    assert "waiting        3" in capsys.readouterr().out
    call_command("indexing", str(handbook.pk), "pause")
    told = capsys.readouterr().out
    assert "3 documents are paused." in told
    assert "the whole collection is paused" in told
    assert fresh(waiting) == ["paused"] * 3
    with pytest.raises(CommandError, match="no collection"):
        call_command("indexing", "Nothing")


@pytest.mark.django_db(transaction=True)
def test_the_terminal_stays_until_nothing_waits(alice, handbook, capsys) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("Twenty days."), "leave.md")

    def work() -> None:
        try:
            time.sleep(0.5)
            run_job(document)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    call_command("indexing", "Handbook", watch=True)
    worker.join()
    assert "done           1" in capsys.readouterr().out
