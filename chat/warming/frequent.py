"""Which questions were asked again and again, of agents that may give an answer twice.

First questions of a conversation alone: what follows depends on what was said before. Never those
of temporary conversations, with files, or with collections or a model chosen for them; nor where
labels say who may be asked, since nobody waits who could be told that the right one is away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.models import User
from agents.models import Agent
from agents.selectors import may_use

LONGEST = 2000  # characters of a question

SQL = """
with asked as (
    select t.agent_id, t.requested_by_id, q.id, q.text, lower(btrim(q.text)) as words,
           case when a.reuse = 'shared' then null else t.requested_by_id end as whose
    from chat_turn t
    join chat_message q on q.id = t.question_id and q.conversation_id = t.conversation_id
    join chat_conversation v on v.id = t.conversation_id
    join agents_agent a on a.id = t.agent_id
    join accounts_user u on u.id = t.requested_by_id
    where t.created_at > now() - make_interval(days => %(days)s)
      and a.reuse <> 'off' and a.required_labels = '{}' and u.is_active
      and a.draft_of_id is null
      and q.parent_id is null and q.attachments = '{}'
      and length(q.text) between 1 and %(longest)s
      and v.ends_at is null and v.deleted_at is null
      and t.model_name = '' and coalesce(t.collections, 'null') in ('null', '[]')
      and not v.is_limited
      and not exists (select from accounts_membership m join accounts_team g on g.id = m.team_id
                      where m.user_id = t.requested_by_id and g.required_labels <> '{}')
      and not exists (select from agents_agent_collections o
                      join knowledge_collection c on c.id = o.collection_id
                      where o.agent_id = a.id and c.required_labels <> '{}')
)
select agent_id, (array_agg(requested_by_id order by id desc))[1],
       (array_agg(text order by id desc))[1], count(*) as times
from asked
group by agent_id, whose, words
having count(*) >= %(least)s
order by times desc, max(id::text) desc
limit %(most)s
"""


@dataclass(frozen=True, slots=True)
class Frequent:
    """A question, the agent, and who asked it last: what they may see is what it is asked of."""

    agent: Agent
    user: User
    question: str
    times: int


def list_frequent(days: int, least: int, most: int) -> Iterator[Frequent]:
    """Asked `least` times or more in the last days, the most frequent first."""
    asked = {"days": days, "least": least, "most": most, "longest": LONGEST}
    with connection.cursor() as cursor:
        cursor.execute(SQL, asked)
        rows: list[tuple[UUID, UUID, str, int]] = cursor.fetchall()
    agents = Agent.objects.in_bulk({row[0] for row in rows})
    users = User.objects.in_bulk({row[1] for row in rows})
    for agent_id, user_id, question, times in rows:
        agent, user = agents[agent_id], users[user_id]
        if may_use(user, agent):
            yield Frequent(agent, user, question, times)
