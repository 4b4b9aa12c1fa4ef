"""New bytes of a document: what is searched, what is kept, what is quoted, and what comes back."""

import base64
import io

import pytest
from django.test import Client

from accounts.models import Grant, User
from accounts.services import share
from knowledge import bulk, retrieval, services, storage, sweeping
from knowledge.curation.documents import Wanted, list_wanted
from knowledge.document_versions.history import find_text, list_versions
from knowledge.document_versions.putting import Outcome, put_document
from knowledge.document_versions.restoring import restore_version
from knowledge.excerpts import find_excerpt
from knowledge.extraction import reasons
from knowledge.ingestion import pipeline
from knowledge.kept import pack, unpack
from knowledge.models import Collection, Document, DocumentText, DocumentVersion, Figure, Stage
from knowledge.queueing import reindex_document, retry_document
from knowledge.types import Block, BlockKind, Extracted, Mark
from tests.knowledge import files
from tests.knowledge.conftest import AddText, run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db

OLD = "# Lift\n\nThe umbrella stand is beside the lift."
NEW = "# Stairs\n\nThe umbrella stand is below the stairs."


@pytest.fixture
def stand(handbook: Collection, add_text: AddText) -> Document:
    return add_text(handbook, OLD, "stand.md")


def put(document: Document, text: str, **more):
    found = put_document(
        document.collection, as_stream(text), "stand.md", document=document, **more
    )
    document.refresh_from_db()
    return found


def said(user: User) -> list[str]:
    return [passage.text for passage in retrieval.search(user, "umbrella").passages]


def states(document: Document) -> dict[int, str]:
    return dict(document.versions.order_by("number").values_list("number", "state"))


def test_search_sees_the_old_version_until_the_new_one_is_ready(alice: User, stand: Document):
    old_file = storage.path_of(stand.stored_id)
    assert put(stand, NEW, user=alice, note="commit 1").outcome is Outcome.CHANGED
    assert (stand.status, states(stand)) == (Document.Status.QUEUED, {2: "waiting"})
    assert said(alice) == ["The umbrella stand is beside the lift."]
    run_job(stand)
    assert said(alice) == ["The umbrella stand is below the stairs."]
    assert (stand.status, stand.version_number, states(stand)) == ("ready", 2, {1: "past"})
    assert storage.path_of(stand.stored_id).read_text() == NEW
    assert old_file.read_text() == OLD
    assert find_text(alice, stand, 1).text != DocumentText.objects.get(document=stand).text
    newest, first = list_versions(alice, stand)
    assert (newest.number, newest.state, newest.note) == (2, "current", "commit 1")
    assert (first.number, first.state, first.sha256) == (1, "past", stand.versions.get().sha256)


def test_the_same_bytes_are_no_version_and_those_of_another_document_none_either(
    alice: User, handbook: Collection, stand: Document, add_text: AddText, settings
):
    other = add_text(handbook, NEW, "other.md")
    assert put(stand, OLD).outcome is Outcome.UNCHANGED
    found = put(stand, NEW)
    assert (found.outcome, found.document) == (Outcome.DUPLICATE, other)
    assert (stand.status, states(stand)) == ("ready", {})
    assert len([path for path in settings.FILES_ROOT.rglob("*") if path.is_file()]) == 2


def test_a_version_that_fails_leaves_the_old_one_ready_and_says_why(
    alice: User, handbook: Collection, stand: Document, tmp_path
):
    scan = files.make_scan(tmp_path / "scan.pdf")
    with scan.open("rb") as file:
        put_document(handbook, file, "scan.pdf", document=stand)
    stand.refresh_from_db()
    run_job(stand)
    assert (stand.status, stand.reason, stand.version_number) == ("ready", "", 1)
    assert stand.media_type == "text/markdown"
    failed = stand.versions.get()
    assert (failed.state, failed.reason) == ("failed", reasons.NEEDS_OCR)
    assert said(alice) == ["The umbrella stand is beside the lift."]
    restore_version(alice, stand, failed.number)  # tries it again
    stand.refresh_from_db()
    assert states(stand) == {2: "waiting"}
    run_job(stand)
    assert (stand.status, states(stand)) == ("ready", {2: "failed"})
    put(stand, NEW)
    run_job(stand)
    assert (stand.version_number, states(stand)) == (3, {1: "past", 2: "failed"})


