"""What the runner reads about the turns it has claimed: a few queries for all of them together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from accounts.models import User
from agents.asking import searched_collections
from agents.history import HISTORY_MESSAGES
from agents.models import Agent
from agents.selectors import may_use
from agents.types import AgentSpec, AgentTask, PastMessage
from chat.attachments.services import attached_files
from chat.models import Conversation, Message, Turn
from chat.selectors import may_edit
from chat.turns.carried import demands_in, going_on
from chat.turns.progress import rebuild
from chat.turns.remembering import with_memories
from chat.turns.types import Answer, TurnWork
from events import leases, log
from events.types import Claim
from gateway.types import OFFLINE
from observability.postgres.prepared import prepared
from observability.rows import columns_of, instance_of

History = tuple[PastMessage, ...]
_KNOWN: list[str] = []  # the columns of a claim

KEPT = (Message.Status.COMPLETE, Message.Status.STOPPED, Message.Status.INTERRUPTED)
AGENT = (
    "slug", "name", "instructions", "model_name", "max_passages", "context_tokens",
    "max_answer_tokens", "temperature", "is_limited", "reuse", "reuse_seconds", "similarity",
)  # fmt: skip


def claim_turns(
    holder: str, limit: int, lease: float, held: Collection[UUID] = ()
) -> list[TurnWork]:
    """Claim due turns, but for those that are `held` here, and read what running them needs."""
    rows = _claim(leases.claiming("turn", holder, limit, lease, held=held))
    follow_ups = {row["question_id"]: row["parent_id"] for row in rows if row["parent_id"]}
    history = _read_history(follow_ups) if follow_ups else {}
    works = [_work(row, history.get(row["question_id"])) for row in rows]
    return with_memories(works, rows)


def find_unwanted(turn_ids: Sequence[UUID]) -> set[UUID]:
    """Turns somebody asked to stop, or whose person may not ask any more, or not there."""
    unwanted = Q(stop_requested_at__isnull=False) | Q(requested_by__is_active=False)
    is_guest = ~Q(conversation__owner=F("requested_by"))
    found = Turn.objects.filter(unwanted | is_guest, pk__in=turn_ids)
    return {
        turn.pk
        for turn in found.select_related("requested_by", "conversation")
        if turn.stop_requested_at or not may_edit(turn.requested_by, turn.conversation)
    }


def _claim(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Claim turns, mark them as running and read them, in one statement.

    Collections are those chosen with the question, else the conversation's. Rights count as they
    are now, not as they were when the question was asked: for an agent that was taken away since
    the defaults answer, and in a conversation that was taken away nobody does.
    """
    with prepared() as cursor:
        cursor.execute(
            f"""
            with {leases.CLAIMING}, begun as (
                update chat_turn set status = 'running'
                where id in (select id from claimed) and status = 'queued'
            )
            select t.id, t.conversation_id, t.question_id, t.answer_id, t.requested_by_id,
                   t.stop_requested_at is not null as is_stopped, q.parent_id, q.text,
                   q.attachments,
                   t.model_name as asked_model,
                   array(select c.id from knowledge_collection c
                         join jsonb_array_elements_text(nullif(t.collections, 'null')) as k(id)
                              on c.id = k.id::uuid) as chosen,
                   coalesce(jsonb_array_length(nullif(t.collections, 'null')), 0) > 0
                       as is_choice_limited,
                   t.collections is null or t.collections = 'null' as has_no_choice,
                   v.is_limited as is_usually_limited,
                   array(select c.collection_id from chat_conversation_collections c
                         where c.conversation_id = t.conversation_id) as usual,
                   array(select c.collection_id from agents_agent_collections c
                         where c.agent_id = t.agent_id) as agent_collections,
                   a.slug, a.name, a.instructions, a.model_name, a.max_passages, a.context_tokens,
                   a.max_answer_tokens, a.temperature, a.is_limited, a.reuse, a.reuse_seconds,
                   case when a.reuses_similar then a.similarity else 0 end as similarity,
                   a.reuse <> 'off' and exists (
                       select from chat_turn other
                       where other.question_id = t.question_id and other.id <> t.id) as is_anew,
                   array(select m.team_id from accounts_membership m
                         where m.user_id = t.requested_by_id) as team_ids,
                   a.id as agent_id, a.owner_id as agent_owner_id, a.is_builtin,
                   v.owner_id as conversation_owner_id, v.ends_at is not null as is_temporary,
                   v.is_named or v.ends_at is not null as has_title, v.demanded_labels,
                   p.text as said, p.steps as said_steps, d.demands,
                   claimed.fence, claimed.attempts, claimed.last_seq,
                   {columns_of(User, "u")}
            from claimed
            join chat_turn t on t.id = claimed.id
            join accounts_user u on u.id = t.requested_by_id
            join chat_conversation v on v.id = t.conversation_id
            join chat_message q on q.id = t.question_id
            left join agents_agent a on a.id = t.agent_id
            left join chat_message p on p.id = t.continues and p.conversation_id = v.id
            left join lateral (
                select jsonb_agg(jsonb_build_array(kind, id, name, labels)) as demands from (
                    select 'agent', a.id, a.name, a.required_labels
                    union all
                    select 'team', g.id, g.name, g.required_labels
                    from accounts_membership m join accounts_team g on g.id = m.team_id
                    where m.user_id = t.requested_by_id
                    union all
                    select 'collection', c.id, c.name, c.required_labels
                    from knowledge_collection c
                    where c.id in (
                        select k.id::uuid
                        from jsonb_array_elements_text(nullif(t.collections, 'null')) as k(id)
                        union all
                        select u.collection_id from chat_conversation_collections u
                        where u.conversation_id = t.conversation_id
                        union all
                        select o.collection_id from agents_agent_collections o
                        where o.agent_id = t.agent_id)
                ) as demanding(kind, id, name, labels)
                where labels <> '{{}}'
            ) d on true
            """,  # noqa: S608 - names of our own columns
            values,
        )
        names = _names(cursor)
        own = len(names) - len(User._meta.concrete_fields)
        return [
            dict(zip(names[:own], row[:own], strict=True)) | {"user": instance_of(User, row[own:])}
            for row in cursor.fetchall()
        ]


