"""A disk that is full: no row without its file, no file without its row, and a clear answer."""

import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import tokens
from events.models import Job, Stream
from knowledge import services, storage, sweeping
from knowledge.errors import StorageFull
from knowledge.models import Document
from security.ids import new_id
from tests.knowledge.files import as_stream
from tests.support.disks import files_no_longer_than, small_disk

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 2 * storage.PIECE + 100
BYTES = "a" * SIZE
# Around the first byte, the edges of what is written at once, and the last byte.
PLACES = [
    0, 1, 4095, 4096, storage.PIECE - 1, storage.PIECE, storage.PIECE + 1, 2 * storage.PIECE,
    SIZE - 1,
]  # fmt: skip


def assert_nothing_is_left():
    sweeping.remove_orphaned_files()
    root = Path(storage.settings.FILES_ROOT)
    assert [path for path in root.rglob("*") if path.is_file()] == []
    assert not Document.objects.exists()
    assert not Job.objects.exists()
    assert not Stream.objects.exists()


@pytest.mark.parametrize("place", PLACES)
def test_f12_a_disk_that_is_full_at_any_byte(alice, handbook, place):
    with files_no_longer_than(place), pytest.raises(StorageFull):
        services.add_document(alice, handbook, as_stream(BYTES), "a.txt")
    assert_nothing_is_left()
    document, is_new = services.add_document(alice, handbook, as_stream(BYTES), "a.txt")
    assert is_new
    assert storage.path_of(document.pk).stat().st_size == SIZE


@pytest.mark.parametrize("place", [0, storage.PIECE])
@pytest.mark.filterwarnings("error")
def test_f12_people_and_programs_hear_that_there_is_no_room(alice, handbook, place):
    client = Client(raise_request_exception=False)
    bearer = {"Authorization": f"Bearer {tokens.issue(alice, 'laptop')[1]}"}
    api = f"/api/v1/collections/{handbook.pk}/documents"
    page = reverse("knowledge:upload", args=[handbook.pk])
    client.force_login(alice)
    for address, headers in ((api, bearer), (page, {})):
        file = SimpleUploadedFile("a.txt", BYTES.encode())
        with files_no_longer_than(place):
            response = client.post(address, {"file": file}, headers=headers)
        assert response.status_code == 507, response.content
        assert "administrator" in response.json()["detail"]
    assert_nothing_is_left()


def test_f12_a_real_disk_without_room(alice, handbook, settings, tmp_path):
    with small_disk(tmp_path / "small", "1m") as disk:
        settings.FILES_ROOT = disk
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        kept, taken = [], 0
        while taken < free:
            words = str(len(kept)) * SIZE
            try:
                kept.append(services.add_document(alice, handbook, as_stream(words), "a.txt")[0])
            except StorageFull:
                break
            taken += SIZE
        assert kept
        assert taken < free + SIZE
        assert Document.objects.count() == len(kept)
        names = {path.name for path in disk.rglob("*") if path.is_file()}
        assert names == {str(document.pk) for document in kept}


def test_uploads_that_died_are_swept_and_those_that_live_are_not(alice, handbook):
    """A worker or web process killed after writing a file, or half of one, before its row."""
    lost, half = new_id(), storage.path_of(new_id()).with_suffix(".part")
    storage.store(lost, as_stream("lost"))
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_text("half")
    foreign = half.with_name("README")
    foreign.write_text("not ours")
    assert sweeping.remove_orphaned_files() == 0
    for path in (storage.path_of(lost), half, foreign):
        os.utime(path, (1, 1))
    assert sweeping.remove_orphaned_files() == 1
    assert sweeping.remove_orphaned_files() == 0
    assert not half.exists()
    assert foreign.exists()
