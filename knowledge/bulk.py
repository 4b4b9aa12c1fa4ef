"""Several documents of a collection at once."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from knowledge import discarding
from knowledge.curation import shelving
from knowledge.models import Collection, Document
from knowledge.queueing import index_again

MOST = 500  # documents of one request


class Action(StrEnum):
    REINDEX = "reindex"
    DELETE = "delete"
    RESTORE = "restore"
    EXCLUDE = "exclude"
    INCLUDE = "include"
    MOVE = "move"


UNDONE_BY = {
    Action.DELETE: Action.RESTORE,
    Action.EXCLUDE: Action.INCLUDE,
    Action.INCLUDE: Action.EXCLUDE,
    Action.MOVE: Action.MOVE,
}


def act(
    user: User,
    collection: Collection,
    action: Action,
    ids: Iterable[UUID],
    target: Collection | None = None,
) -> list[UUID]:
    """Do that to those of the documents that are the collection's; to which it was done.

    `user` may edit the collection, and the `target` of a move. Ids of other documents do nothing:
    whoever else deletes one meanwhile is no error. What is in work is neither excluded nor moved.
    """
    wanted = list(ids)[:MOST]
    if action is Action.RESTORE:
        return discarding.restore_in(user, collection, wanted)
    run = _run(action, target)
    found = list(Document.objects.filter(collection=collection, pk__in=wanted))
    return [document.pk for document in found if run(document) is not False]


def _run(action: Action, target: Collection | None) -> Callable[[Document], object]:
    match action:
        case Action.DELETE:
            return discarding.discard
        case Action.EXCLUDE:
            return shelving.exclude
        case Action.INCLUDE:
            return shelving.include
        case Action.MOVE:
            assert target is not None
            return partial(shelving.move, target=target)
        case _:
            return index_again


def doing(action: Action) -> str:
    """What is being done, in words."""
    match action:
        case Action.DELETE:
            return _("Deleting documents")
        case Action.RESTORE:
            return _("Bringing documents back")
        case Action.EXCLUDE:
            return _("Excluding documents from search")
        case Action.INCLUDE:
            return _("Including documents in search")
        case Action.MOVE:
            return _("Moving documents")
        case Action.REINDEX:
            return _("Queueing documents to be indexed again")


def describe(action: Action, count: int) -> str:
    """What was done, in words."""
    match action:
        case Action.DELETE:
            text = ngettext("%d document is deleted.", "%d documents are deleted.", count)
        case Action.RESTORE:
            text = ngettext("%d document is back.", "%d documents are back.", count)
        case Action.EXCLUDE:
            text = ngettext(
                "%d document is excluded from search.",
                "%d documents are excluded from search.",
                count,
            )
        case Action.INCLUDE:
            text = ngettext(
                "%d document is being included in search again.",
                "%d documents are being included in search again.",
                count,
            )
        case Action.MOVE:
            text = ngettext("%d document is moved.", "%d documents are moved.", count)
        case Action.REINDEX:
            text = ngettext(
                "%d document is being indexed again.",
                "%d documents are being indexed again.",
                count,
            )
    return text % (count,)
