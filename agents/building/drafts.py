"""The draft of an agent: saved piece by piece as it is written, by one hand at a time."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import require_all, require_editable
from accounts.models import User
from agents.building.content import content_of, put_content
from agents.building.helping import taken
from agents.errors import DraftChanged
from agents.models import Agent
from knowledge.models import Collection


@transaction.atomic
def find_draft(user: User, agent_id: UUID) -> Agent:
    """The draft, made of the agent where there is none yet. Raises Http404, PermissionDenied."""
    return draft_of(require_editable(Agent.objects, user, agent_id))


def draft_of(agent: Agent) -> Agent:
    """In the caller's transaction, with `draft_of` loaded."""
    draft, is_new = Agent.drafts.get_or_create(
        draft_of=agent,
        defaults={"owner_id": agent.owner_id, "slug": f"draft-{agent.pk}", "name": agent.name},
    )
    if is_new:
        put_content(draft, content_of(agent))
    if draft.owner_id != agent.owner_id or draft.required_labels != agent.required_labels:
        Agent.drafts.filter(pk=draft.pk).update(
            owner=agent.owner_id, required_labels=agent.required_labels
        )
    draft.draft_of = agent
    return draft  # type: ignore[no-any-return]  # the manager is made at run time


def has_changes(draft: Agent) -> bool:
    """Whether it says anything that the published agent does not."""
    assert draft.draft_of is not None
    return not draft.draft_of.version or content_of(draft) != content_of(draft.draft_of)


@transaction.atomic
def save_draft(user: User, agent_id: UUID, revision: int, changes: dict[str, Any]) -> Agent:
    """What is said is changed, all else stays. `collections` are among those that `user` may see;
    those that they may not see stay until it is no longer limited to any.

    Raises Http404, PermissionDenied, AgentRefused, DraftChanged when it is not at `revision` any
    more.
    """
    draft = locked(find_draft(user, agent_id))
    if draft.version != revision:
        raise DraftChanged
    if "collections" in changes:
        require_all(Collection.objects.visible_to(user), changes["collections"])
    is_limited = changes.get("is_limited", draft.is_limited)
    if not is_limited:
        changes = changes | {"collections": []}
    elif "collections" in changes:
        hidden = hidden_collections(user, draft)
        changes = changes | {"collections": [*changes["collections"], *hidden]}
    if "helpers" in changes:
        changes = changes | {"helpers": taken(user, draft, changes["helpers"])}
    put_content(draft, changes)
    return _saved(draft)


@transaction.atomic
def discard_draft(user: User, agent_id: UUID) -> Agent:
    """It says what is published, again. Raises Http404, PermissionDenied."""
    draft = locked(find_draft(user, agent_id))
    assert draft.draft_of is not None
    if draft.draft_of.version:
        put_content(draft, content_of(draft.draft_of))
    return _saved(draft)


def follow(agent: Agent, draft: Agent) -> None:
    """The draft says what the agent says now; for whoever changes both in one transaction."""
    put_content(draft, content_of(agent))
    _saved(draft)


def hidden_collections(user: User, agent: Agent) -> Iterable[UUID]:
    """Those of the agent that `user` may not see."""
    seen = Collection.objects.visible_to(user).values("pk")
    return list(agent.collections.exclude(pk__in=seen).values_list("pk", flat=True))


def locked(draft: Agent) -> Agent:
    """Read again under a lock: two tabs save one after the other."""
    found: Agent = (
        Agent.drafts.select_for_update(of=("self",)).select_related("draft_of").get(pk=draft.pk)
    )
    return found


def _saved(draft: Agent) -> Agent:
    draft.version += 1
    draft.save(update_fields=["version"])
    return draft
