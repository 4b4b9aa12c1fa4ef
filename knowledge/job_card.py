"""How the indexing of a collection goes, in one look: for the page, the terminal and programs."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from knowledge.counts import count_documents
from knowledge.models import Collection, Document, DocumentVersion
from knowledge.overview import Progress, find_progress

PROBLEMS = 5
LATELY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Problem:
    document_id: UUID
    title: str
    reason: str  # an English source string; `rows.in_words` says it to a reader


@dataclass(frozen=True, slots=True)
class JobCard:
    """Documents by state. `run` is the present run alone; all others are of the collection."""

    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    paused: int = 0
    is_paused: bool = False
    lately: int = 0  # documents that became ready in the last minute
    passages_lately: int = 0
    run: Progress = field(default_factory=Progress)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        return self.waiting + self.running > 0

    @property
    def is_shown(self) -> bool:
        return self.is_active or self.is_paused or self.paused > 0 or bool(self.problems)

    @property
    def documents_per_minute(self) -> float | None:
        return float(self.lately) if self.is_active else None

    @property
    def seconds_left(self) -> int | None:
        left = self.run.time_left
        return None if left is None else round(left.total_seconds())


def find_card(collection: Collection, user: User | None = None) -> JobCard:
    """`collection` is one that `user` may see, and so are the documents; None: all of them."""
    documents = Document.objects.filter(collection=collection)
    if user is not None:
        documents = documents.shown_to(user)
    counts = count_documents([collection.pk], user)[collection.pk].by_status
    state = Document.Status
    is_active = bool(counts[state.QUEUED] + counts[state.RUNNING])
    lately, passages = (0, 0)
    if is_active:
        fresh = documents.filter(status=state.READY, updated_at__gt=timezone.now() - LATELY)
        found = fresh.aggregate(n=Count("pk"), passages=Sum("chunk_count", default=0))
        lately, passages = found["n"], found["passages"]
    return JobCard(
        waiting=counts[state.QUEUED],
        running=counts[state.RUNNING],
        done=counts[state.READY],
        failed=counts[state.FAILED],
        paused=counts[state.PAUSED],
        is_paused=collection.paused_at is not None,
        lately=lately,
        passages_lately=passages,
        run=find_progress(collection, documents) if is_active else Progress(),
        problems=_problems(documents),
    )


def _problems(documents: "QuerySet[Document]") -> list[Problem]:
    """The latest documents and versions that could not be taken in."""
    failed = documents.filter(status=Document.Status.FAILED)
    found = [
        Problem(*row)
        for row in failed.order_by("-pk").values_list("pk", "title", "reason")[:PROBLEMS]
    ]
    versions = DocumentVersion.objects.newer_failed().filter(document__in=documents)
    rows = versions.order_by("-pk").values_list("document_id", "title", "reason")
    return [*found, *(Problem(*row) for row in rows[: PROBLEMS - len(found)])]
