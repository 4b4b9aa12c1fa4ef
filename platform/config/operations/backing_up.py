"""A backup: rows and files of one moment, while everybody goes on working.

One read-only transaction is the moment: pg_dump, the counts and the list of files all see it. Files
never change under their ids, so copying them later copies the same bytes; that none of them is
removed meanwhile is the advisory lock's work (`knowledge.storage.retire`).
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings

from config.operations.wording import number, size
from embedded.backup.archive import DATABASE, PIECE, Writer, verify, written_whole
from embedded.backup.errors import BackupError
from embedded.backup.manifest import Manifest, Table
from embedded.backup.snapshot import Snapshot, measure_tables, snapshot
from embedded.backup.tools import find_tools
from embedded.console import Step, step
from knowledge.storage import FILES_LOCK, path_of

# Every stored file: of what is searched, and of the versions beside it.
DOCUMENTS = """
select coalesce(file_id, id)::text, size, sha256 from knowledge_document
union select file_id::text, size, sha256 from knowledge_documentversion
order by 1
"""
MIGRATIONS = "select app || '.' || name from django_migrations order by id"
# Every column that holds what `security.secrets` sealed.
SEALED = (
    ("gateway_endpoint", "secret"), ("accounts_budget", "secret"), ("knowledge_source", "secret"),
    ("agents_mcpserver", "secret"), ("agents_mcpaccount", "secret"),
    ("agents_mcprevocation", "secret"),
)  # fmt: skip


def default_path() -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Path(settings.PARLEY_HOME.path) / "backups" / f"parley-{moment}.tar"


def back_up(path: Path, *, with_keys: bool = False) -> Manifest:
    """Write one verified backup to `path`, or nothing. Raises `BackupError`."""
    with (
        snapshot(settings.DATABASE_URL, FILES_LOCK) as moment,
        written_whole(path, _verify) as file,
    ):
        if not moment.has_table("django_migrations"):
            raise BackupError("There is no data here yet: nothing to back up.")
        writer = Writer(file, time.time())
        tools = find_tools(moment.server_major, is_embedded=is_embedded())
        tables = _measure(moment)
        with step("Database") as current:
            dump = tools.dump(settings.DATABASE_URL, moment.name)
            part = writer.add(DATABASE, _shown(dump, current))
            current.detail = size(part.size)
        lost = _add_files(writer, moment)
        if with_keys:
            _add_keys(writer)
        manifest = Manifest(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            postgres=moment.server_major,
            pg_dump=tools.major,
            database_bytes=moment.database_bytes(),
            migrations=[name for (name,) in moment.connection.execute(MIGRATIONS).fetchall()],
            tables=tables,
            secret_keys=_count_secrets(moment),
            lost_files=lost,
            parts=writer.parts,
        )
        writer.close(manifest)
    return manifest


def is_embedded() -> bool:
    return bool(settings.PARLEY_HOME.database_url() == settings.DATABASE_URL)


def _measure(moment: Snapshot) -> dict[str, Table]:
    tables = {}
    with step("Rows") as current:
        for name, table in measure_tables(moment.connection):
            tables[name] = table
            current.show(name)
        rows = sum(table.rows for table in tables.values())
        current.detail = f"{number(rows, 'row')} in {number(len(tables), 'table')}"
    return tables


def _add_files(writer: Writer, moment: Snapshot) -> list[str]:
    """Copy what the rows name; the ids of those that are missing or no longer what was uploaded."""
    lost, total, count = [], 0, 0
    with step("Files") as current:
        for document_id, wanted_size, sha256 in moment.stream(DOCUMENTS):
            try:
                file = path_of(UUID(document_id)).open("rb")
            except OSError:
                lost.append(document_id)
                continue
            with file:
                part = writer.add(f"files/{document_id}", _pieces(file))
            if (part.size, part.sha256) != (wanted_size, sha256):
                lost.append(document_id)
            total, count = total + part.size, count + 1
            current.show(f"{number(count, 'file')}, {size(total)}")
        current.detail = f"{number(count, 'file')}, {size(total)}"
    return lost


def _add_keys(writer: Writer) -> None:
    with step("Keys") as current:
        files = sorted(Path(settings.PARLEY_HOME.keys).glob("*.key"))
        for path in files:
            writer.add(f"keys/{path.name}", [path.read_bytes()])
        current.detail = number(len(files), "key file")


def _count_secrets(moment: Snapshot) -> dict[str, int]:
    """How many secrets each key has sealed, by the key's id."""
    counts: dict[str, int] = {}
    for table, column in SEALED:
        query = (
            f"select encode(substring({column} from 2 for 4), 'hex'), count(*) from {table} "  # noqa: S608
            f"where {column} is not null group by 1"
        )
        for key_id, count in moment.connection.execute(query).fetchall():
            counts[key_id] = counts.get(key_id, 0) + count
    return counts


def _verify(path: Path) -> None:
    with step("Verified") as current:
        done = 0

        def seen(count: int) -> None:
            nonlocal done
            done += count
            current.show(size(done))

        verify(path, seen)
        current.detail = "every byte was read again"


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _shown(pieces: Iterator[bytes], current: Step) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        current.show(size(done))
