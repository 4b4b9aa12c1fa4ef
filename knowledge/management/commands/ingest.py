import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.models import Count, QuerySet, Sum
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

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
LEFT = (Document.Status.QUEUED, Document.Status.RUNNING, Document.Status.PAUSED)
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
    requires_system_checks: list[str] = []

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
        if others := _left_out(options["paths"]):
            self.stderr.write(f"Left out, of types that are not read: {others}.")
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
        same = len(files) - refused - len(loaded)
        rest = {"failed": failed, "refused": refused, "the same as others": same}
        told = ", ".join(f"{count} {what}" for what, count in rest.items() if count)
        ready = f"{len(loaded) - failed} of {len(files)} are ready in “{collection}”"
        self.stdout.write(f"{ready}; {told}." if told else f"{ready}.")
        if failed or refused:
            raise SystemExit(1)

    def _upload(
        self, console: Console, user: User, collection: Collection, files: list[Path]
    ) -> tuple[dict[UUID, Path], int]:
        """The documents with a file of each, and how many files were refused; at the end one line
        for each of those."""
        loaded: dict[UUID, Path] = {}
        refused: list[str] = []
        with _bar(console, TimeRemainingColumn()) as bar:
            task = bar.add_task("Loading", total=len(files))
            for path in files:
                try:
                    with path.open("rb") as file:
                        document, _ = services.add_document(user, collection, file, path.name)
                    loaded.setdefault(document.pk, path)
                except (UploadRefused, OSError) as error:
                    refused.append(printable(f"{path}: {error}"))
                bar.advance(task)
        for line in refused:
            self.stderr.write(line)
        return loaded, len(refused)

    def _wait(self, console: Console, loaded: dict[UUID, Path]) -> int:
        """Show the progress until every document has ended; return how many failed.

        Raises `CommandError` where those that are left wait for somebody to go on.
        """
        documents = Document.objects.filter(pk__in=list(loaded))
        if left := watch(console, documents, len(loaded)):
            raise CommandError(PAUSED % left)
        failed = documents.filter(status=Document.Status.FAILED)
        for document in failed:
            self.stderr.write(printable(f"{loaded[document.pk]}: {document.reason}"))
        return failed.count() + len(loaded) - documents.count()


def watch(console: Console, documents: "QuerySet[Document]", total: int = 0) -> int:
    """A bar until all have ended that somebody lets go on; how many are paused. Without a `total`
    it is of those that have not ended."""
    began = time.monotonic()
    with _bar(console) as bar:
        task = bar.add_task("Indexing", total=total or None)
        while (left := _left(documents)) and left.keys() != {Document.Status.PAUSED}:
            total = max(total, sum(left.values()))
            ended = total - sum(left.values())
            told = _pace(ended, total, time.monotonic() - began)
            bar.update(task, completed=ended, total=total, description=_describe(documents) + told)
            time.sleep(POLL_SECONDS)
        bar.update(task, completed=total - sum(left.values()), description="Indexed")
    return sum(left.values())


def _pace(ended: int, total: int, seconds: float) -> str:
    """Of all the time so far: a document that takes long does not make it jump."""
    if not ended:
        return ""
    minutes = round((total - ended) * seconds / ended / 60)
    left = f"about {minutes:,} min left" if minutes else "less than a minute left"
    return f", {ended * 60 / max(1.0, seconds):,.0f} a minute, {left}"


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
        if path.is_dir():
            yield from (one for one in _inside(path) if one.suffix.lower() in ENDINGS)
        else:
            yield path


def _inside(folder: Path) -> Iterator[Path]:
    for inner in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in inner.relative_to(folder).parts)
        if inner.is_file() and not is_hidden:
            yield inner


def _left_out(paths: list[Path]) -> str:
    """What folders hold besides, by its endings, the most frequent first: `.zip (6), .mp4 (1)`."""
    inside = (one for path in paths if path.is_dir() for one in _inside(path))
    endings = Counter(one.suffix.lower() for one in inside)
    others = [(ending, n) for ending, n in endings.most_common() if ending not in ENDINGS]
    return ", ".join(printable(f"{ending or 'without an ending'} ({n})") for ending, n in others)


def _left(documents: "QuerySet[Document]") -> dict[str, int]:
    """How many have not ended, by state."""
    counted = documents.filter(status__in=LEFT).order_by().values("status")
    return dict(counted.annotate(n=Count("pk")).values_list("status", "n"))


def _describe(documents: "QuerySet[Document]") -> str:
    stages = Stage.objects.filter(document__in=documents, status=Stage.Status.RUNNING)
    running = stages.filter(name=Stage.Name.EMBED).aggregate(done=Sum("done"), total=Sum("total"))
    if running["total"]:
        return f"Indexing (embedding {running['done']} of {running['total']} passages)"
    return "Indexing"


def _bar(console: Console, *more: ProgressColumn) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more)
    return Progress(*columns, console=console, transient=True)


def _has_worker() -> bool:
    try:
        return bool(heartbeats.seen("worker"))
    except redis.RedisError:
        return False
