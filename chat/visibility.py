"""Sources only for those who may see them: sharing an answer shares no document.

Steps and events of a turn name documents by title, heading and quote. Whatever leaves the server
goes through here first and loses those whose document the reader may not see now, or that are
gone; the numbers of the others stay as they are in the text.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError
from django.utils import translation

from accounts.models import User
from chat.spoken import has_sentences, rows_in_words
from chat.why.kinds import KEPT
from events.types import DELTA_KINDS, EventRow, Payload
from knowledge.models import Document
from observability.db import run_sync
from security.reading import second_lock

# Lists in events and steps whose items name documents.
NAMING = {
    "query_searched": ("passages",),
    "retrieval_completed": ("passages",),
    "tool_completed": ("passages",),
    "attachments_read": ("attachments", "passages"),
}
REMEMBERED_SECONDS = 2.0
RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


@second_lock
def visible_documents(user: User | AnonymousUser, document_ids: Iterable[str]) -> set[str]:
    """Those of the ids whose document `user` may see; one query, none for no ids."""
    wanted = set(document_ids)
    if not wanted:
        return set()
    found = Document.objects.visible_to(user).filter(pk__in=wanted)
    return {str(pk) for pk in found.values_list("pk", flat=True)}


def documents_in(kind: str, payload: Payload) -> set[str]:
    """Ids of the documents that an event or step of this kind tells of."""
    if kind == "citation_added" and payload:  # an empty one told of a document that is gone
        return {payload["document_id"]}
    return {item["document_id"] for name in NAMING.get(kind, ()) for item in payload[name]}


def without_hidden(kind: str, payload: Payload, visible: set[str]) -> Payload | None:
    """The payload without what tells of other documents than these; None if nothing is left."""
    named = documents_in(kind, payload)
    if kind == "citation_added":
        return payload if payload and named <= visible else None
    if named <= visible:
        return payload
    kept = {
        name: [item for item in payload[name] if item["document_id"] in visible]
        for name in NAMING[kind]
    }
    return {**payload, **kept}


def visible_steps(
    user: User | AnonymousUser, messages_steps: Sequence[Sequence[dict[str, Any]]]
) -> list[list[dict[str, Any]]]:
    """The stored steps of several messages as `user` may see them; one query for all. What is kept
    for "Why this answer" alone is not among them."""
    named = [documents_in(s["kind"], s["data"]) for steps in messages_steps for s in steps]
    visible = visible_documents(user, set().union(*named))
    return [
        [
            {**step, "data": data}
            for step in steps
            if step["kind"] not in KEPT
            and (data := without_hidden(step["kind"], step["data"], visible)) is not None
        ]
        for steps in messages_steps
    ]


class Screen:
    """Lets one reader's live events through, with decisions that are at most two seconds old, and
    says them in `language`: else the reader's own."""

    def __init__(
        self, user: User, language: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._user_id: UUID = user.pk
        self._language = language or user.language or settings.LANGUAGE_CODE
        self._clock = clock
        self._decided: dict[str, tuple[float, bool]] = {}

    async def let_through(self, rows: Sequence[EventRow]) -> list[EventRow]:
        """These events as the reader may see them, in their words, order and with their numbers."""
        rows = self._said(rows)
        telling = [row for row in rows if row.kind not in DELTA_KINDS]  # words name no document
        named: set[str] = set().union(*(documents_in(row.kind, row.payload) for row in telling))
        if not named:
            return rows
        visible = await self._visible(named)
        return [
            row._replace(payload=payload)
            for row in rows
            if (payload := without_hidden(row.kind, row.payload, visible)) is not None
        ]

    def _said(self, rows: Sequence[EventRow]) -> list[EventRow]:
        """A language is only put on for rows that say something: it costs as much as a frame."""
        if not any(map(has_sentences, rows)):
            return list(rows)
        with translation.override(self._language):
            return rows_in_words(rows)

    async def _visible(self, named: set[str]) -> set[str]:
        now = self._clock()
        self._decided = {
            document: decision for document, decision in self._decided.items() if decision[0] > now
        }
        if unknown := named - self._decided.keys():
            found = await self._ask(unknown)
            for document in unknown:
                self._decided[document] = (now + REMEMBERED_SECONDS, document in found)
        return {document for document in named if self._decided[document][1]}

    async def _ask(self, document_ids: set[str]) -> set[str]:
        """Waits until Postgres answers: nothing is shown on a guess."""
        while True:
            try:
                return await run_sync(self._look, document_ids)
            except (OperationalError, InterfaceError) as error:
                log.warning("sources wait for Postgres: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    def _look(self, document_ids: set[str]) -> set[str]:
        """Asks about the person too: they may have been disabled since the connection opened."""
        user = User.objects.filter(pk=self._user_id).first()
        return visible_documents(user or AnonymousUser(), document_ids)
