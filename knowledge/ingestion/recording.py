"""What becomes of each step, written down as it happens: a statement for most steps."""

import time
from dataclasses import asdict, dataclass
from typing import Protocol

import orjson
from django.db import connection
from django.db.models.functions import Now

from knowledge.models import Document, Stage

CHECK_EVERY_SECONDS = 0.2
ADVANCE = """
update knowledge_stage s
set status = n.status, done = n.done, total = n.done, reason = '',
    started_at = coalesce(case when n.status = 'done' then s.started_at end, clock_timestamp()),
    finished_at = case when n.status = 'done' then clock_timestamp() end,
    input_hash = n.input_hash, step_version = n.step_version, is_kept = n.is_kept
from jsonb_to_recordset(%s::jsonb) as n (
    name text, status text, done int, input_hash text, step_version text, is_kept bool)
where s.document_id = %s and s.name = n.name
"""


class Progress(Protocol):
    """What a step needs of its job: to report, and to learn that it should stop."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    status: str = Stage.Status.DONE.value
    done: int = 1
    input_hash: str = ""
    step_version: str = ""
    is_kept: bool = False


class Stages:
    """The steps of one document as they follow each other."""

    def __init__(self, document: Document, job: Progress) -> None:
        self._document = document
        self._job = job
        self._name = ""
        self._done: list[Entry] = []
        self._checked = 0.0

    def begin(self, name: Stage.Name, *, is_long: bool = True) -> None:
        """This one is running. One that is not `is_long` is written down when it has ended."""
        now = time.monotonic()
        if now - self._checked > CHECK_EVERY_SECONDS:
            self._job.check()
            self._checked = now
        self._name = name.value
        if is_long:
            self._write(Entry(name.value, Stage.Status.RUNNING.value, 0))

    def end(self, made_of: str = "", by: str = "", *, done: int = 1, is_kept: bool = False) -> None:
        """The running one has done all of its `done`, from this input, by this version of it.

        It is written down with the beginning of the next one, or by `finish`.
        """
        self._done.append(Entry(self._name, Stage.Status.DONE.value, done, made_of, by, is_kept))

    def report(self, done: int, total: int) -> None:
        """Show progress inside a long step; its end is recorded by what comes after."""
        if done < total:
            stage = Stage.objects.filter(document=self._document, name=self._name)
            stage.update(done=done, total=total)
            self._job.progress(self._name, done, total)

    def finish(self) -> None:
        self._write()

    def end_all(self) -> None:
        """There was one thing to do, and it is done."""
        now = Now()
        stages = Stage.objects.filter(document=self._document)
        stages.update(status=Stage.Status.DONE, done=1, total=1, started_at=now, finished_at=now)

    def fail(self, reason: str) -> None:
        self._write()
        stage = Stage.objects.filter(document=self._document, name=self._name)
        stage.update(status=Stage.Status.FAILED, reason=reason, finished_at=Now())

    def _write(self, *more: Entry) -> None:
        entries = [asdict(entry) for entry in (*self._done, *more)]
        self._done.clear()
        if entries:
            with connection.cursor() as cursor:
                cursor.execute(ADVANCE, [orjson.dumps(entries).decode(), self._document.pk])
