"""Word to open tabs that something changed: ids only, so that every tab looks for itself.

A notice that is lost leaves a list on a page old until the person looks at that page again.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from events import doorbell


class What(StrEnum):
    """What happened to a conversation; FOLDERS and APPROVALS are a person's
    own."""

    ASKED = "asked"
    NOTED = "noted"  # its person said something to an answer that is being written
    RENAMED = "renamed"
    PLACED = "placed"  # pinned, archived, filed, or back from there
    DELETED = "deleted"
    RESTORED = "restored"
    SHARED = "shared"
    FOLDERS = "folders"
    APPROVALS = "approvals"  # how many calls wait for their word


def notice(
    what: What,
    conversation: UUID | None = None,
    people: Iterable[UUID] = (),
    turn: UUID | None = None,
) -> Any:
    """The message for doorbell.NOTICES; without `people` it is for all who may see it."""
    return {"what": what, "conversation": conversation, "people": list(people), "turn": turn}


def announce(what: What, conversation: UUID | None = None, people: Iterable[UUID] = ()) -> None:
    """Tell the open tabs of these people, once the transaction is committed."""
    message = notice(what, conversation, people)
    transaction.on_commit(partial(doorbell.ring, doorbell.NOTICES, message), robust=True)
