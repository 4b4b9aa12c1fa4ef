"""An edit as pages and programs ask for it: a kind, and what that kind needs."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_noop as _

from accounts.models import User
from knowledge.curation import editing
from knowledge.curation.errors import EditRefused
from knowledge.models import Document, PassageEdit

WHICH = _("Say which passage.")
ON_A_SHELF = _("What is attached to a question cannot be edited.")


@dataclass(frozen=True, slots=True)
class Asked:
    """`next` is the passage that is merged with this one, `at` where it is split."""

    kind: str
    passage: UUID | None = None
    next: UUID | None = None
    at: int | None = None
    text: str = ""


def carry_out(user: User, document: Document, asked: Asked) -> PassageEdit:
    """Raises what `editing` raises; the caller has checked the rights."""
    if document.collection.is_shelf:
        raise EditRefused(ON_A_SHELF)
    if asked.kind == PassageEdit.Kind.ADD:
        return editing.add(user, document, asked.passage, asked.text)
    if asked.passage is None:
        raise EditRefused(WHICH)
    match asked.kind:
        case PassageEdit.Kind.CORRECT:
            return editing.correct(user, document, asked.passage, asked.text)
        case PassageEdit.Kind.SPLIT:
            return editing.split(user, document, asked.passage, asked.at or 0)
        case PassageEdit.Kind.MERGE:
            if asked.next is None:
                raise EditRefused(editing.NO_NEXT)
            return editing.merge(user, document, asked.passage, asked.next)
        case _:
            return editing.exclude(user, document, asked.passage)
