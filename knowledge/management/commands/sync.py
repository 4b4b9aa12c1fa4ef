import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from accounts.models import User
from knowledge.file_names import printable
from knowledge.management.commands.ingest import (
    NOT_RUNNING,
    PAUSED,
    POLL_SECONDS,
    find_person,
    watch,
)
from knowledge.models import Document, Source, SyncRun
from knowledge.queueing import WORKING
from knowledge.sources import kinds, services
from knowledge.sources.services import SourceRefused
from knowledge.sources.settings import place_of


class Command(BaseCommand):
    help = (
        "Brings collections in step with their sources. Without a name it lists the sources. The "
        "work is done by the workers; this starts it and shows how far it is."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="a name or an id")
        parser.add_argument("--all", action="store_true", help="every source that is not paused")
        parser.add_argument("--collection", metavar="NAME", help="only sources of this collection")
        parser.add_argument(
            "--as", dest="email", metavar="EMAIL", help="who asks (the first administrator)"
        )
        parser.add_argument(
            "--preview", action="store_true", help="store nothing, say what would come"
        )
        parser.add_argument(
            "--full", action="store_true", help="also try again what was refused for what it is"
        )
        parser.add_argument(
            "--with-deleted", action="store_true", help="also bring back what people deleted here"
        )
        parser.add_argument(
            "--wait", action="store_true",
            help="stay until all have ended; the exit status says whether all succeeded",
        )  # fmt: skip
        parser.add_argument(
            "--indexed", action="store_true",
            help="stay until what came is indexed too; the exit status says whether it all is",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._sync(options)
        except OperationalError as error:
            raise CommandError(NOT_RUNNING) from error

    def _sync(self, options: dict[str, Any]) -> None:
        user = find_person(options["email"])
        found = self._find(user, options)
        if not options["sources"] and not options["all"]:
            self._list(found)
            return
        runs = [run for source in found if (run := self._start(user, source, options))]
        if not runs:
            raise CommandError("No sync was started.")
        if options["wait"] or options["indexed"]:
            console = Console(stderr=True)
            failed = self._wait(console, runs)
            if not options["preview"]:
                failed += self._see_indexed(console, runs, stays=options["indexed"])
            if failed or len(runs) < len(found):
                raise SystemExit(1)
        else:
            self.stdout.write(f"{len(runs)} syncs are queued.")

    def _find(self, user: User, options: dict[str, Any]) -> list[Source]:
        """Those that are named, each name at least once; or all that the person looks after."""
        mine = Source.objects.editable_by(user).select_related("collection")
        if options["collection"]:
            mine = mine.filter(collection__name=options["collection"])
        everything = list(mine.order_by("collection__name", "name", "id"))
        if not options["sources"]:
            return [one for one in everything if not options["all"] or _is_ready(one)]
        found: dict[Any, Source] = {}
        for name in options["sources"]:
            named = [one for one in everything if name in {one.name, str(one.pk)}]
            if not named:
                raise CommandError(f"There is no source “{printable(name)}”.")
            found |= {one.pk: one for one in named}
        return list(found.values())

    def _list(self, found: list[Source]) -> None:
        for source in found:
            last = source.runs.filter(is_preview=False).first()
            state = "paused" if source.is_paused else last.status if last else "never synced"
            place = printable(place_of(source.kind, source.settings))
            self.stdout.write(
                f"{source.pk}  {source.collection.name} / {source.name}  [{source.kind}] {place}  "
                f"{source.schedule}, {state}"
            )
        if not found:
            self.stdout.write("There are no sources. Add one on the page of a collection.")

    def _start(self, user: User, source: Source, options: dict[str, Any]) -> SyncRun | None:
        try:
            return services.start_sync(
                source, user, is_preview=options["preview"], is_full=options["full"],
                with_deleted=options["with_deleted"],
            )  # fmt: skip
        except SourceRefused as refusal:
            self.stderr.write(f"{source.name}: {refusal}")
            return None

    def _wait(self, console: Console, runs: list[SyncRun]) -> int:
        """A bar for each until it has ended; how many did not succeed."""
        names = {run.pk: run.source.name for run in runs}
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
            tasks = {
                pk: bars.add_task(printable(name), total=None, told="")
                for pk, name in names.items()
            }
            while True:
                current = list(SyncRun.objects.filter(pk__in=names))
                for run in current:
                    told = _told(run) + _left(run)
                    bars.update(tasks[run.pk], total=run.total, completed=run.seen, told=told)
                if not any(run.status in {"queued", "running"} for run in current):
                    break
                time.sleep(POLL_SECONDS)
        for run in current:
            self.stdout.write(f"{names[run.pk]}: {run.status}. {_told(run)}")
            if run.reason:
                self.stderr.write(f"{names[run.pk]}: {run.reason}")
            for entry in run.sample:
                if entry["reason"]:
                    self.stderr.write(printable(f"  {entry['item']}: {entry['reason']}"))
        return sum(run.status != SyncRun.Status.SUCCEEDED for run in current)

    def _see_indexed(self, console: Console, runs: list[SyncRun], *, stays: bool) -> int:
        """What became of the documents that came; how many failed. Who does not stay is told that
        they are in work."""
        documents = Document.objects.filter(source__in=[run.source_id for run in runs])
        working = documents.filter(status__in=(*WORKING, Document.Status.PAUSED))
        ids = list(working.values_list("pk", flat=True))
        if not stays:
            if ids:
                self.stdout.write(f"{len(ids)} documents are being indexed; --indexed waits.")
            return 0
        if left := watch(console, documents.filter(pk__in=ids), len(ids)):
            self.stderr.write(PAUSED % left)
        failed = documents.filter(status=Document.Status.FAILED)
        for document in failed.select_related("source"):
            told = f"{document.source.name}: {document.file_name}: {document.reason}"
            self.stderr.write(printable(told))
        ready = documents.filter(status=Document.Status.READY)
        self.stdout.write(f"{ready.count()} documents are ready, {failed.count()} failed.")
        return left + failed.count()


def _is_ready(source: Source) -> bool:
    return kinds.has_walk(source) and not source.is_paused


def _told(run: SyncRun) -> str:
    if run.is_preview:
        return f"{run.added} would come, {run.failed} would be refused"
    return (
        f"{run.added} added, {run.changed} changed, {run.unchanged} unchanged, "
        f"{run.removed} gone, {run.failed} failed"
    )


def _left(run: SyncRun) -> str:
    if run.minutes_left is None:
        return ""
    return f"; about {run.minutes_left:,} min left" if run.minutes_left else "; a moment left"
