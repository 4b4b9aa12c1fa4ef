"""Pages of a document that are pictures alone: nobody finds them by their words."""

from collections.abc import Sequence

from accounts.models import User
from knowledge.models import Document, DocumentText
from security.reading import second_lock


@second_lock
def list_pages_without_text(user: User, document: Document) -> list[int]:
    """Counted from 1; none where `user` may not see the document."""
    if document.page_count is None:
        return []
    visible = Document.objects.visible_to(user).filter(pk=document.pk)
    texts = DocumentText.objects.filter(document__in=visible)
    return texts.values_list("pages_without_text", flat=True).first() or []


def in_ranges(pages: Sequence[int]) -> str:
    """Neighbours as what they span: `2, 4–6`."""
    spans: list[list[int]] = []
    for page in sorted(pages):
        if spans and page == spans[-1][1] + 1:
            spans[-1][1] = page
        else:
            spans.append([page, page])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in spans)
