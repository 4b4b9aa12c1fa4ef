"""Where the words of a span are to be found in the file itself: on which page, among which others.

For viewers that draw the file and know nothing of the stored text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import User
from knowledge.models import Chunk, Document, DocumentText
from knowledge.reading import Span
from security.reading import second_lock

AROUND = 160  # characters on either side: they tell the words from the same words elsewhere
LONGEST = 4_000
MOST = 20


@dataclass(frozen=True, slots=True)
class Place:
    """`page` is where the passage with these words begins; the words may be on the next."""

    start: int
    end: int
    page: int | None
    quote: str
    before: str
    after: str


@second_lock
def find_places(user: User, document_id: UUID, spans: Sequence[Span]) -> list[Place]:
    """One for each span of the document that lies in its text, if `user` may see it."""
    visible = Document.objects.visible_to(user).filter(pk=document_id)
    texts = DocumentText.objects.filter(document__in=visible)
    text = texts.values_list("text", flat=True).first() if spans else None
    if not text:
        return []
    return [
        _place(text, span, _page(user, document_id, span[0]))
        for span in spans[:MOST]
        if 0 <= span[0] < min(span[1], len(text))
    ]


def _page(user: User, document_id: UUID, offset: int) -> int | None:
    passages = Chunk.objects.visible_to(user).filter(document=document_id, start__lte=offset)
    return passages.order_by("-start").values_list("page", flat=True).first()


def _place(text: str, span: Span, page: int | None) -> Place:
    start, end = span[0], min(span[1], len(text))
    return Place(
        start, end, page,
        quote=text[start : min(end, start + LONGEST)],
        before=text[max(0, start - AROUND) : start],
        after=text[end : end + AROUND],
    )  # fmt: skip