def test_what_comes_while_a_version_waits_takes_its_place(alice: User, stand: Document):
    put(stand, NEW)
    first_job = stand.job_id
    put(stand, "# Attic\n\nThe umbrella stand is in the attic.")
    assert stand.versions.count() == 1
    before = stand.job_id
    stand.job_id = first_job
    run_job(stand)  # has nothing to do any more
    assert (stand.status, stand.job_id) == ("queued", before)
    run_job(stand)
    assert said(alice) == ["The umbrella stand is in the attic."]
    put(stand, NEW)
    assert put(stand, "# Attic\n\nThe umbrella stand is in the attic.").outcome is Outcome.UNCHANGED
    run_job(stand)
    assert (stand.status, states(stand)) == ("ready", {1: "past"})


def test_a_document_that_never_was_ready_takes_the_next_version(
    alice: User, handbook: Collection, tmp_path
):
    scan = files.make_scan(tmp_path / "scan.pdf")
    with scan.open("rb") as file:
        document, _ = services.add_document(alice, handbook, file, "scan.pdf")
    run_job(document)
    assert document.status == "failed"
    put(document, NEW)
    run_job(document)
    assert (document.status, document.version_number, states(document)) == (
        "ready", 2, {1: "failed"},
    )  # fmt: skip
    assert said(alice) == ["The umbrella stand is below the stairs."]
    retry_document(document)
    assert states(document) == {1: "failed"}  # older than what is searched


def test_a_version_comes_back_without_being_read_again(alice: User, stand: Document, monkeypatch):
    put(stand, NEW)
    run_job(stand)

    def never(*_args):
        raise AssertionError("read again")

    monkeypatch.setattr("knowledge.ingestion.reading.extract", never)
    assert restore_version(alice, stand, 1).outcome is Outcome.CHANGED
    stand.refresh_from_db()
    run_job(stand)
    assert said(alice) == ["The umbrella stand is beside the lift."]
    assert (stand.version_number, states(stand)) == (3, {1: "past", 2: "past"})
    assert stand.stages.get(name="extract").is_kept
    assert restore_version(alice, stand, 3).outcome is Outcome.UNCHANGED


def test_a_citation_shows_the_version_that_it_quotes(alice: User, bob: User, stand: Document):
    put(stand, NEW)
    run_job(stand)
    quoted = find_excerpt(alice, stand.pk, [(6, 20)], 1)
    now = find_excerpt(alice, stand.pk, [(6, 20)])
    assert "lift" in "".join(segment.text for segment in quoted.segments)
    assert "stairs" in "".join(segment.text for segment in now.segments)
    assert find_excerpt(bob, stand.pk, [(6, 20)], 1) is None
    share(stand.collection, bob, Grant.Role.READER, by=alice)
    assert find_excerpt(bob, stand.pk, [(6, 20)], 1) is not None


def test_the_oldest_versions_and_their_files_go(
    alice: User, stand: Document, settings, django_capture_on_commit_callbacks
):
    settings.PARLEY_DOCUMENT_VERSIONS = 2
    for number in range(2, 6):
        with django_capture_on_commit_callbacks(execute=True):
            put(stand, f"{NEW} Number {number}.")
            run_job(stand)
    assert (stand.version_number, states(stand)) == (5, {3: "past", 4: "past"})
    stored = {path.name for path in settings.FILES_ROOT.rglob("*") if path.is_file()}
    used = {str(stand.stored_id), *(str(row.file_id) for row in stand.versions.all())}
    assert stored == used
    assert sweeping.remove_orphaned_files() == 0
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_document(stand)
    assert not [path for path in settings.FILES_ROOT.rglob("*") if path.is_file()]
    assert not DocumentVersion.objects.exists()


