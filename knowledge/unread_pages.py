"""Pages of a document that are pictures alone: nobody finds them by words that were not read."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from knowledge.models import Document, DocumentText
from security.reading import second_lock


@dataclass(frozen=True, slots=True)
class PicturePages:
    """Counted from 1: those without words, and those whose words `extraction.ocr` read."""

    unread: Sequence[int] = ()
    by_ocr: Sequence[int] = ()


@second_lock
def find_picture_pages(user: User, document: Document) -> PicturePages:
    """None where `user` may not see the document."""
    if document.page_count is None:
        return PicturePages()
    visible = Document.objects.visible_to(user).filter(pk=document.pk)
    texts = DocumentText.objects.filter(document__in=visible)
    found = texts.values_list("pages_without_text", "pages_by_ocr").first() or ([], [])
    return PicturePages(found[0] or (), found[1] or ())


def in_ranges(pages: Sequence[int]) -> str:
    """Neighbours as what they span: `2, 4–6`."""
    spans: list[list[int]] = []
    for page in sorted(pages):
        if spans and page == spans[-1][1] + 1:
            spans[-1][1] = page
        else:
            spans.append([page, page])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in spans)
