"""Restoring: complete or not at all, never over data by mistake."""

import shutil

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from accounts import tokens
from config.operations import backing_up, restoring
from config.operations.backing_up import back_up
from embedded.backup import databases
from embedded.backup.archive import DATABASE, Writer, read_parts, verify, written_whole
from embedded.backup.errors import BackupError, BackupRefused
from embedded.backup.snapshot import measure_database
from embedded.errors import StartupError
from embedded.home import Home
from security import secrets
from security.secrets import SecretUnreadable, open_
from tests.config.operations.conftest import SECRET, Machine, server_url
from tests.support.processes import sign_in

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def rewritten(path, target, **changes):
    """The same backup with another manifest, as another version would have written it."""
    manifest = verify(path).model_copy(update=changes)
    with written_whole(target, lambda _path: None) as file:
        writer = Writer(file, 0)
        for name, pieces in read_parts(path):
            if name in manifest.parts:
                writer.add(name, pieces)
        writer.close(manifest)
    return target


def scratch_databases():
    with psycopg.connect(server_url("postgres")) as maintenance:
        rows = maintenance.execute("select datname from pg_database where datname ~ '_scratch_'")
        return rows.fetchall()


def test_s18_secrets_open_only_with_the_key_file(here, backup, elsewhere, settings):
    restored = elsewhere.manage("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert "1 stored API key cannot be opened" in restored.stdout
    assert str(elsewhere.home.keys / "secrets.key") in restored.stdout
    ((endpoint_id, sealed),) = elsewhere.rows("select id, secret from gateway_endpoint")
    settings.PARLEY_HOME = elsewhere.home
    with pytest.raises(SecretUnreadable, match="sealed with a key this installation lacks"):
        open_(sealed, f"endpoint:{endpoint_id}")
    shutil.copy(here.home.keys / "secrets.key", elsewhere.home.keys / "secrets.key")
    secrets._load_keys.cache_clear()
    assert open_(sealed, f"endpoint:{endpoint_id}") == SECRET
    secrets._load_keys.cache_clear()


def test_with_keys_the_archive_alone_is_enough(here, library, elsewhere, settings, tmp_path):
    path = tmp_path / "with-keys.tar"
    made = here.manage("backup", str(path), "--with-keys")
    assert made.returncode == 0
    assert "It holds the keys" in made.stdout
    elsewhere.home.prepare()
    (elsewhere.home.keys / "secrets.key").write_text("another key that stood here before " * 2)
    elsewhere.restore(settings, path)
    for name in ("secrets.key", "django.key"):
        ours, theirs = here.home.keys / name, elsewhere.home.keys / name
        if ours.exists():
            assert theirs.read_bytes() == ours.read_bytes()
            assert theirs.stat().st_mode & 0o077 == 0
    assert len(list(elsewhere.home.keys.glob("secrets.key.before-*"))) == 1


def test_no_session_and_no_revoked_token_comes_alive_again(
    here, alice, library, elsewhere, settings, tmp_path
):
    sign_in(alice)
    tokens.issue(alice, "kept")
    lost, _plaintext = tokens.issue(alice, "lost")
    path = tmp_path / "backup.tar"
    back_up(path)
    connections.close_all()
    elsewhere.restore(settings, path)
    assert elsewhere.rows("select * from django_session") == []
    assert len(elsewhere.rows("select id from accounts_apitoken where revoked_at is null")) == 2
    with psycopg.connect(elsewhere.url) as other:
        other.execute("update accounts_apitoken set revoked_at = now() where id = %s", [lost.pk])
    elsewhere.restore(settings, path, replace=True)
    valid = elsewhere.rows("select name from accounts_apitoken where revoked_at is null")
    assert valid == [("kept",)]


def test_data_that_is_there_is_replaced_only_when_asked(here, backup, elsewhere, settings):
    elsewhere.restore(settings, backup)
    with psycopg.connect(elsewhere.url) as other:
        other.execute("insert into accounts_team (id, name, is_everyone, created_at) "
                      "values (gen_random_uuid(), 'new here', false, now())")  # fmt: skip
    with pytest.raises(BackupError, match="--replace"):
        elsewhere.restore(settings, backup)
    assert ("new here",) in elsewhere.rows("select name from accounts_team")
    elsewhere.restore(settings, backup, replace=True)
    assert ("new here",) not in elsewhere.rows("select name from accounts_team")
    assert measure_database(elsewhere.url) == verify(backup).tables


def test_somebody_at_work_is_in_the_way(here, backup, elsewhere, settings):
    elsewhere.restore(settings, backup)
    with (
        psycopg.connect(elsewhere.url),
        pytest.raises(BackupError, match="1 connection to this database"),
    ):
        elsewhere.restore(settings, backup, replace=True)


def test_a_running_parley_is_in_the_way(here, backup, elsewhere):
    elsewhere.home.prepare()
    with elsewhere.home.lock():
        refused = elsewhere.manage("restore", str(backup))
    assert refused.returncode == 1
    assert "Parley already runs on" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("broken", ["rows", "dump", "migration", "file"])
def test_f34_when_it_fails_the_old_state_stands(
    here, backup, elsewhere, settings, tmp_path, monkeypatch, broken
):
    elsewhere.restore(settings, backup)
    before = measure_database(elsewhere.url)
    files = {path: path.read_bytes() for path in elsewhere.home.files.rglob("*") if path.is_file()}
    manifest = verify(backup)
    path = backup
    if broken == "rows":
        table = manifest.tables["knowledge_document"].model_copy(update={"rows": 99})
        path = rewritten(backup, tmp_path / "rows.tar",
                         tables=manifest.tables | {"knowledge_document": table})  # fmt: skip
    elif broken == "dump":
        path = damaged_dump(backup, tmp_path / "dump.tar")
    elif broken == "migration":
        path = rewritten(backup, tmp_path / "m.tar", migrations=manifest.migrations[:-1])
        monkeypatch.setenv("REDIS_URL", "")
        monkeypatch.setenv("TIME_ZONE", "Nowhere/Land")  # the child does not start with it
    else:
        (elsewhere.home.files / "00").mkdir(exist_ok=True)
        blocked = next(iter(files))
        blocked.unlink()
        blocked.mkdir()
        files.pop(blocked)
    with pytest.raises(BackupError):
        elsewhere.restore(settings, path, replace=True)
    assert measure_database(elsewhere.url) == before
    assert {f: f.read_bytes() for f in elsewhere.home.files.rglob("*") if f.is_file()} == files
    assert scratch_databases() == []


def damaged_dump(path, target):
    """A dump that pg_restore gives up half-way, in an archive whose checksums are right."""
    manifest = verify(path)
    with written_whole(target, lambda _path: None) as file:
        writer = Writer(file, 0)
        for name, pieces in read_parts(path):
            if name == DATABASE:
                whole = b"".join(pieces)
                writer.add(name, [whole[: len(whole) * 2 // 3]])
            elif name in manifest.parts:
                writer.add(name, pieces)
        writer.close(manifest.model_copy(update={"parts": writer.parts}))
    return target


def test_a_backup_of_a_newer_version_is_refused(here, backup, elsewhere, settings, tmp_path):
    migrations = [*verify(backup).migrations, "chat.9999_from_the_future"]
    path = rewritten(backup, tmp_path / "newer.tar", migrations=migrations)
    with pytest.raises(BackupRefused, match=r"newer Parley: chat\.9999_from_the_future"):
        elsewhere.restore(settings, path)
    newer = rewritten(backup, tmp_path / "server.tar", postgres=99)
    with pytest.raises(BackupRefused, match="Postgres 99"):
        elsewhere.restore(settings, newer)
    assert databases.is_empty(elsewhere.url)


def test_a_backup_of_an_older_version_is_brought_to_this_one(
    here, library, elsewhere, settings, tmp_path
):
    call_command("migrate", "sessions", "zero", verbosity=0)
    try:
        back_up(tmp_path / "older.tar")
    finally:
        call_command("migrate", verbosity=0)
        connections.close_all()
    manifest = verify(tmp_path / "older.tar")
    assert "django_session" not in manifest.tables
    elsewhere.restore(settings, tmp_path / "older.tar")
    assert elsewhere.rows("select count(*) from django_session") == [(0,)]
    assert elsewhere.rows("select count(*) from knowledge_document") == [(3,)]
    applied = elsewhere.rows("select app || '.' || name from django_migrations")
    assert {name for (name,) in applied} == restoring.known_migrations()


def test_a_full_disk_is_seen_before_anything_is_done(here, backup, elsewhere, settings, tmp_path):
    parts = verify(backup).parts
    huge = {name: part.model_copy(update={"size": 10**15}) if name.startswith("files/") else part
            for name, part in parts.items()}  # fmt: skip
    manifest = verify(backup).model_copy(update={"parts": huge})
    settings.DATABASE_URL, settings.PARLEY_HOME = elsewhere.url, elsewhere.home
    elsewhere.home.prepare()
    with pytest.raises(BackupError, match=r"Restoring needs .* GB"):
        restoring.restore(backup, manifest, replace=False)
    assert databases.is_empty(elsewhere.url)


def test_an_empty_machine_has_nothing_to_back_up(elsewhere, settings, tmp_path):
    from embedded.database import ensure_database  # noqa: PLC0415

    ensure_database(elsewhere.url)
    settings.DATABASE_URL = elsewhere.url
    with pytest.raises(StartupError, match="nothing to back up"):
        backing_up.back_up(tmp_path / "nothing.tar")
    assert list(tmp_path.glob("*.tar*")) == []


def test_f34_an_empty_machine_with_a_postgres_of_its_own(here, backup, tmp_path, monkeypatch):
    """From nothing: initdb, restore, stop; then backed up again, stopped as it is."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    fresh = Machine(tmp_path / "fresh", "")
    restored = fresh.manage("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    again = fresh.manage("backup", str(tmp_path / "again.tar"))
    assert again.returncode == 0, again.stderr
    assert not (fresh.home.postgres / "postmaster.pid").exists()
    first, second = verify(backup), verify(tmp_path / "again.tar")
    assert {name for name in first.tables if second.tables[name] != first.tables[name]} == {
        "audit_entry"  # which tells of the restoring
    }
    assert second.tables["audit_entry"].rows == first.tables["audit_entry"].rows + 1
    files = {name: part for name, part in first.parts.items() if name.startswith("files/")}
    assert {n: p for n, p in second.parts.items() if n.startswith("files/")} == files
    assert Home(fresh.home.path).run.exists()