def illustrated(color: str) -> bytes:
    picture = base64.b64encode(files.make_picture(color=color)).decode()
    return f'<h1>Roof</h1><p>{color} slate</p><img src="data:image/png;base64,{picture}">'.encode()


def test_pictures_stay_with_their_version_and_go_with_it(
    alice: User, bob: User, handbook: Collection, client: Client, settings
):
    settings.PARLEY_DOCUMENT_VERSIONS = 1
    first = io.BytesIO(illustrated("teal"))
    document, _ = services.add_document(alice, handbook, first, "roof.html")
    run_job(document)
    api = f"/api/v1/documents/{document.pk}/figures/1"
    client.force_login(alice)
    teal = client.get(api).content

    put_document(handbook, io.BytesIO(illustrated("navy")), "roof.html", document=document)
    document.refresh_from_db()
    run_job(document)
    assert client.get(f"{api}?version=1").content == teal
    assert client.get(api).content not in {teal, b""}
    page = client.get(f"/knowledge/documents/{document.pk}/versions/1/").content.decode()
    assert f'src="{api}?version=1"' in page
    client.force_login(bob)
    assert client.get(f"{api}?version=1").status_code == 404

    client.force_login(alice)
    put_document(handbook, io.BytesIO(illustrated("plum")), "roof.html", document=document)
    document.refresh_from_db()
    run_job(document)
    assert client.get(f"{api}?version=1").status_code == 404  # one version is kept
    assert Figure.objects.filter(document=document).count() == 2
    assert client.get(f"{api}?version=2").status_code == 200


def test_other_words_from_the_same_bytes_are_a_version_too(alice: User, stand: Document):
    """A better reader: what was quoted of the first reading stays quoted."""
    storage.path_of(stand.pk).write_text(NEW)
    reindex_document(stand)
    run_job(stand)
    assert (stand.version_number, states(stand)) == (2, {1: "past"})
    assert "lift" in find_text(alice, stand, 1).text
    reindex_document(stand)
    run_job(stand)
    assert (stand.version, stand.version_number) == (3, 2)


def test_steps_that_have_nothing_new_to_do_are_left_out(stand: Document, monkeypatch):
    passages = list(stand.chunks.values_list("pk", flat=True))
    reindex_document(stand, is_forced=False)
    run_job(stand)
    assert list(stand.chunks.values_list("pk", flat=True)) == passages
    assert set(stand.stages.filter(is_kept=True).values_list("name", flat=True)) == {
        "extract", "chunk", "embed", "load",
    }  # fmt: skip
    assert not stand.stages.exclude(status=Stage.Status.DONE).exists()
    monkeypatch.setattr("knowledge.ingestion.pipeline.SPLITTER", "next")
    reindex_document(stand, is_forced=False)
    run_job(stand)
    assert list(stand.chunks.values_list("pk", flat=True)) != passages
    assert stand.stages.get(name="extract").is_kept
    assert not stand.stages.get(name="chunk").is_kept


def test_what_a_slow_reader_found_outlives_its_worker(
    alice: User, handbook: Collection, monkeypatch
):
    monkeypatch.setattr("knowledge.ingestion.reading.WORTH_KEEPING_SECONDS", -1.0)
    text = "# Long\n\n" + "The umbrella stand is beside the lift. " * 500
    document, _ = services.add_document(alice, handbook, as_stream(text), "long.md")
    real = pipeline.embed_drafts

    def dies(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "embed_drafts", dies)
    with pytest.raises(KeyboardInterrupt):
        run_job(document)
    monkeypatch.setattr(pipeline, "embed_drafts", real)
    document.refresh_from_db()
    assert run_job(document).status == "ready"
    assert document.stages.get(name="extract").is_kept


