"""Writes about agents."""

from functools import partial

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import Grant, User
from accounts.services import everyone, forget_grants, share
from agents.mcp_client.leaving import forget_accounts
from agents.mcp_client.models import McpAccount
from agents.models import Agent, SavedPrompt
from agents.reuse.forgetting import forget_answers_of

DOCUMENTS = "documents"


def keep_limit(agent: Agent) -> None:
    """An agent that has collections searches only those, also when they are deleted one day."""
    if agent.collections.exists():
        Agent.objects.filter(pk=agent.pk).update(is_limited=True)


def remove_everything_of(user: User) -> None:
    """Delete agents, saved prompts and accounts at servers of a person who goes, in the caller's
    transaction; behind it the answers that were kept for them.

    Called by `DEPARTURES`. Built-in agents are everybody's: another administrator takes them over.
    """
    owned = Agent.objects.filter(owner=user)
    administrators = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if (heir := administrators.order_by("date_joined").first()) is not None:
        owned.filter(is_builtin=True).update(owner=heir)
        Agent.drafts.filter(draft_of__is_builtin=True).update(owner=heir)
    forget_grants(Grant.Kind.AGENT, *owned.values_list("pk", flat=True))
    owned.delete()
    prompts = SavedPrompt.objects.filter(owner=user)
    forget_grants(Grant.Kind.SAVED_PROMPT, *prompts.values_list("pk", flat=True))
    prompts.delete()
    forget_accounts(McpAccount.objects.filter(user=user))
    transaction.on_commit(partial(forget_answers_of, user.pk))


@transaction.atomic
def ensure_builtin_agents(owner: User) -> Agent:
    """The agent that everyone starts with, made once and readable by all; edits are kept."""
    made: tuple[Agent, bool] = Agent.objects.get_or_create(
        slug=DOCUMENTS,
        defaults={
            "owner": owner,
            "name": gettext_noop("Documents"),  # pages say it in the language of the reader
            "description": gettext_noop("Answers from your documents, with citations."),
            "is_builtin": True,
        },
    )
    agent, is_new = made
    if is_new:
        share(agent, everyone(), Grant.Role.READER, by=owner)
    return agent
