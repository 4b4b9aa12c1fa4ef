"""The statement that claims turns for a runner and reads what running them needs."""

import asyncio
from collections.abc import Sequence
from typing import Any

from accounts.models import User
from events import leases
from observability.postgres import direct
from observability.postgres.prepared import prepared
from observability.rows import columns_of, instance_of

# What the agent, the teams of the person and the collections that may be searched demand; and what
# the collections say of the ways in which questions are understood.
DEMANDS = """
left join lateral (
    select jsonb_agg(jsonb_build_array(kind, id, name, labels)) filter (where labels <> '{}')
               as demands,
           jsonb_agg(jsonb_build_array(id, said)) filter (where said <> '{}') as said_by_collections
    from (
        select 'agent', a.id, a.name, a.required_labels, '{}'::jsonb
        union all
        select 'team', g.id, g.name, g.required_labels, '{}'
        from accounts_membership m join accounts_team g on g.id = m.team_id
        where m.user_id = t.requested_by_id
        union all
        select 'collection', c.id, c.name, c.required_labels, c.understanding
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
    ) as demanding(kind, id, name, labels, said)
) d on true
"""

CLAIM = f"""
with {leases.CLAIMING}, begun as (
    update chat_turn set status = 'running'
    where id in (select id from claimed) and status in ('queued', 'waiting')
)
select t.id, t.conversation_id, t.question_id, t.answer_id, t.requested_by_id,
       t.stop_requested_at is not null as is_stopped, q.parent_id, q.text,
       q.attachments,
       t.model_name as asked_model, t.token_id, t.without,
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
       a.max_answer_tokens, a.temperature, a.tools, a.helpers, a.is_limited, a.reuse,
       a.reuse_seconds,
       a.understanding, a.reasoning_effort, a.draft_of_id, a.limits, a.guardrails,
       a.decoding,
       d.said_by_collections,
       exists (select from knowledge_glossaryentry) as has_glossary,
       case when a.reuses_similar then a.similarity else 0 end as similarity,
       a.reuse <> 'off' and exists (
           select from chat_turn other
           where other.question_id = t.question_id and other.id <> t.id) as is_anew,
       array(select m.team_id from accounts_membership m
             where m.user_id = t.requested_by_id) as team_ids,
       a.id as agent_id, a.owner_id as agent_owner_id, a.is_builtin,
       v.owner_id as conversation_owner_id, v.ends_at is not null as is_temporary,
       v.is_named or v.ends_at is not null as has_title, v.demanded_labels,
       p.text as said, p.steps as said_steps, p.notice as said_notice,
       (select c.id from chat_turn c
        where c.answer_id = p.id and c.requested_by_id = t.requested_by_id
          and exists (select from agents_runstep s
                      where s.run_id = c.id and s.parent = '' and s.ordinal = 1)) as said_in,
       d.demands,
       claimed.fence, claimed.attempts, claimed.last_seq,
       {columns_of(User, "u")}
from claimed
join chat_turn t on t.id = claimed.id
join accounts_user u on u.id = t.requested_by_id
join chat_conversation v on v.id = t.conversation_id
join chat_message q on q.id = t.question_id
left join agents_agent a on a.id = t.agent_id
left join chat_message p on p.id = t.continues and p.conversation_id = v.id
{DEMANDS}"""  # noqa: S608 - names of our own columns


def claim_rows(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Claim turns, mark them as running and read them, in one statement.

    Collections are those chosen with the question, else the conversation's. Rights count as they
    are now, not as they were when the question was asked: for an agent that was taken away since
    the defaults answer, and in a conversation that was taken away nobody does.
    """
    with prepared() as cursor:
        cursor.execute(CLAIM, values)
        return _told([column.name for column in cursor.description], cursor.fetchall())


async def claim_rows_at_once(
    values: dict[str, Any],
) -> tuple[list[dict[str, Any]], "asyncio.Future[Any]"]:
    """The same from an event loop, and what is done when the claim is on the disk; raises
    psycopg.Error (`observability.postgres.direct.ask_early`)."""
    found, kept = await direct.ask_early(CLAIM, values)
    return _told(found.columns, found.rows), kept


def _told(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    own = len(columns) - len(User._meta.concrete_fields)
    names = columns[:own]
    return [
        dict(zip(names, row[:own], strict=True)) | {"user": instance_of(User, row[own:])}
        for row in rows
    ]
