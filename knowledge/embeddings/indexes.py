"""The HNSW index of a version: built beside everybody's work, with the memory that it needs.

A graph that fits into `maintenance_work_mem` is built many times faster than one that does not,
and faster than one that grows row by row. Nothing here runs inside a transaction: `concurrently`
cannot.
"""

import threading
from collections.abc import Callable

import psutil
import psycopg
from django.conf import settings
from django.db import connection

from knowledge.embeddings.storages import (
    BINARY,
    FLOAT,
    Version,
    index_name,
    index_sql,
    is_indexable,
)
from knowledge.models import Embedding
from observability.db import connect_directly

# Of a node beside its vector: twice `m` neighbours of 16 bytes, its place, what the allocator
# rounds up. Of 1,000,000 x 384 (half) 1,178 MB held 835,000, which is 711 bytes; nodes that come
# when the memory is full take three times as long.
NODE_BYTES = 750
MEGABYTE = 2**20
MEMORY_SHARE = 0.25  # of what the machine has free, where Postgres is on this machine
LOOK_EVERY = 0.5  # seconds
STATE = """
select i.indisvalid, pg_relation_size(i.indexrelid)
from pg_index i where i.indexrelid = to_regclass(%s)
"""
PROGRESS = """
select blocks_done, blocks_total from pg_stat_progress_create_index where pid = %s
"""

Report = Callable[[int, int], None]


def is_built(version: Version) -> bool:
    state = _state(version)
    return state is not None and state[0]


def index_bytes(version: Version) -> int:
    state = _state(version)
    return state[1] if state else 0


def build(version: Version, report: Report | None = None) -> bool:
    """Give the version its index if it has none that is whole; whether one was built.

    `report` is called twice a second and stops the building by raising; what is left of it is
    removed by the next call.
    """
    if not is_indexable(version) or is_built(version):
        return False
    drop(version)
    with connect_directly() as apart:
        apart.execute(f"set maintenance_work_mem = '{memory_for(version)}MB'")
        _run_watched(apart, index_sql(version), report)
    return True


def drop(version: Version) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"drop index concurrently if exists {index_name(version)}")


def memory_for(version: Version) -> int:
    """Megabytes for building the graph: what it needs, as far as this machine can spare them.

    Of a Postgres elsewhere nothing is known; its own setting stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select setting::bigint / 1024 from pg_settings where name = 'maintenance_work_mem'"
        )
        (own,) = cursor.fetchone() or (64,)
    if not str(settings.DATABASES["default"].get("HOST", "")).startswith("/"):
        return int(own)
    count = Embedding.objects.filter(version=version.pk).count()
    needed = count * node_bytes(version) // MEGABYTE + 16
    spare = int(psutil.virtual_memory().available * MEMORY_SHARE) // MEGABYTE
    return max(int(own), min(needed, spare))


def node_bytes(version: Version) -> int:
    width = {FLOAT: 4.0, BINARY: 1 / 8}.get(version.storage, 2.0)
    return round(version.dimensions * width) + NODE_BYTES


def _state(version: Version) -> tuple[bool, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(STATE, [index_name(version)])
        found: tuple[bool, int] | None = cursor.fetchone()
    return found


def _run_watched(
    apart: "psycopg.Connection[tuple[object, ...]]", statement: str, report: Report | None
) -> None:
    """Run it in a thread of its own, so that whoever waits can go on giving signs of life."""
    failures: list[psycopg.Error] = []

    def run() -> None:
        try:
            apart.execute(statement.encode())
        except psycopg.Error as error:  # told to whoever waits
            failures.append(error)

    thread = threading.Thread(target=run, name="index-build", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            if report is not None:
                report(*_progress(apart.info.backend_pid))
            thread.join(LOOK_EVERY)
    except BaseException:
        apart.cancel()
        thread.join()
        raise
    if failures:
        raise failures[0]


def _progress(pid: int) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, [pid])
        done, total = cursor.fetchone() or (0, 0)
    return done, max(total, done + 1)
