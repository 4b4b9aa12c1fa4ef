"""Fault 31: the schema changes, forwards and back, while the old version goes on writing.

The migration of `events` adds a column, builds indexes concurrently and fills rows in batches. The
writer speaks the SQL of the version before it, and waits for no lock longer than a second.
"""

import contextlib
import subprocess
import sys
import threading

import psycopg
import pytest
from django.db import connection
from psycopg.types.json import Jsonb

from embedded.home import REPOSITORY, Home
from security.ids import new_id
from tests.support.processes import Processes

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]

BEFORE, AFTER = ("events", "0001"), ()
STREAMS = 5_000
FILL = """
with made as (
    insert into events_stream (id, kind, state, fence, holder, attempts, last_seq, created_at)
    select gen_random_uuid(), case mod(n, 2) when 0 then 'job' else 'turn' end,
           'closed', 1, '', 1, 2, now() - interval '1 day'
    from generate_series(1, %s) as n returning id
)
insert into event (stream_id, seq, kind, payload, created_at)
select id, n, 'text_delta', '{"text": "word "}', now() - interval '1 day'
from made, generate_series(1, 2) as n
"""
QUEUE = """
insert into events_stream (id, kind, state, fence, holder, attempts, last_seq, created_at)
values (%s, 'turn', 'queued', 0, '', 0, 0, now())
"""
CLAIM = "update events_stream set state = 'running', fence = 1, attempts = 1 where id = %s"
TELL = (
    "insert into event (stream_id, seq, kind, payload, created_at) values (%s, %s, %s, %s, now())"
)
CLOSE = "update events_stream set state = 'closed', last_seq = 2 where id = %s"


class OldVersion(threading.Thread):
    """Asks, answers and ends turns all the time, as the version before the migration did."""

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.written = 0
        self.problem = None
        self.is_over = threading.Event()

    def run(self):
        try:
            with psycopg.connect(self.address, autocommit=True) as database:
                database.execute("set lock_timeout = '1s'")
                while not self.is_over.is_set():
                    self.write(database)
                    self.written += 1
        except psycopg.Error as problem:
            self.problem = problem

    def write(self, database):
        stream = new_id()
        with database.transaction():
            database.execute(QUEUE, [stream])
        database.execute(CLAIM, [stream])
        found = {"passages": [{"document_id": str(new_id())}]}
        database.execute(TELL, [stream, 1, "retrieval_completed", Jsonb(found)])
        with database.transaction():
            database.execute(TELL, [stream, 2, "text_delta", Jsonb({"text": "word"})])
            database.execute(CLOSE, [stream])


@pytest.fixture
def copy():
    """The address of a database with the same schema, and many old rows."""
    name = f"migrating_{new_id().hex}"
    connection.close()
    connection.close_pool()
    home = Home.from_environment()
    original = connection.settings_dict["NAME"]
    with psycopg.connect(home.database_url("postgres"), autocommit=True) as server:
        server.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [original]
        )
        server.execute(f'create database "{name}" template "{original}"')
        try:
            yield home.database_url(name)
        finally:
            server.execute(f'drop database "{name}" with (force)')


def migrate(address, *target):
    environment = Processes().environment | {"DATABASE_URL": address}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", *target]
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, timeout=240)


@contextlib.contextmanager
def old_version_goes_on(address):
    writer = OldVersion(address)
    writer.start()
    try:
        yield writer
    finally:
        writer.is_over.set()
        writer.join()
    assert writer.problem is None
    assert writer.written > 0


@pytest.mark.chaos  # a minute; the short form is the rehearsal of `tests/config/operations`
def test_f31_old_code_writes_on_while_the_schema_changes(copy):
    with psycopg.connect(copy, autocommit=True) as database, old_version_goes_on(copy) as writer:
        migrate(copy, *BEFORE)
        database.execute(FILL, [STREAMS])
        before = writer.written
        migrate(copy, *AFTER)
        assert writer.written > before
        marked = database.execute(
            "select count(*) filter (where compacted_at is not null), count(*) from events_stream"
            " where kind = 'job'"
        ).fetchone()
        assert marked == (STREAMS // 2, STREAMS // 2)
        valid = database.execute(
            "select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid"
            " where i.indisvalid and c.relname = any(%s)",
            [["stream_uncompacted", "event_finds"]],
        ).fetchone()
        assert valid == (2,)
        migrated = writer.written
        while writer.is_alive() and writer.written < migrated + 20:
            writer.join(0.05)
