"""What budgets, a layer below, need to know of agents."""

from collections.abc import Collection, Mapping
from uuid import UUID

from accounts.budgets.subjects import AgentFacts
from agents.models import Agent

MOST = 1000


def find_agents(ids: Collection[UUID] | None) -> Mapping[UUID, AgentFacts]:
    """Of these ids those that are agents; None: all of them, as far as a list is of use."""
    agents = Agent.objects.order_by("name")
    found = agents[:MOST] if ids is None else agents.filter(pk__in=ids)
    return {agent.pk: AgentFacts(agent.name, agent.owner_id) for agent in found}
