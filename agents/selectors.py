"""Reads about agents."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.db.models.functions import Substr
from django.http import Http404

from accounts.models import User
from agents.building.decoding import controls_in
from agents.delegating.said import helpers_in
from agents.models import Agent
from agents.types import AgentSpec, CitationAdded
from agents.types.limits import Limits
from knowledge.models import DocumentText
from observability.rows import columns_of, find_one
from security.text import storable

MOST_IDS = 1000
_ids: dict[str, UUID] = {}  # by slug


def list_agents(user: User) -> QuerySet[Agent]:
    """Agents `user` may use, with `role` (theirs)."""
    visible: QuerySet[Agent] = Agent.objects.visible_to(user).annotate_role(user)
    return visible


def find_agent(user: User, reference: str) -> Agent:
    """The agent with this slug or id, with `role`; raises Http404."""
    reference = storable(reference)
    found = list_agents(user).filter(_by(reference)).first()
    if found is None:
        raise Http404
    return found


def find_own(user: User, reference: str) -> UUID:
    """The id of an agent that they may use or edit, by its slug or id; raises Http404."""
    rows = Agent.objects.visible_to(user) | Agent.objects.editable_by(user)
    found: UUID | None = rows.filter(_by(storable(reference))).values_list("pk", flat=True).first()
    if found is None:
        raise Http404
    return found


def find_usable_agent(user: User, reference: str) -> Agent:
    """The agent with this slug or id, without `role`, for the hot path; raises Http404."""
    reference = storable(reference)
    found_id = id_in(reference)
    found = find_one(
        Agent,
        f"select {columns_of(Agent, 'a')} from agents_agent a where id = %s or slug = %s",  # noqa: S608
        [found_id, None if found_id else reference],
    )
    if found is None or not may_use(user, found):
        raise Http404
    if found_id is None:
        if len(_ids) >= MOST_IDS:
            _ids.clear()
        _ids[reference] = found.pk
    return found


def last_id(reference: str) -> UUID | None:
    """Which agent the reference stood for when somebody used it last: a guess, to be looked at by
    the query that it goes into."""
    return id_in(reference) or _ids.get(reference)


def usual_agent(user: User | AnonymousUser) -> str:
    """The slug of the agent they chose for new chats; empty where there is none they may use."""
    if not isinstance(user, User) or user.default_agent is None:
        return ""
    found = Agent.objects.visible_to(user).filter(pk=user.default_agent)
    return found.values_list("slug", flat=True).first() or ""


def may_use(user: User, agent: Agent) -> bool:
    """`visible_to` for one row: everyone's built-in agent and one's own need no query.

    A draft is asked by whoever may edit its agent.
    """
    if not user.is_active:
        return False
    if agent.draft_of_id is not None:
        return bool(Agent.objects.editable_by(user).filter(pk=agent.draft_of_id).exists())
    if not agent.version:
        return False
    if agent.is_builtin or agent.owner_id == user.pk:
        return True
    return bool(Agent.objects.visible_to(user).filter(pk=agent.pk).exists())


def _by(reference: str) -> Q:
    return Q(pk=reference) if id_in(reference) else Q(slug=reference)


def id_in(reference: str) -> UUID | None:
    """A reference that is an id, as one; None for a slug."""
    try:
        return UUID(reference)
    except ValueError:
        return None


def agent_spec(agent: Agent) -> AgentSpec:
    """The agent as a run sees it; one query for its collections."""
    collections = list(agent.collections.values_list("pk", "understanding"))
    return AgentSpec(
        slug=agent.slug,
        name=agent.name,
        instructions=agent.instructions,
        model_name=agent.model_name,
        collections=tuple(pk for pk, _said in collections),
        said_by_collections=tuple(said for _pk, said in collections if said),
        is_limited=agent.is_limited,
        max_passages=agent.max_passages,
        context_tokens=agent.context_tokens,
        max_answer_tokens=agent.max_answer_tokens,
        tools=tuple(agent.tools),
        helpers=helpers_in(agent.helpers),
        temperature=agent.temperature,
        controls=controls_in(agent.decoding),
        reuse=agent.reuse,
        reuse_seconds=agent.reuse_seconds,
        similarity=agent.similarity if agent.reuses_similar else 0,
        understanding=agent.understanding,
        reasoning_effort=agent.reasoning_effort,
        limits=Limits(**agent.limits),
        guardrails=tuple(agent.guardrails),
        id=agent.draft_of_id or agent.pk,
    )


def verify_quotes(citations: Sequence[CitationAdded]) -> list[bool]:
    """For each citation, whether its document still says exactly this at exactly this place."""
    return [
        DocumentText.objects.filter(document_id=citation.document_id)
        .annotate(said=Substr("text", citation.start + 1, citation.end - citation.start))
        .filter(said=citation.quote)
        .exists()
        for citation in citations
    ]
