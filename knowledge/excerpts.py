"""A stretch of a document around the spans that an answer quotes."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet
from django.db.models.functions import Length, Substr

from accounts.models import User
from knowledge.curation.own_words import Stretch, stretch_at
from knowledge.models import Document, DocumentText, DocumentVersion, VersionText
from security.reading import second_lock

CONTEXT = 320  # characters shown on either side of the outermost spans
LONGEST = 6000  # characters between the outermost spans
# A line break inside a paragraph of a wrapped text file: a long line before it, no table row.
SOFT_BREAK = re.compile(
    r"(?<=[^\n|]{50})\n(?=[^\n|])|(?<=[\u3400-\u9fff，、]{20})\n(?=[\u3400-\u9fff])"
)
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Segment:
    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    document: Document
    segments: list[Segment]
    starts_inside: bool
    ends_inside: bool
    """Whether there is more of the document before the first and after the last segment."""
    edit: str = ""
    """Where these are words of a curator: what was done (`PassageEdit.Kind`)."""


@second_lock
def find_excerpt(
    user: User | AnonymousUser, document_id: UUID, spans: list[Span], version: int | None = None
) -> Excerpt | None:
    """The text around `spans` (offsets into the extracted text), of a version of the document that
    is kept, else of the one that is searched.

    None if `user` may not see the document, or where it has no such text.
    """
    document = Document.objects.visible_to(user).filter(pk=document_id).first()
    if document is None or not spans or any(start >= end for start, end in spans):
        return None
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    past = _past(user, document, version)
    texts = DocumentText.objects.filter(document__in=Document.objects.visible_to(user))
    texts = texts.filter(document=document) if past is None else past
    stretch = stretch_at(document_id, first) if past is None else Stretch(0, None)
    low = max(stretch.start, first - CONTEXT)
    high = min(last, first + LONGEST) + CONTEXT
    high = min(high, stretch.end) if stretch.end else high
    row = (
        texts.annotate(window=Substr(F("text"), low + 1, high - low), length=Length("text"))
        .values_list("window", "length")
        .first()
    )
    if row is None or first >= row[1]:
        return None
    window, length = _unwrapped(row[0]), row[1]
    length = min(length, stretch.end) if stretch.end else length
    skipped = _to_sentence_start(window, first - low) if low > stretch.start else 0
    kept = _to_sentence_end(window, last - low) if high < length else len(window)
    kept = min(last - low, kept) + len(window[last - low : kept].rstrip())
    segments = _segments(window, skipped, kept, [(a - low, b - low) for a, b in sorted(spans)])
    starts_inside = low + skipped > stretch.start
    return Excerpt(document, segments, starts_inside, low + kept < length, stretch.kind)


def _past(
    user: User | AnonymousUser, document: Document, version: int | None
) -> "QuerySet[Any] | None":
    """The text of a replaced version; None where the searched one is asked for, or all there is."""
    if version in {None, document.version_number}:
        return None
    versions = DocumentVersion.objects.visible_to(user).filter(document=document, number=version)
    found: QuerySet[Any] = VersionText.objects.filter(version__in=versions)
    return found if found.exists() else None


def _unwrapped(window: str) -> str:
    """The same text, character for character, with soft line breaks made invisible."""

    def joined(match: re.Match[str]) -> str:
        return " " if window[match.start() - 1].isascii() else "\u200b"

    return SOFT_BREAK.sub(joined, window)


def _to_sentence_start(window: str, limit: int) -> int:
    """Where the first whole sentence or word before `limit` begins."""
    for pattern in (r"[.!?]\s+|[。！？\n]", r"\s"):
        if match := re.search(pattern, window[:limit]):
            return match.end()
    return 0


def _to_sentence_end(window: str, limit: int) -> int:
    """Where the last whole sentence or word after `limit` ends."""
    for pattern in (r"[.!?](?=\s)|[。！？]|(?=\n)", r"(?=\s)"):
        ends = [match.end() for match in re.finditer(pattern, window[limit:])]
        if ends:
            return limit + ends[-1]
    return len(window)


def _segments(window: str, low: int, high: int, spans: list[Span]) -> list[Segment]:
    segments: list[Segment] = []
    at = low
    for first, last in spans:
        start, end = max(first, at), min(last, high)
        if start >= end:
            continue
        if start > at:
            segments.append(Segment(window[at:start], is_marked=False))
        segments.append(Segment(window[start:end], is_marked=True))
        at = end
    if at < high:
        segments.append(Segment(window[at:high], is_marked=False))
    return segments
