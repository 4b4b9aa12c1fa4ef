"""What the runner reads about the turns it has claimed: a few queries for all of them together."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation

from accounts.models import User
from agents.asking import searched_collections
from agents.building.decoding import controls_in
from agents.delegating.said import helpers_in
from agents.history import HISTORY_MESSAGES
from agents.models import Agent
from agents.running.keeping import has_kept
from agents.running.opening import runs_before
from agents.selectors import may_use
from agents.types import AgentSpec, AgentTask, PastMessage
from agents.types.limits import Limits
from chat.attachments.services import attached_files
from chat.models import Conversation, Message, Turn
from chat.selectors import may_edit
from chat.turns.carried import demands_in, going_on, run_before, said_by_collections
from chat.turns.claiming import claim_rows, claim_rows_at_once
from chat.turns.progress import rebuild
from chat.turns.remembering import with_memories
from chat.turns.retelling import understood
from chat.turns.types import Answer, TurnWork
from events import leases, log
from events.types import Claim
from gateway.types import OFFLINE
from observability.lanes import Lane
from observability.postgres.prepared import prepared

History = tuple[PastMessage, ...]

KEPT = (Message.Status.COMPLETE, Message.Status.STOPPED, Message.Status.INTERRUPTED)
AGENT = (
    "slug", "name", "instructions", "model_name", "max_passages", "context_tokens",
    "max_answer_tokens", "temperature", "is_limited", "reuse", "reuse_seconds", "similarity",
    "reasoning_effort",
)  # fmt: skip

# Whether somebody may still ask in another's conversation takes a closer look.
DOUBTFUL = """
    select t.id from chat_turn t
    join accounts_user u on u.id = t.requested_by_id
    join chat_conversation c on c.id = t.conversation_id
    where t.id = any(%(ids)s::uuid[])
      and (t.stop_requested_at is not null or not u.is_active or c.owner_id <> u.id)
