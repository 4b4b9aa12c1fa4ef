"""A stretch of a document's text, for whoever reads on and on, as the person may read it."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, F, Min, Q, When
from django.db.models.functions import Length, Substr
from django.http import Http404

from accounts.models import User
from knowledge.models import Chunk, Document, DocumentText
from knowledge.retrieval.surroundings import passage_of
from knowledge.types import Passage
from security.reading import second_lock

EVERYTHING = Q()


class NothingToRead(Exception):
    """The document is there, but not this stretch of it; the text says why, for models."""


@dataclass(frozen=True, slots=True)
class Window:
    """The text from `start` to `end`, of `length` characters in all."""

    document_id: UUID
    collection_id: UUID  # or its own id, where its access is its own
    title: str
    text: str
    start: int
    length: int
    page_count: int | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def next_start(self) -> int | None:
        """Where to read on; None at the end of the document."""
        return self.end if self.end < self.length else None


@second_lock
def read_window(
    user: User, document_id: UUID, start: int, length: int, within: Q = EVERYTHING
) -> Window:
    """Only what is asked for leaves the database. `within` narrows what may be read further.

    Raises Http404, and NothingToRead where there is no such stretch.
    """
    visible = Document.objects.visible_to(user).filter(within, pk=document_id)
    row = (
        DocumentText.objects.filter(document__in=visible)
        .annotate(
            window=Substr("text", start + 1, length),
            whole=Length("text"),
            title=F("document__title"),
            space=Case(
                When(document__is_apart=True, then=F("document")), default=F("document__collection")
            ),
            pages=F("document__page_count"),
        )
        .values("window", "whole", "title", "space", "pages")
        .first()
    )
    if row is None:
        if visible.exists():
            raise NothingToRead("This document has no text yet: it waits or could not be read.")
        raise Http404
    if start >= max(row["whole"], 1):
        raise NothingToRead(f"This document ends at character {row['whole']}.")
    return Window(
        document_id, row["space"], row["title"], row["window"], start, row["whole"],
        row["pages"],
    )  # fmt: skip


@second_lock
def start_of_page(user: User, document_id: UUID, page: int, within: Q = EVERYTHING) -> int:
    """Where the first passage begins that is on this page or behind it.

    Raises Http404, and NothingToRead where the document has no such page.
    """
    visible = Document.objects.visible_to(user).filter(within, pk=document_id)
    if not visible.exists():
        raise Http404
    found = Chunk.objects.filter(document__in=visible, page__gte=page)
    start: int | None = found.aggregate(first=Min("start"))["first"]
    if start is None:
        raise NothingToRead("This document has no such page; read by `start`.")
    return start


@second_lock
def passages_in(user: User, window: Window) -> list[Passage]:
    """The passages that a window touches, in reading order."""
    rows = Chunk.objects.visible_to(user).filter(
        document=window.document_id, start__lt=window.end, end__gt=window.start
    )
    rows = rows.select_related("document").defer("terms", "bm25").order_by("position")
    return [passage_of(chunk) for chunk in rows]
