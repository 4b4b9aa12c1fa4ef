"""What labels an endpoint must have to be asked on behalf of a person; see gateway.labels."""

from accounts.models import Team, User
from agents.models import Agent
from gateway.labels import Demand
from knowledge.labels import demands_of


def demands_on(user: User, agent: Agent | None = None) -> tuple[Demand, ...]:
    """Those of the person's teams, of the agent, and of the collections that it searches."""
    teams = Team.objects.filter(memberships__user=user).exclude(required_labels=[])
    found = [Demand(label, "team", team.name) for team in teams for label in team.required_labels]
    if agent is not None:
        found += [Demand(label, "agent", agent.name) for label in agent.required_labels]
        found += demands_of(agent.collections.values_list("pk", flat=True))
    return tuple(dict.fromkeys(found))
