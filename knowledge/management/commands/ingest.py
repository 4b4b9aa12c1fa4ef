import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.models import Count, QuerySet, Sum
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from accounts.models import User
from accounts.selectors import find_user
from knowledge import services
from knowledge.errors import UploadRefused
from knowledge.file_names import printable
from knowledge.file_types import FILE_TYPES
from knowledge.models import Collection, Document, Stage
from observability import heartbeats

POLL_SECONDS = 0.3
ENDINGS = frozenset(ending for kind in FILE_TYPES for ending in kind.endings if ending)
ENDED = (Document.Status.READY, Document.Status.FAILED)
GOES_ON = "Not waiting any more. Indexing goes on; the page of the collection shows how far it is."
PAUSED = (
    "The collection is paused: %d documents wait. Press “Go on” on its page, then they are indexed."
)
NOT_RUNNING = (
    "Parley's database does not answer. Start Parley with `make up`, or set DATABASE_URL, "
    "then try again."
)
NO_WORKER = (
    "No worker is running, so the documents wait. Start Parley with `make up`, "
    "or one worker with `python manage.py worker`."
)


class Command(BaseCommand):
    help = (
        "Loads files or whole folders into a collection and shows how far indexing is. The same "
        "bytes twice are one document. Reads " + ", ".join(sorted(ENDINGS)) + "."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a file or folder")
        parser.add_argument(
            "--collection", required=True, metavar="NAME", help="made if it is missing"
        )
        parser.add_argument(
            "--as", dest="email", metavar="EMAIL", help="who adds them (the first administrator)"
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="stay until all are indexed; the exit status says whether all became ready",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._load(options)
        except OperationalError as error:
            raise CommandError(NOT_RUNNING) from error

    def _load(self, options: dict[str, Any]) -> None:
        user = find_person(options["email"])
        files = list(list_files(options["paths"]))
        if not files:
            raise CommandError(f"Nothing to read there. Supported: {', '.join(sorted(ENDINGS))}.")
        collection = find_or_create(user, options["collection"].strip())
        console = Console(stderr=True)
        loaded, refused = self._upload(console, user, collection, files)
        if not loaded:
            raise CommandError("No file was taken.")
        if not _has_worker():
            if options["wait"]:
                raise CommandError(NO_WORKER)
            self.stderr.write(NO_WORKER)
        if collection.paused_at is not None and not options["wait"]:
            self.stderr.write(PAUSED % len(loaded))
        if not options["wait"]:
            self.stdout.write(f"{len(loaded)} documents are queued in “{collection.name}”.")
            return
        try:
            failed = self._wait(console, loaded)
        except KeyboardInterrupt:
            raise CommandError(GOES_ON) from None
        self.stdout.write(f"{len(loaded) - failed} of {len(files)} are ready in “{collection}”.")
        if failed or refused:
            raise SystemExit(1)

    def _upload(
        self, console: Console, user: User, collection: Collection, files: list[Path]
    ) -> tuple[list[UUID], int]:
        """The documents' ids, and how many files were refused; at the end one line for each."""
        loaded: dict[UUID, None] = {}
        refused: list[str] = []
        with _bar(console) as bar:
            task = bar.add_task("Loading", total=len(files))
            for path in files:
                try:
                    with path.open("rb") as file:
                        document, _ = services.add_document(user, collection, file, path.name)
                    loaded[document.pk] = None
                except (UploadRefused, OSError) as error:
                    refused.append(printable(f"{path}: {error}"))
                bar.advance(task)
        for line in refused:
            self.stderr.write(line)
        return list(loaded), len(refused)

    def _wait(self, console: Console, ids: list[UUID]) -> int:
        """Show the progress until every document has ended; return how many failed.

        Raises `CommandError` where those that are left wait for somebody to go on.
        """
        documents = Document.objects.filter(pk__in=ids)
        began = time.monotonic()
        with _bar(console) as bar:
            task = bar.add_task("Indexing", total=len(ids))
            while (left := _left(documents)) and left.keys() != {Document.Status.PAUSED}:
                ended = len(ids) - sum(left.values())
                pace = ended * 60 / max(1.0, time.monotonic() - began)
                said = f"{_describe(ids)}, {pace:,.0f} a minute" if ended else _describe(ids)
                bar.update(task, completed=ended, description=said)
                time.sleep(POLL_SECONDS)
            bar.update(task, completed=len(ids) - sum(left.values()), description="Indexed")
        if left:
            raise CommandError(PAUSED % sum(left.values()))
        failed = documents.filter(status=Document.Status.FAILED)
        for document in failed:
            self.stderr.write(f"{document.file_name}: {document.reason}")
        return failed.count() + len(ids) - documents.count()


def find_person(email: str | None) -> User:
    """The person to act for; without an address the first administrator."""
    if email:
        user = find_user(email)
        if user is None or not user.is_active:
            raise CommandError(f"Nobody here signs in as {email}.")
        return user
    first = User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
    if first is None:
        raise CommandError("There is no administrator yet. Run `make up` once, or use --as EMAIL.")
    return first


def find_or_create(user: User, name: str) -> Collection:
    """The collection of that name that the person may change, their own first; made if missing."""
    if not name:
        raise CommandError("--collection needs a name.")
    editable = list(Collection.objects.editable_by(user).filter(name=name).order_by("id"))
    own = [collection for collection in editable if collection.owner_id == user.pk]
    found: Collection | None = next(iter(own + editable), None)
    return found or services.create_collection(user, name)


def list_files(paths: list[Path]) -> Iterator[Path]:
    """Named files as they are; of folders every readable file, hidden ones left out."""
    for path in paths:
        if not path.exists():
            raise CommandError(f"{printable(str(path))} does not exist.")
        if not path.is_dir():
            yield path
            continue
        for inner in sorted(path.rglob("*")):
            is_hidden = any(part.startswith(".") for part in inner.relative_to(path).parts)
            if inner.is_file() and not is_hidden and inner.suffix.lower() in ENDINGS:
                yield inner


def _left(documents: "QuerySet[Document]") -> dict[str, int]:
    """How many have not ended, by state."""
    counted = documents.exclude(status__in=ENDED).order_by().values("status")
    return dict(counted.annotate(n=Count("pk")).values_list("status", "n"))


def _describe(ids: list[UUID]) -> str:
    stages = Stage.objects.filter(document__in=ids, status=Stage.Status.RUNNING)
    running = stages.filter(name=Stage.Name.EMBED).aggregate(done=Sum("done"), total=Sum("total"))
    if running["total"]:
        return f"Indexing (embedding {running['done']} of {running['total']} passages)"
    return "Indexing"


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)


def _has_worker() -> bool:
    try:
        return bool(heartbeats.seen("worker"))
    except redis.RedisError:
        return False
