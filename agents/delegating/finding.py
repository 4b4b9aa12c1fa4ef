"""Which agents a person may use at this moment, of those that an agent may call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from accounts.models import User
from agents.models import Agent
from agents.types import Helper


@dataclass(frozen=True, slots=True)
class Reachable:
    """An agent that may be called, as its caller's author wants it."""

    helper: Helper
    agent: Agent


def reachable_for(user: User, helpers: Sequence[Helper]) -> list[Reachable]:
    """One query. One that is gone, not published or not theirs to use is not among them."""
    rows = Agent.objects.visible_to(user).in_bulk([one.agent_id for one in helpers])
    return [Reachable(one, rows[one.agent_id]) for one in helpers if one.agent_id in rows]


def find_reachable(user: User, agent_id: UUID) -> Agent | None:
    """Now, whatever it was when the run began."""
    return cast("Agent | None", Agent.objects.visible_to(user).filter(pk=agent_id).first())
