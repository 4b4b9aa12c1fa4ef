"""Deleting a document: gone at once for everyone, taken back for a while, then gone for good."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404

from accounts.models import User
from accounts.services import share
from events import jobs
from knowledge import discarding, indexing, retrieval, services, shelves
from knowledge.models import Chunk, Collection, DeletedDocument, Document
from knowledge.selectors import find_document, list_documents
from knowledge.storage import path_of
from security.models import AuditEntry
from security.reading import reading_as
from tests.knowledge.conftest import AddText, run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db
WORDS = "# Leave\n\nTwenty-five days of leave a year."


def hits(user: User) -> int:
    return len(retrieval.search(user, "days of leave").passages)


@pytest.fixture
def note(handbook: Collection, add_text: AddText) -> Document:
    return add_text(handbook, WORDS)


def later() -> None:
    Document.objects.exclude(discarded_at=None).update(
        discarded_at=F("discarded_at") - discarding.GRACE - timedelta(seconds=1)
    )


def test_it_is_gone_at_once_for_everyone_by_both_locks(alice, bob, handbook, note) -> None:
    share(handbook, bob, "editor", by=alice)
    assert hits(alice) == hits(bob) == 1
    assert discarding.discard(note)
    assert not discarding.discard(note), "twice is once"
    for user in (alice, bob):
        assert hits(user) == 0
        assert not list_documents(user).exists()
        assert not Document.objects.visible_to(user).exists()
        with reading_as(user):  # the second lock, without the first
            assert not Document.objects.filter(pk=note.pk).exists()
            assert not Collection.objects.filter(is_shelf=True).exists()
        with pytest.raises(Http404):
            find_document(user, note.pk)
    assert not Chunk.objects.exists()
    assert not handbook.documents.exists()
    assert path_of(note.pk).exists()


def test_whoever_may_edit_the_collection_takes_it_back(alice, bob, charlie, handbook, note) -> None:
    grant = share(handbook, bob, "reader", by=alice)
    discarding.discard(note)
    for user in (bob, charlie):
        with pytest.raises(Http404):
            discarding.restore(user, note.pk)
    grant.delete()
    share(handbook, bob, "editor", by=alice)
    back = discarding.restore(bob, note.pk)
    assert discarding.restore(alice, note.pk) == back, "twice is once"
    run_job(back)
    assert hits(alice) == hits(bob) == 1
    assert find_document(alice, note.pk).collection_id == handbook.pk
    assert not Collection.objects.filter(is_shelf=True).exists()
    discarding.purge_discarded()
    assert path_of(note.pk).exists()
    acts = AuditEntry.objects.filter(object_id=str(note.pk)).values_list("act", flat=True)
    assert set(acts) == {"document.deleted", "document.restored"}


def test_a_reader_is_told_that_they_may_not(alice, bob, handbook, note) -> None:
    share(handbook, bob, "reader", by=alice)
    with pytest.raises(PermissionDenied):
        discarding.restore(bob, note.pk)


def test_after_the_grace_nothing_is_left(alice, note, django_capture_on_commit_callbacks) -> None:
    discarding.discard(note)
    assert discarding.purge_discarded() == 0
    later()
    with pytest.raises(Http404):
        discarding.restore(alice, note.pk)
    with django_capture_on_commit_callbacks(execute=True):
        assert discarding.purge_discarded() == 1
    assert not Document.objects.exists()
    assert not Collection.objects.filter(is_shelf=True).exists()
    assert DeletedDocument.objects.filter(pk=note.pk).exists()
    assert not path_of(note.pk).exists()


def test_the_same_bytes_may_come_again_meanwhile(alice, handbook, note, add_text) -> None:
    discarding.discard(note)
    again = add_text(handbook, WORDS)
    assert again.pk != note.pk
    assert discarding.restore(alice, note.pk) == again
    assert hits(alice) == 1


def test_indexing_that_ends_too_late_brings_nothing_back(alice, handbook, monkeypatch) -> None:
    document, _ = services.add_document(alice, handbook, as_stream(WORDS), "leave.md")
    swap = indexing.replace_chunks

    def too_late(stale, generation, check, finish):
        discarding.discard(Document.objects.get(pk=stale.pk))
        return swap(stale, generation, None, finish)

    monkeypatch.setattr(indexing, "replace_chunks", too_late)
    jobs.run(str(document.job_id))
    assert not Chunk.objects.exists()
    assert hits(alice) == 0
    monkeypatch.undo()
    run_job(discarding.restore(alice, document.pk))
    assert hits(alice) == 1


def test_it_takes_no_space_of_attachments_and_goes_with_its_collection(
    alice, handbook, note, settings
) -> None:
    discarding.discard(note)
    settings.PARLEY_ATTACHMENTS_MB = 1
    Document.objects.update(size=1024 * 1024)
    shelves.attach(alice, as_stream(WORDS), "leave.md")
    services.delete_collection(handbook)
    with pytest.raises(Http404):
        discarding.restore(alice, note.pk)
    later()
    assert discarding.purge_discarded() == 1
