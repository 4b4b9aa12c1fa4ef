"""Fault 34: a backup at T, restored elsewhere, is exactly what was there at T."""

import hashlib
import io
import os
import threading
import time

import psycopg
import pytest
from django.db import connections, transaction

from accounts.models import Team
from chat.models import Conversation
from config.operations.backing_up import SEALED, back_up
from embedded.backup.archive import read_parts, verify
from embedded.backup.errors import BackupError
from embedded.backup.snapshot import measure_database, snapshot
from knowledge import services, storage, sweeping
from knowledge.models import Document
from tests.config.operations.conftest import SECRET, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def test_f34_restored_elsewhere_everything_is_as_it_was(here, backup, elsewhere, settings):
    at_t = measure_database(here.url)
    assert verify(backup).tables == at_t
    elsewhere.restore(settings, backup)
    assert measure_database(elsewhere.url) == at_t
    stored = elsewhere.rows("select id::text, sha256 from knowledge_document")
    assert len(stored) == 3
    for document_id, sha256 in stored:
        file = elsewhere.home.files / document_id[-2:] / document_id
        assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256


class Writer(threading.Thread):
    """Writes to three tables and the disk in one transaction a round, and deletes what is old."""

    def __init__(self, owner, collection):
        super().__init__(daemon=True)
        self.owner, self.collection = owner, collection
        self.rounds = 0
        self.end = threading.Event()
        self.error = None

    def run(self):
        try:
            while not self.end.is_set():
                self.write(f"round {self.rounds:06}")
                self.rounds += 1
        except Exception as error:  # noqa: BLE001 - told to the test
            self.error = error
        finally:
            connections.close_all()

    def write(self, name):
        with transaction.atomic():
            Team.objects.create(name=name)
            Conversation.objects.create(owner=self.owner, title=name)
            services.add_document(
                self.owner, self.collection, io.BytesIO(f"{name} ".encode() * 40), f"{name}.txt"
            )
        if self.rounds % 3 == 2:
            old = Document.objects.filter(title__startswith="round").order_by("id").first()
            services.delete_document(old)

    def wait_for(self, rounds):
        deadline = time.monotonic() + 60
        while self.rounds < rounds and self.error is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.error is None
        assert self.rounds >= rounds


def test_f34_one_moment_even_while_a_writer_is_at_work(
    here, library, alice, elsewhere, settings, tmp_path
):
    writer = Writer(alice, library)
    writer.start()
    writer.wait_for(10)
    before = writer.rounds
    made = here.manage("backup", str(tmp_path / "busy.tar"))
    writer.end.set()
    writer.join()
    assert writer.error is None
    assert made.returncode == 0, made.stderr
    assert writer.rounds > before + 1, "the writer was held up"

    elsewhere.restore(settings, tmp_path / "busy.tar")
    teams = {name for (name,) in elsewhere.rows("select name from accounts_team")}
    rounds = sorted(name for name in teams if name.startswith("round"))
    assert rounds == [f"round {number:06}" for number in range(len(rounds))]
    assert before <= len(rounds) <= writer.rounds
    titles = elsewhere.rows("select title from chat_conversation where title like 'round%'")
    assert sorted(title for (title,) in titles) == rounds
    stored = elsewhere.rows("select id::text, sha256, title from knowledge_document")
    # The last round may be between its writing and its deletion.
    newest = {title for _, _, title in stored if title.startswith("round")}
    assert newest == set(rounds[len(rounds) - len(newest) :])
    files = {path.name: path for path in elsewhere.home.files.glob("??/*")}
    assert set(files) == {document_id for document_id, _, _ in stored}
    for document_id, sha256, _ in stored:
        assert hashlib.sha256(files[document_id].read_bytes()).hexdigest() == sha256


def test_f34_a_file_deleted_during_a_backup_stays_until_it_is_done(here, library):
    document = library.documents.first()
    with snapshot(here.url, storage.FILES_LOCK) as moment:
        services.delete_document(document)
        assert not Document.objects.filter(pk=document.pk).exists()
        assert moment.connection.execute(
            "select count(*) from knowledge_document where id = %s", [document.pk]
        ).fetchone() == (1,)
        path = storage.path_of(document.pk)
        assert path.exists()
        os.utime(path, (0, 0))
        assert sweeping.remove_orphaned_files() == 0
        assert path.exists()
    assert sweeping.remove_orphaned_files() == 1
    assert not path.exists()


def test_without_a_backup_a_file_goes_at_once(here, library):
    document = library.documents.first()
    path = storage.path_of(document.pk)
    services.delete_document(document)
    assert not path.exists()


def test_two_backups_at_once_are_refused(here, library, tmp_path, monkeypatch):
    monkeypatch.setattr("embedded.backup.snapshot.LOCK_WAIT", "100ms")
    with (
        snapshot(here.url, storage.FILES_LOCK),
        pytest.raises(BackupError, match="Another backup"),
    ):
        back_up(tmp_path / "second.tar")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_lost_before_is_named_and_the_rest_is_saved(here, library, tmp_path):
    lost, damaged, fine = library.documents.order_by("id")
    storage.remove(lost.pk)
    storage.path_of(damaged.pk).write_bytes(b"scribbled over")
    made = here.manage("backup", str(tmp_path / "backup.tar"))
    assert made.returncode == 2
    manifest = verify(tmp_path / "backup.tar")
    assert set(manifest.lost_files) == {str(lost.pk), str(damaged.pk)}
    assert f"files/{fine.pk}" in manifest.parts
    assert str(lost.pk) in made.stdout


def test_s20_a_backup_without_the_key_file_holds_no_secret_in_the_clear(here, library, backup):
    words = [path.read_bytes().strip() for path in here.home.keys.glob("*.key")]
    assert words
    content = b"".join(b"".join(pieces) for _, pieces in read_parts(backup))
    for word in [SECRET.encode(), *words]:
        assert word not in content
    assert not any(name.startswith("keys/") for name, _ in read_parts(backup))
    assert sum(verify(backup).secret_keys.values()) == 1


def test_every_column_of_sealed_bytes_is_counted():
    from django.apps import apps  # noqa: PLC0415
    from django.db.models import BinaryField  # noqa: PLC0415

    sealed = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, BinaryField)
    }
    pictures = {
        ("knowledge_picture", "large"), ("knowledge_picture", "small"),
        ("knowledge_figure", "data"), ("accounts_portrait", "data"),
        ("agents_agentpicture", "data"),
    }  # fmt: skip
    readings = {
        ("knowledge_documenttext", "kept"), ("knowledge_versiontext", "kept"),
        ("knowledge_reading", "kept"),
    }  # fmt: skip
    assert sealed - pictures - readings == set(SEALED)


def test_f34_a_killed_backup_leaves_nothing_that_looks_like_one(here, library, tmp_path):
    path = tmp_path / "backup.tar"
    with psycopg.connect(here.url) as other:
        other.execute("lock table knowledge_chunk in access exclusive mode")
        process = here.start("backup", str(path))
        wait_until(
            lambda: other.execute(
                "select exists (select from pg_locks where not granted "
                "and relation = 'knowledge_chunk'::regclass)"
            ).fetchone()[0]
        )
        assert path.with_name("backup.tar.partial").exists()
        process.kill()
        process.communicate()
    assert not path.exists()
    back_up(path)
    assert [item.name for item in tmp_path.iterdir()] == ["backup.tar"]
