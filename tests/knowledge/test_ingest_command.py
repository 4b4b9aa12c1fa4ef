"""`manage.py ingest`: folders, refusals, waiting, and what it says when nothing runs."""

import io
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from accounts.models import User
from events import jobs
from events.models import Job
from knowledge import services
from knowledge.models import Collection, Document
from observability import heartbeats


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "docs" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "docs" / "leave.md").write_text("# Leave policy\n\nTwenty-five days.")
    (inner / "travel.txt").write_text("出差住宿标准为每晚五百元。")
    (inner / "picture.png").write_bytes(b"\x89PNG")
    (inner / ".hidden.md").write_text("hidden")
    return tmp_path / "docs"


def ingest(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("ingest", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_a_folder_is_queued(admin: User, folder: Path) -> None:
    out, err = ingest(str(folder), "--collection", "Docs")
    assert "2 documents are queued" in out
    assert "No worker is running" in err
    assert "Left out, of types that are not read: .png (1)." in err
    collection = Collection.objects.get(name="Docs", owner=admin)
    assert set(collection.documents.values_list("file_name", flat=True)) == {
        "leave.md",
        "travel.txt",
    }
    assert collection.documents.filter(added_by=admin).count() == 2


@pytest.mark.django_db
def test_a_name_that_is_no_text_stops_nothing(admin: User, folder: Path) -> None:
    (folder / os.fsdecode(b"bad\xffname.txt")).write_text("Kept.")
    (folder / os.fsdecode(b"no\xffpdf.pdf")).write_text("words")
    out, err = ingest(str(folder), "--collection", "Docs")
    assert "3 documents are queued" in out
    assert "no\ufffdpdf.pdf: " in err
    assert Document.objects.filter(file_name="bad\ufffdname.txt", title="bad\ufffdname").exists()
    with pytest.raises(CommandError, match="no\ufffdfile"):
        ingest(os.fsdecode(b"/no\xfffile"), "--collection", "Docs")


@pytest.mark.django_db
def test_it_acts_for_the_person_named(admin: User, alice: User, folder: Path) -> None:
    mine = services.create_collection(alice, "Docs")
    ingest(str(folder / "leave.md"), "--collection", "Docs", "--as", "ALICE@example.org")
    assert mine.documents.get().added_by == alice
    assert Collection.objects.filter(name="Docs").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/file", "--collection", "A"], "does not exist"),
        ([".", "--collection", " "], "needs a name"),
        (["{folder}/deep/picture.png", "--collection", "A"], "No file was taken"),
        (["{folder}", "--collection", "A", "--as", "nobody@example.org"], "Nobody here"),
        (["{folder}", "--collection", "A", "--wait"], "No worker is running"),
    ],
)
def test_mistakes_are_one_clear_line(
    admin: User, folder: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        ingest(*(argument.format(folder=folder) for argument in arguments))


@pytest.mark.django_db
def test_without_an_administrator_it_says_so(folder: Path) -> None:
    with pytest.raises(CommandError, match="make up"):
        ingest(str(folder), "--collection", "A")


@pytest.fixture
def worker() -> Iterator[None]:
    """Runs every queued job in a thread, and says that a worker is alive."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            heartbeats.beat("worker")
            for job in Job.objects.filter(status=Job.Status.QUEUED):
                jobs.run(str(job.pk))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 10
    while not heartbeats.seen("worker") and time.monotonic() < deadline:
        stop.wait(0.01)
    yield
    stop.set()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_when_all_are_ready(admin: User, folder: Path, worker: None) -> None:
    out, _ = ingest(str(folder), "--collection", "Docs", "--wait")
    assert "2 of 2 are ready" in out
    assert set(Document.objects.values_list("status", flat=True)) == {"ready"}


@pytest.mark.django_db(transaction=True)
def test_waiting_fails_when_one_file_is_bad(admin: User, folder: Path, worker: None) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    (folder / "no.pdf").write_bytes(b"words")
    (folder / "deep" / "copy.md").write_bytes((folder / "leave.md").read_bytes())
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("ingest", str(folder), "--collection", "D", "--wait", stdout=out, stderr=err)
    assert left.value.code == 1
    told = "2 of 5 are ready in “D”; 1 failed, 1 refused, 1 the same as others."
    assert told in out.getvalue()  # every file is accounted for
    assert f"{folder / 'broken.pdf'}: This file is damaged" in err.getvalue()


@pytest.mark.django_db
def test_a_collection_that_is_paused_is_said_instead_of_waited_for(admin, folder, monkeypatch):
    collection = services.create_collection(admin, "Docs")
    Collection.objects.filter(pk=collection.pk).update(paused_at=timezone.now())
    _out, err = ingest(str(folder), "--collection", "Docs")
    assert "is paused: 2 documents wait" in err
    monkeypatch.setattr(heartbeats, "seen", lambda _name: ["worker"])
    with pytest.raises(CommandError, match="is paused: 2 documents wait"):
        ingest(str(folder), "--collection", "Docs", "--wait")