def _names(cursor: Any) -> list[str]:
    """Asked once: to describe sixty columns costs as much as to claim."""
    if not _KNOWN:
        _KNOWN.extend(column.name for column in cursor.description)
    return _KNOWN


def _work(row: dict[str, Any], history: History | None) -> TurnWork:
    user: User = row["user"]
    claim = Claim(row["id"], row["fence"], row["attempts"], row["last_seq"])
    agent = AgentSpec()
    if row["slug"] is not None and _may_use(user, row):
        fields = {name: row[name] for name in AGENT}
        fields |= {"id": row["agent_id"], "collections": tuple(row["agent_collections"])}
        agent = AgentSpec(**fields)
    if row["asked_model"]:
        agent = replace(agent, model_name=row["asked_model"])
    is_usual = row["has_no_choice"]
    task = AgentTask(
        agent=agent,
        user=user,
        question=row["text"],
        history=history or (),
        collections=tuple(row["usual"] if is_usual else row["chosen"]),
        is_limited=row["is_usually_limited"] if is_usual else row["is_choice_limited"],
        turn_id=claim.stream_id,
        attachments=attached_files(user, row["attachments"], history or ()),
        goes_on=going_on(row["said"], row["said_steps"]),
        is_temporary=row["is_temporary"],
        is_anew=bool(row["is_anew"]),
        conversation_id=row["conversation_id"],
        team_ids=tuple(row["team_ids"]),
    )
    return TurnWork(
        claim=claim,
        conversation_id=row["conversation_id"],
        question_id=row["question_id"],
        answer_id=row["answer_id"],
        task=replace(task, demands=demands_in(row, searched_collections(task))),
        must_stop=row["is_stopped"] or not _may_edit(user, row),
        earlier=rebuild(log.read_all(claim.stream_id)) if claim.last_seq else Answer(),
        wants_title=settings.PARLEY_WRITE_TITLES and not row["has_title"],
    )


def _may_use(user: User, row: dict[str, Any]) -> bool:
    """The agent; an instance, which costs more than the answer, only where it takes a query."""
    if row["is_builtin"] or row["agent_owner_id"] == user.pk:
        return user.is_active
    return may_use(user, Agent(pk=row["agent_id"], owner_id=row["agent_owner_id"]))


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
