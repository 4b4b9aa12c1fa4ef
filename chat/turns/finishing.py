"""The end of a turn: message, citations and closing event become visible together."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from agents.types import CitationAdded
from chat.models import Message, Turn
from chat.turns.types import Answer, Ending
from events import log
from events.types import Claim, EventRow
from security.ids import new_id
from security.sentences import as_text, stored

MESSAGE_STATUS = {
    Turn.Status.COMPLETED: Message.Status.COMPLETE,
    Turn.Status.STOPPED: Message.Status.STOPPED,
    Turn.Status.INTERRUPTED: Message.Status.INTERRUPTED,
    Turn.Status.FAILED: Message.Status.FAILED,
}


CLOSE = f"""
with {log.APPENDING}, placed as (
    update chat_conversation
    set updated_at = now(),
        demanded_labels = case when demanded_labels @> %(labels)s::varchar[]
            then demanded_labels
            else array(select distinct unnest(demanded_labels || %(labels)s::varchar[]))
        end
    where id = (select conversation_id from chat_turn
                where id = (select id from held))
    returning id
), titled as (
    insert into events_stream (id, kind, state, fence, holder, attempts, last_seq,
                               created_at)
    select id, 'title', 'queued', 0, '', 0, 0, now() from placed
    where %(is_title_due)s::bool
    on conflict do nothing
), answered as (
    update chat_message
    set text = %(text)s, reasoning = %(reasoning)s, status = %(message_status)s,
        notice = %(notice)s, model_name = %(model)s, usage = %(usage)s::jsonb,
        steps = %(steps)s::jsonb, claims = %(claims)s::int, supported = %(supported)s::int
    where id = %(answer)s and conversation_id = (select id from placed)
), ended as (
    update chat_turn
    set status = %(status)s, finished_at = now(), error = %(error)s::jsonb
    where id = %(id)s and conversation_id = (select id from placed)
)
select last_seq from held
"""  # noqa: S608 - the log's own words, nothing of a user's


def finish_turn(
    claim: Claim,
    answer_id: UUID,
    answer: Answer,
    ending: Ending,
    told: Sequence[EventRow] = (),
) -> EventRow:
    """Save the answer and close the turn's log in one transaction; the closing event.

    `told` are the events before it that the log does not have yet; they keep their numbers. Raises
    LeaseLost, having written nothing, when the turn is not ours any more.
    """
    values = _closing(claim, answer_id, answer, ending, told)
    if not (answer.citations or answer.handed_to):  # usually: one statement, one wait for the disk
        seq = log.append_by(CLOSE, values)
    else:
        with transaction.atomic():
            seq = log.append_by(CLOSE, values)
            if answer.citations:
                _store_citations(answer_id, answer.citations)
            if answer.handed_to:
                _hand_over(claim.stream_id, answer.handed_to)
    return EventRow(seq, ending.kind, ending.payload, is_last=True)


async def finish_turn_at_once(
    claim: Claim,
    answer_id: UUID,
    answer: Answer,
    ending: Ending,
    told: Sequence[EventRow] = (),
) -> EventRow:
    """The same from an event loop, for the end that is one statement; raises psycopg.Error too."""
    values = _closing(claim, answer_id, answer, ending, told)
    seq = await log.append_by_at_once(CLOSE, values)
    return EventRow(seq, ending.kind, ending.payload, is_last=True)


def _closing(
    claim: Claim, answer_id: UUID, answer: Answer, ending: Ending, told: Sequence[EventRow]
) -> dict[str, Any]:
    """The values of CLOSE: log, conversation, message and turn in one round trip; the first
    answer's title is due then.

    The conversation is locked before the turn, as whoever asks in it does: a question sent again
    waits for the turn that has its key.
    """
    events = [*((row.kind, row.payload) for row in told), (ending.kind, ending.payload)]
    appended = log.appended(claim.stream_id, claim.fence, events, close=True)
    return appended | _values(answer_id, answer, ending)


def _values(answer_id: UUID, answer: Answer, ending: Ending) -> dict[str, Any]:
    return {
        "answer": answer_id,
        "is_title_due": ending.is_title_due,
        "text": "".join(answer.text).replace("\0", ""),
        "reasoning": "".join(answer.reasoning).replace("\0", ""),
        "message_status": MESSAGE_STATUS[ending.status].value,
        "notice": as_text(stored(answer.notice) or ending.reason),
        "model": answer.model[:120],
        "labels": answer.labels,
        "usage": None if answer.usage is None else log.encode(answer.usage),
        "steps": log.encode(answer.steps),
        "claims": answer.claims,
        "supported": answer.supported,
        "status": ending.status.value,
        "error": None if ending.error is None else log.encode(ending.error),
    }


def _hand_over(turn_id: UUID, agent_id: str) -> None:
    """Who went on in place of the agent that was asked answers what is asked next, unless another
    one was chosen for the conversation meanwhile, or it is a draft that is tried there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update chat_conversation v set agent_id = a.id, model_name = ''
            from chat_turn t, agents_agent a
            where t.id = %s and a.id = %s and a.draft_of_id is null
              and v.id = t.conversation_id
              and (v.agent_id is null or v.agent_id = t.agent_id)
              and not exists (select from agents_agent tried
                              where tried.id = t.agent_id and tried.draft_of_id is not null)
            """,
            [turn_id, agent_id],
        )


def _store_citations(answer_id: UUID, citations: list[CitationAdded]) -> None:
    """A document that was deleted meanwhile takes its citations with it.

    One that got another version meanwhile was quoted in the newest that has the words there.
    """
    rows = [
        {
            "id": new_id(),
            "n": citation.n,
            "document_id": citation.document_id,
            "chunk_id": citation.chunk_id,
            "quote": citation.quote,
            "start": citation.start,
            "end": citation.end,
            "page": citation.page,
            "title": citation.title[:300],
            "heading_path": citation.heading_path,
            "line": citation.line,
            "method": citation.method,
            "score": citation.score,
            "at": citation.at,
            "is_proposed": citation.is_proposed,
        }
        for citation in citations
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into chat_citation
                (id, message_id, document_id, chunk_id, n, quote, start, "end", page, title,
                 heading_path, line, method, score, at, is_proposed, version)
            select c.id, %s, d.id, c.chunk_id, c.n, c.quote, c.start, c."end", c.page, c.title,
                   c.heading_path, c.line, c.method, c.score, c.at, c.is_proposed, case
                       when exists (select from knowledge_chunk k where k.id = c.chunk_id)
                         or not exists (select from knowledge_documentversion v
                                        where v.document_id = d.id and v.state = 'past')
                       then d.version_number
                       else coalesce((
                           select max(v.number) from knowledge_documentversion v
                           join knowledge_versiontext t on t.version_id = v.id
                           where v.document_id = d.id
                             and substr(t.text, c.start + 1, c."end" - c.start) = c.quote
                       ), d.version_number) end
            from jsonb_to_recordset(%s::jsonb) as c(
                id uuid, document_id uuid, chunk_id uuid, n int, quote text, start int, "end" int,
                page int, title text, heading_path jsonb, line int, method text, score float8,
                at int, is_proposed bool)
            join knowledge_document d on d.id = c.document_id
            for key share of d
            """,
            [answer_id, log.encode(rows)],
        )
