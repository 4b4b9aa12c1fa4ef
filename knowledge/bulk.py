"""Several documents of a collection at once."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from uuid import UUID

from django.utils.translation import ngettext

from accounts.models import User
from knowledge import discarding, services
from knowledge.models import Collection, Document

MOST = 500  # documents of one request


class Action(StrEnum):
    REINDEX = "reindex"
    DELETE = "delete"
    RESTORE = "restore"


def act(user: User, collection: Collection, action: Action, ids: Iterable[UUID]) -> list[UUID]:
    """Index, delete or take back those of the documents that are the collection's; which.

    `user` may edit the collection. Ids of other documents do nothing: whoever else deletes one
    meanwhile is no error.
    """
    wanted = list(ids)[:MOST]
    if action is Action.RESTORE:
        return discarding.restore_in(user, collection, wanted)
    run: Callable[[Document], object] = services.reindex_document
    if action is Action.DELETE:
        run = discarding.discard
    found = list(Document.objects.filter(collection=collection, pk__in=wanted))
    for document in found:
        run(document)
    return [document.pk for document in found]


def describe(action: Action, count: int) -> str:
    """What was done, in words."""
    match action:
        case Action.DELETE:
            text = ngettext("%d document is deleted.", "%d documents are deleted.", count)
        case Action.RESTORE:
            text = ngettext("%d document is back.", "%d documents are back.", count)
        case Action.REINDEX:
            text = ngettext(
                "%d document is being indexed again.",
                "%d documents are being indexed again.",
                count,
            )
    return text % (count,)
