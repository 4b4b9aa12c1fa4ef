"""Where the words of curators are in a stored text, for pages that show stretches of it.

Callers read as somebody who may see the document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Length

from knowledge.curation.anchors import Span
from knowledge.curation.working_list import BETWEEN
from knowledge.models import DocumentText, PassageEdit


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch that belongs together: the whole source (`kind` is empty), or the words of one
    edit, which stand for `place` in the source. `end` is None at the end of the text."""

    start: int
    end: int | None
    kind: str = ""
    place: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words of a curator with what is quoted of them."""

    kind: str
    before: str
    quote: str
    after: str
    span: Span
    place: Span


def stretches_of(document_id: UUID) -> list[Stretch]:
    """All of a stored text, in their order; one query."""
    edits = PassageEdit.objects.filter(document=document_id, text_start__isnull=False)
    rows = edits.annotate(length=Length("text")).order_by("text_start")
    own = [
        Stretch(start, start + length, kind, (low, high))
        for start, length, kind, low, high in rows.values_list(
            "text_start", "length", "kind", "start", "end"
        )
    ]
    return [Stretch(0, own[0].start - len(BETWEEN) if own else None), *own]


def stretch_at(document_id: UUID, offset: int) -> Stretch:
    return max(
        (one for one in stretches_of(document_id) if one.start <= offset),
        key=lambda one: one.start,
    )


def find_quoted(document_id: UUID, spans: Sequence[Span]) -> list[Quoted]:
    """Those of the spans that lie in words of curators, with these words."""
    if not spans:
        return []
    stretches = stretches_of(document_id)
    if len(stretches) == 1:
        return []
    text = DocumentText.objects.filter(document=document_id).values_list("text", flat=True).first()
    found = []
    for start, end in spans:
        own = max((one for one in stretches if one.start <= start), key=lambda one: one.start)
        if not own.kind or text is None or start >= len(text):
            continue
        stop = min(end, own.end or end)
        low, high = own.place
        place = (low, high) if low < high else (max(0, high - 1), high)
        found.append(
            Quoted(
                own.kind,
                text[own.start : start],
                text[start:stop],
                text[stop : own.end],
                (start, end),
                place,
            )
        )
    return found
