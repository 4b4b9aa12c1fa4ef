"""The rows of a new turn, in one statement: this is what stands between a question and its answer.

Django would need six round trips and ten times the processor time. Whoever adds a column without
a default to one of these tables adds it here; the tests of `chat.services` notice.
"""

from typing import Any

import orjson

from chat.models import Message, Turn
from observability.postgres.prepared import prepared

_ROWS = """
with allowed(agent_id, chosen_id) as ({allowed}), asked as (
    insert into chat_message (id, conversation_id, parent_id, role, text, status,
                              notice, reasoning, model_name, steps, attachments,
                              created_at)
    select m.id, %(conversation)s::uuid, m.parent, m.role, m.text, m.status,
           '', '', '', '[]', m.attachments, now()
    from allowed, (values
        (%(question)s::uuid, %(parent)s::uuid, 'user', %(text)s::text, %(asked)s::text,
         %(attachments)s::uuid[]),
        (%(answer)s::uuid, %(question)s::uuid, 'assistant', '', %(running)s::text, '{{}}')
    ) as m(id, parent, role, text, status, attachments)
    where (m.role = 'assistant' or %(is_new)s::bool)
), begun as (
    insert into chat_conversation (id, owner_id, title, agent_id, is_limited,
                                   is_pinned, leaf_id, model_name, ends_at,
                                   created_at, updated_at)
    select %(conversation)s::uuid, %(owner)s::uuid, %(title)s::text, chosen_id,
           %(is_limited)s::bool, false, %(answer)s::uuid, %(usual_model)s::text,
           %(ends_at)s::timestamptz, now(), now()
    from allowed where %(is_begun)s::bool
), placed as (
    update chat_conversation
    set leaf_id = %(answer)s::uuid, title = %(title)s::text,
        agent_id = chosen_id,
        is_limited = %(is_limited)s::bool, model_name = %(usual_model)s::text,
        ends_at = %(ends_at)s::timestamptz, updated_at = now()
    from allowed where id = %(conversation)s::uuid and not %(is_begun)s::bool
), opened as (
    insert into events_stream (id, kind, state, fence, holder, attempts, last_seq,
                               created_at)
    select %(turn)s::uuid, 'turn', 'queued', 0, '', 0, 0, now() from allowed
)
insert into chat_turn (id, conversation_id, question_id, answer_id, agent_id,
                       requested_by_id, token_id, collections, status, idempotency_key,
                       fingerprint, model_name, comparison, continues, without,
                       created_at)
select %(turn)s::uuid, %(conversation)s::uuid, %(question)s::uuid, %(answer)s::uuid, agent_id,
       %(user)s::uuid, %(token)s::uuid, %(collections)s::jsonb, %(queued)s::text, %(key)s::text,
       %(fingerprint)s::text, %(model)s::text, %(comparison)s::uuid, %(continues)s::uuid,
       %(without)s::text[], now()
from allowed
returning created_at
"""


def insertion(allowed: str) -> str:
    """The statement, for an agent that `allowed` selects, and the one that the conversation gets:
    where that finds none, no row is made."""
    return _ROWS.format(allowed=allowed)


INSERT = insertion("select %(agent)s::uuid, %(chosen)s::uuid")


def insert_turn(turn: Turn) -> None:
    """Insert stream, conversation and question (if new), answer and turn; the answer is shown.

    Raises IntegrityError when the idempotency key is taken or the conversation is gone.
    """
    question, answer, conversation = turn.question, turn.answer, turn.conversation
    with prepared() as cursor:
        cursor.execute(INSERT, _values(turn))
        turn.created_at = answer.created_at = cursor.fetchone()[0]
    if question._state.adding:
        question.created_at = turn.created_at
    if conversation._state.adding:
        conversation.created_at = conversation.updated_at = turn.created_at
    for row in (conversation, turn, answer, question):
        row._state.adding = False


def _values(turn: Turn) -> dict[str, Any]:
    question, answer, conversation = turn.question, turn.answer, turn.conversation
    return {
        "conversation": conversation.pk,
        "owner": conversation.owner_id,
        "is_begun": conversation._state.adding,
        "is_limited": conversation.is_limited,
        "title": conversation.title,
        "chosen": conversation.agent.pk if conversation.agent else None,
        "usual_model": conversation.model_name,
        "ends_at": conversation.ends_at,
        "question": question.pk,
        "parent": question.parent_id,
        "text": question.text,
        "attachments": list(question.attachments),
        "asked": Message.Status.COMPLETE.value,
        "is_new": question._state.adding,
        "answer": answer.pk,
        "running": Message.Status.RUNNING.value,
        "turn": turn.pk,
        "agent": turn.agent.pk if turn.agent else None,
        "model": turn.model_name,
        "comparison": turn.comparison,
        "continues": turn.continues,
        "without": turn.without,
        "user": turn.requested_by.pk,
        "token": turn.token_id,
        "collections": _json(turn.collections),
        "queued": Turn.Status.QUEUED.value,
        "key": turn.idempotency_key,
        "fingerprint": turn.fingerprint,
    }


def _json(value: list[str] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
