"""A first question, made rows by the event loop itself: one statement, in which Postgres also looks
whether the person is signed in and may ask this agent.

Where that makes nothing, or more comes with the question, the usual way in a thread is taken
(`chat.services.start_turn`), which says what is wrong.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError

from agents.selectors import id_in, last_id
from chat.choosing import Choice
from chat.live.requests import StartTurn
from chat.live.visitors import SIGNED_IN, Visitor
from chat.models import Message, Turn
from chat.retention.lifetimes import ends_from_now
from chat.turns.insertion import insertion
from chat.turns.starting import FOR_RUNNERS, MAX_QUESTION, Asked, for_tabs
from events import doorbell
from observability.postgres import direct
from observability.postgres.line import Unanswered
from security.ids import new_id
from security.text import storable

# As `agents.selectors.may_use` decides for everyone's built-in agents and one's own; those that
# somebody shares are looked up the usual way. Without a name it is the usual agent.
FIRST = insertion(f"""
    select a.id, case when %(is_named)s::bool then a.id end
    from accounts_user u, agents_agent a
    where {SIGNED_IN} and a.draft_of_id is null and case
        when %(is_named)s::bool then a.version > 0 and (a.is_builtin or a.owner_id = u.id)
             and a.id = %(agent_id)s::uuid and %(agent)s::text in (a.slug, a.id::text)
        else a.is_builtin end
    order by a.id limit 1
""")  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Begun:
    """Of a new turn what its asker is told."""

    pk: UUID
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    status = Turn.Status.QUEUED


async def begin(visitor: Visitor, request: StartTurn) -> Begun | None:
    """The turn, with a conversation of its own; None where it has to be asked the usual way."""
    text = storable(request.text).strip()
    if not request.is_plain or not 0 < len(text) <= MAX_QUESTION:
        return None
    agent = storable(request.agent or "")
    agent_id = last_id(agent) if agent else None
    if agent and agent_id is None:
        return None
    begun = Begun(new_id(), new_id(), new_id(), new_id())
    asked = FIRST, _values(begun, text, visitor, request, agent_id)
    try:
        found, kept = await direct.ask_early(*asked)
    except Unanswered as error:  # perhaps it is there, and a second one would be too many
        raise OperationalError(str(error)) from error
    except psycopg.Error:
        return None
    if not found.rows:
        return None
    doorbell.ring(*FOR_RUNNERS)
    try:
        await kept
    except psycopg.Error as error:
        raise OperationalError(str(error)) from error
    doorbell.ring(*for_tabs(begun.pk, begun.conversation_id))
    return begun


def _values(
    begun: Begun, text: str, visitor: Visitor, request: StartTurn, agent_id: UUID | None
) -> dict[str, Any]:
    asked = Asked(None, text, Choice(None, None), (), request.wishes)
    key = asked.key_with(agent_id)
    agent = storable(request.agent or "")
    return visitor.as_values | {
        "conversation": begun.conversation_id,
        "owner": visitor.user_id,
        "is_begun": True,
        "is_limited": False,
        "title": "" if request.temporary else asked.title,
        "usual_model": "",
        "ends_at": ends_from_now() if request.temporary else None,
        "question": begun.question_id,
        "parent": None,
        "text": text,
        "attachments": [],
        "asked": Message.Status.COMPLETE.value,
        "is_new": True,
        "answer": begun.answer_id,
        "running": Message.Status.RUNNING.value,
        "turn": begun.pk,
        "is_named": bool(agent),
        "agent": str(agent_id) if id_in(agent) else agent,
        "agent_id": agent_id,
        "model": "",
        "comparison": None,
        "continues": None,
        "without": list(request.without),
        "user": visitor.user_id,
        "token": None,
        "collections": None,
        "queued": Turn.Status.QUEUED.value,
        "key": key.text,
        "fingerprint": key.fingerprint,
    }