"""


def claim_turns(
    holder: str, limit: int, lease: float, held: Collection[UUID] = ()
) -> list[TurnWork]:
    """Claim due turns, but for those that are `held` here, and read what running them needs."""
    return _works(claim_rows(leases.claiming("turn", holder, limit, lease, held=held)))


async def claim_turns_at_once(
    lane: Lane, holder: str, limit: int, lease: float, held: Collection[UUID] = ()
) -> tuple[list[TurnWork], "asyncio.Future[Any]"]:
    """The same from an event loop, and what is done when the claim is on the disk: until then
    nobody may be told of the turns, and with an error nobody knows whose they are: they are left
    alone. Raises psycopg.Error.

    A first question needs nothing that the claim has not read. Whatever asks for more, which
    Django forbids here, is read in a thread of the lane.
    """
    asked = leases.claiming("turn", holder, limit, lease, held=held)
    rows, kept = await claim_rows_at_once(asked)
    try:
        return _works(rows), kept
    except SynchronousOnlyOperation:
        return await lane.run(_works, rows), kept


def _works(rows: Sequence[dict[str, Any]]) -> list[TurnWork]:
    follow_ups = {row["question_id"]: row["parent_id"] for row in rows if row["parent_id"]}
    history = _read_history(follow_ups) if follow_ups else {}
    works = [_work(row, history.get(row["question_id"])) for row in rows]
    return with_memories(works, rows)


def find_unwanted(turn_ids: Sequence[UUID]) -> set[UUID]:
    """Turns somebody asked to stop, or whose person may not ask any more."""
    with prepared() as cursor:
        cursor.execute(DOUBTFUL, {"ids": list(turn_ids)})
        doubtful = [pk for (pk,) in cursor.fetchall()]
    if not doubtful:
        return set()
    return {
        turn.pk
        for turn in Turn.objects.filter(pk__in=doubtful).select_related(
            "requested_by", "conversation"
        )
        if turn.stop_requested_at or not may_edit(turn.requested_by, turn.conversation)
    }


def _work(row: dict[str, Any], history: History | None) -> TurnWork:
    user: User = row["user"]
    claim = Claim(row["id"], row["fence"], row["attempts"], row["last_seq"])
    agent = AgentSpec()
    if row["slug"] is not None and _may_use(user, row):
        fields = {name: row[name] for name in AGENT}
        fields["id"] = row["draft_of_id"] or row["agent_id"]
        fields["collections"] = tuple(row["agent_collections"])
        fields["tools"] = tuple(row["tools"])
        fields["helpers"] = helpers_in(orjson.loads(row["helpers"]))
        fields["understanding"] = orjson.loads(row["understanding"])
        fields["limits"] = Limits(**orjson.loads(row["limits"]))
        fields["controls"] = controls_in(orjson.loads(row["decoding"]))
        fields["guardrails"] = tuple(orjson.loads(row["guardrails"]))
        agent = AgentSpec(**fields)
    if row["asked_model"]:
        agent = replace(agent, model_name=row["asked_model"])
    is_usual = row["has_no_choice"]
    after = run_before(row) if agent.may_call else None
    task = AgentTask(
        agent=agent,
        user=user,
        question=row["text"],
        history=history or (),
        collections=tuple(row["usual"] if is_usual else row["chosen"]),
        is_limited=row["is_usually_limited"] if is_usual else row["is_choice_limited"],
        turn_id=claim.stream_id,
        attachments=attached_files(user, row["attachments"], history or ()),
        goes_on=None if after else going_on(row["said"], row["said_steps"]),
        fence=claim.fence,
        is_taken_up=agent.may_call and bool(claim.last_seq),
        after=after,
        is_temporary=row["is_temporary"],
        is_anew=bool(row["is_anew"]),
        conversation_id=row["conversation_id"],
        team_ids=tuple(row["team_ids"]),
        token_id=row["token_id"],
        has_glossary=row["has_glossary"],
        without=tuple(row["without"]),
    )
    searched = searched_collections(task)
    return TurnWork(
        claim=claim,
        conversation_id=row["conversation_id"],
        question_id=row["question_id"],
        answer_id=row["answer_id"],
        task=replace(
            task,
            demands=demands_in(row, searched),
            said_by_collections=said_by_collections(row, searched),
        ),
        must_stop=row["is_stopped"] or not _may_edit(user, row),
        earlier=_earlier(claim, task) if claim.last_seq else Answer(),
        wants_title=settings.PARLEY_WRITE_TITLES and not row["has_title"],
    )


def _earlier(claim: Claim, task: AgentTask) -> Answer:
    """As far as it had come; the words of a step of its run that is kept are said again with it."""
    answer = rebuild(log.read_all(claim.stream_id))
    if task.agent.may_call and answer.has_loose_words:
        runs = [*runs_before(task.after), claim.stream_id]
        if has_kept(runs, answer.loose_words, task.goes_on.text if task.goes_on else ""):
            answer.settle()
    if task.agent.may_call:
        answer.understood = understood(claim.stream_id, answer.steps)
    return answer


def _may_use(user: User, row: dict[str, Any]) -> bool:
    """The agent; an instance, which costs more than the answer, only where it takes a query."""
    if row["is_builtin"] or row["agent_owner_id"] == user.pk:
        return user.is_active
    owner, draft_of = row["agent_owner_id"], row["draft_of_id"]
    return may_use(user, Agent(pk=row["agent_id"], owner_id=owner, draft_of_id=draft_of))


def _may_edit(user: User, row: dict[str, Any]) -> bool:
    """The conversation."""
    if row["conversation_owner_id"] == user.pk:
        return user.is_active
    owner = row["conversation_owner_id"]
    return may_edit(user, Conversation(pk=row["conversation_id"], owner_id=owner))


def _read_history(follow_ups: Mapping[UUID, UUID]) -> dict[UUID, History]:
    """The messages that lead to each question, the oldest first, the latest few of them."""
    with prepared() as cursor:
        cursor.execute(
            """
            with recursive path (question_id, id, parent_id, role, text, status, model,
                                 attachments, depth) as (
                select q.question_id, m.id, m.parent_id, m.role, m.text, m.status, m.model_name,
                       m.attachments, 1
                from unnest(%(questions)s::uuid[], %(parents)s::uuid[]) as q(question_id, parent_id)
                join chat_message m on m.id = q.parent_id
                union all
                select path.question_id, m.id, m.parent_id, m.role, m.text, m.status,
                       m.model_name, m.attachments, depth + 1
                from path join chat_message m on m.id = path.parent_id
                where depth < %(limit)s::int
            )
            select question_id, role, text, model = %(offline)s::text, attachments from path
            where status = any(%(kept)s::text[]) and (text <> '' or attachments <> '{}')
            order by question_id, depth desc
            """,
            {
                "questions": list(follow_ups),
                "parents": list(follow_ups.values()),
                "limit": HISTORY_MESSAGES,
                "kept": list(KEPT),
                "offline": OFFLINE,
            },
        )
        history: dict[UUID, History] = {}
        for question_id, *message in cursor.fetchall():
            role, text, is_quoted, attachments = message
            past = PastMessage(role, text, is_quoted, tuple(attachments))
            history[question_id] = (*history.get(question_id, ()), past)
    return history
