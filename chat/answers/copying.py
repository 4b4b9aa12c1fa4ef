"""Messages written at once: copies of a path into another conversation, and imported trees."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Subquery
from django.db.models.functions import Coalesce
from orjson import dumps

from accounts.models import User
from chat.models import Citation, Conversation, Message
from chat.visibility import visible_steps
from events import log
from security.ids import new_id

COPIED = (Message.Status.COMPLETE, Message.Status.STOPPED, Message.Status.INTERRUPTED,
    Message.Status.FAILED)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message as it is to be stored; parents come before their children."""

    id: UUID
    parent_id: UUID | None
    role: str
    text: str
    status: str = Message.Status.COMPLETE.value
    notice: str = ""
    reasoning: str = ""
    model_name: str = ""
    steps: Sequence[dict[str, Any]] = field(default_factory=tuple)
    attachments: Sequence[UUID] = ()
    created_at: datetime | None = None
    """When it was said, where that was not now."""


def copy_path(
    user: User, path: Sequence[Message], into: Conversation, *, with_reasoning: bool = True
) -> dict[UUID, UUID]:
    """Copies of these messages, each the child of the one before, in a conversation that is there;
    the new ids by the old ones. The last of them is shown from now on.

    Steps and citations come along as far as `user` may see their documents; numbers of tokens stay
    with the original, which was paid for. One of `path` that still runs is left out. Call it in a
    transaction.
    """
    path = [message for message in path if message.status in COPIED]
    steps = visible_steps(user, [message.steps for message in path])
    ids = {message.pk: new_id() for message in path}
    before: UUID | None = None
    rows = []
    for message, seen in zip(path, steps, strict=True):
        rows.append(
            NewMessage(
                id=ids[message.pk],
                parent_id=before,
                role=message.role,
                text=message.text,
                status=message.status,
                notice=message.notice,
                reasoning=message.reasoning if with_reasoning else "",
                model_name=message.model_name,
                steps=seen,
                attachments=message.attachments,
                created_at=message.created_at,
            )
        )
        before = ids[message.pk]
    store_messages(into.pk, rows)
    _copy_citations(user, ids)
    source = Conversation.objects.filter(messages__in=[message.pk for message in path[:1]])
    labels = Coalesce(Subquery(source.values("demanded_labels")), F("demanded_labels"))
    Conversation.objects.filter(pk=into.pk).update(leaf_id=before, demanded_labels=labels)
    into.leaf_id = before
    return ids


def store_messages(conversation_id: UUID, messages: Iterable[NewMessage]) -> None:
    """Insert them in one statement, with the times at which they were said."""
    rows = list(messages)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into chat_message (id, conversation_id, parent_id, role, text, status, notice,
                                      reasoning, model_name, steps, attachments, created_at)
            select m.id, %s, m.parent, m.role, m.text, m.status, m.notice, m.reasoning, m.model,
                   m.steps, array(select jsonb_array_elements_text(m.attachments)::uuid),
                   coalesce(m.at, now())
            from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
                        %s::text[], %s::text[], %s::jsonb[], %s::jsonb[], %s::timestamptz[])
                 as m(id, parent, role, text, status, notice, reasoning, model, steps, attachments,
                      at)
            """,
            [
                conversation_id,
                [row.id for row in rows],
                [row.parent_id for row in rows],
                [row.role for row in rows],
                [row.text for row in rows],
                [row.status for row in rows],
                [row.notice for row in rows],
                [row.reasoning for row in rows],
                [row.model_name[:120] for row in rows],
                [log.encode(list(row.steps)) for row in rows],
                [dumps([str(pk) for pk in row.attachments]).decode() for row in rows],
                [row.created_at for row in rows],
            ],
        )


def _copy_citations(user: User, ids: dict[UUID, UUID]) -> None:
    found = Citation.objects.visible_to(user).filter(message__in=ids).order_by("n", "start")
    copies = [
        Citation(
            message_id=ids[citation.message_id], document_id=citation.document_id,
            chunk_id=citation.chunk_id, n=citation.n, quote=citation.quote, start=citation.start,
            end=citation.end, page=citation.page, title=citation.title,
            heading_path=citation.heading_path, version=citation.version, line=citation.line,
            method=citation.method, score=citation.score, at=citation.at,
            is_proposed=citation.is_proposed,
        )
        for citation in found
    ]  # fmt: skip
    Citation.objects.bulk_create(copies)
