"""An upgrade: rehearsed on a copy, done after a backup, and with a way back."""

import re

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections

from chat.services import start_turn
from config.doctor import FAIL, OK
from config.management.commands.upgrade import upgrade
from config.operations.rehearsing import rehearsed, smoke_test_passes
from config.operations.smoke import smoke_test
from embedded.backup.archive import verify
from embedded.backup.errors import BackupError
from embedded.backup.snapshot import measure_database
from knowledge.extraction.process import reading_process
from knowledge.ingestion import ingest
from tests.config.operations.conftest import server_url

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture
def older(here, library):
    """The test's database as the version before the sessions' table left it."""
    call_command("migrate", "sessions", "zero", verbosity=0)
    connections.close_all()
    yield here
    call_command("migrate", verbosity=0)


def has_sessions(url):
    with psycopg.connect(url) as other:
        return other.execute("select to_regclass('django_session') is not null").fetchone()[0]


def scratch_databases():
    with psycopg.connect(server_url("postgres")) as maintenance:
        return maintenance.execute(
            "select datname from pg_database where datname ~ '_scratch_'"
        ).fetchall()


def test_f31_a_rehearsal_migrates_a_copy_and_leaves_the_real_one_alone(older):
    before = measure_database(older.url)
    with rehearsed(None) as (report, scratch):
        assert list(report.migrations) == ["sessions.0001_initial"]
        assert has_sessions(scratch)
        with psycopg.connect(scratch) as copy:
            assert copy.execute("select count(*) from knowledge_document").fetchone() == (3,)
        # These documents were never indexed, and nobody is an administrator here.
        assert not smoke_test_passes(scratch)
    assert measure_database(older.url) == before
    assert not has_sessions(older.url)
    assert scratch_databases() == []


def test_a_migration_that_fails_in_the_rehearsal_is_told_and_nothing_stays(older, monkeypatch):
    monkeypatch.setenv("TIME_ZONE", "Nowhere/Land")  # the child does not start with it
    with pytest.raises(BackupError, match="failed"), rehearsed(None):
        pass
    assert scratch_databases() == []


def test_an_upgrade_is_a_backup_then_migrations_then_a_look(older, admin, tmp_path, capsys):
    connections.close_all()
    done = older.manage("upgrade", "--backup", str(tmp_path / "before.tar"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert has_sessions(older.url)
    assert "django_session" not in verify(tmp_path / "before.tar").tables
    assert re.search(r"manage\.py restore \S+before\.tar --replace", done.stdout)
    upgrade(tmp_path / "again.tar")
    assert "nothing to upgrade" in capsys.readouterr().out
    assert not (tmp_path / "again.tar").exists()


@pytest.fixture
def _reader():
    yield
    reading_process.close()


@pytest.mark.usefixtures("_reader")
def test_the_look_afterwards_reads_as_a_person_would(here, library, alice, admin):
    class Context:
        def progress(self, *_args):
            pass

        def check(self):
            pass

    for document in library.documents.all():
        ingest(document, Context())
    start_turn(alice, None, "Anything?")
    found = {finding.name: finding for finding in smoke_test()}
    assert found["Search"].status == OK, found["Search"]
    assert found["Conversation"].status == OK
    with connection.cursor() as cursor:
        cursor.execute("update knowledge_documenttext set text = reverse(text)")
    assert {f.name: f.status for f in smoke_test()}["Search"] == FAIL