def test_what_is_kept_is_what_was_read():
    mark = Mark(0, 3, "b", "")
    block = Block(BlockKind.TABLE, 0, 7, 2, 4, (mark,))
    read = Extracted("T", "one two", (block,), page_count=9, language="en", invisible=1)
    assert unpack(pack(read), "one two, and the words of a curator") == read
    assert unpack(pack(read, whole=True)) == read
    assert unpack(pack(read), "one") is None
    assert unpack(b"not what it was") is None


def test_pages_and_programs_upload_list_read_and_restore(
    alice: User, charlie: User, stand: Document, api_for, client
):
    api = api_for(alice)
    place = f"/documents/{stand.pk}/versions"
    page = f"/knowledge/documents/{stand.pk}/"
    client.force_login(alice)
    named = as_stream(NEW)
    named.name = "stand.md"
    sent = client.post(f"{page}versions/upload", {"file": named})
    assert (sent.status_code, sent.json()["outcome"]) == (202, "changed")
    stand.refresh_from_db()
    run_job(stand)
    assert [row["number"] for row in api.get(place).json()] == [2, 1]
    assert "lift" in api.get(f"{place}/1/text").json()["text"]
    assert "stairs" in api.get(f"{place}/2/text").json()["text"]
    assert api.get(f"{place}/7/text").status_code == 404
    assert api_for(charlie).get(place).status_code == 404
    listed = client.get(f"{page}versions/")
    assert b"Version 2" in listed.content
    moved = client.get(f"{page}?at=6-20&version=1")
    assert moved.headers["Location"] == f"{page}versions/1/?at=6-20&version=1"
    quoted = client.get(moved.headers["Location"]).content.decode()
    assert "A newer version exists" in quoted
    assert "<mark" in quoted
    compared = client.get(f"{page}versions/1/?compare").content.decode()
    assert "<del>The umbrella stand is beside the lift.</del>" in compared
    assert "<ins>The umbrella stand is below the stairs.</ins>" in compared
    assert client.get(f"{page}?version=2").status_code == 200
    assert client.get(f"{page}?version=77").status_code == 200  # not kept: the searched one
    restored = api.post(f"{place}/1/restore")
    assert (restored.status_code, restored.json()["outcome"]) == (202, "changed")


def test_chosen_ones_are_indexed_again_with_the_newer_version_that_had_failed(
    alice: User, handbook: Collection, stand: Document, tmp_path
):
    with files.make_scan(tmp_path / "scan.pdf").open("rb") as file:
        put_document(handbook, file, "scan.pdf", document=stand)
    stand.refresh_from_db()
    run_job(stand)
    assert (stand.status, states(stand)) == ("ready", {2: "failed"})
    assert bulk.act(alice, handbook, bulk.Action.REINDEX, [stand.pk]) == [stand.pk]
    assert bulk.act(alice, handbook, bulk.Action.REINDEX, [stand.pk]) == []  # it is in work
    stand.refresh_from_db()
    assert (stand.status, states(stand)) == ("queued", {2: "waiting"})
    assert said(alice) == ["The umbrella stand is beside the lift."]  # meanwhile
    files.make_pdf(storage.path_of(stand.versions.get().file_id))  # somebody mended it
    run_job(stand)
    assert (stand.status, stand.version_number, states(stand)) == ("ready", 2, {1: "past"})
    client = Client()
    client.force_login(alice)
    other = files.make_scan(tmp_path / "next.pdf").read_bytes() + b"% another one\n"
    put_document(handbook, io.BytesIO(other), "next.pdf", document=stand)
    stand.refresh_from_db()
    run_job(stand)
    assert states(stand)[3] == "failed"
    listed = client.get(f"/knowledge/{handbook.pk}/documents?list=failed").content.decode()
    assert "A newer version could not be taken in: " in listed
    assert f"/knowledge/documents/{stand.pk}/reindex" in listed
    client.post(f"/knowledge/documents/{stand.pk}/reindex")
    assert states(stand)[3] == "waiting"
    page = list_wanted(alice, handbook.pk, Wanted(list="failed"), None, 10)
    assert page.items == []  # it is being tried
