"""Writes about agents."""

from django.db import transaction

from accounts.models import Grant, User
from accounts.services import everyone, share
from agents.models import Agent

DOCUMENTS = "documents"


def keep_limit(agent: Agent) -> None:
    """An agent that has collections searches only those, also when they are deleted one day."""
    if agent.collections.exists():
        Agent.objects.filter(pk=agent.pk).update(is_limited=True)


@transaction.atomic
def ensure_builtin_agents(owner: User) -> Agent:
    """The agent that everyone starts with, made once and readable by all; edits are kept."""
    agent, is_new = Agent.objects.get_or_create(
        slug=DOCUMENTS,
        defaults={
            "owner": owner,
            "name": "Documents",
            "description": "Answers from your documents, with citations.",
            "is_builtin": True,
        },
    )
    if is_new:
        share(agent, everyone(), Grant.Role.READER, by=owner)
    return agent
