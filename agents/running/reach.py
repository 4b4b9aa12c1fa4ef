"""Which documents of a run its person may read now, also those attached to questions."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import User
from knowledge.models import Document
from security.reading import second_lock


def within_reach(user: User, document_ids: Iterable[UUID]) -> list[Document]:
    ids = set(document_ids)
    if not ids:
        return []
    seen = Document.objects.visible_to(user).filter(pk__in=ids)
    own = Document.objects.attached_for(user).filter(pk__in=ids)
    return [*seen, *own]


@second_lock
def readable(user: User, document_ids: Iterable[UUID]) -> set[UUID]:
    return {document.pk for document in within_reach(user, document_ids)}
