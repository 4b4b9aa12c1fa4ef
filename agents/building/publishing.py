"""From a draft to what members use: versions that are numbered, kept, and brought back."""

from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import require_editable
from accounts.models import User
from agents.building.content import Content, content_of, put_content
from agents.building.drafts import draft_of, follow, has_changes, locked
from agents.building.offered import may_think
from agents.errors import DraftChanged, Unpublishable
from agents.models import Agent, AgentVersion
from gateway.catalogue import is_chat_model
from security import audit
from security.acts import Act


@transaction.atomic
def publish(user: User, agent_id: UUID, revision: int, note: str = "") -> AgentVersion:
    """From now on members use what the draft says.

    Raises Http404, PermissionDenied, DraftChanged when it is not at `revision`, Unpublishable.
    """
    agent = lock_agent(user, agent_id)
    return put_version(agent, content_of(ready_draft(agent, revision)), user, note)


def ready_draft(agent: Agent, revision: int) -> Agent:
    """The draft under a lock; raises DraftChanged, Unpublishable."""
    draft = locked(draft_of(agent))
    if draft.version != revision:
        raise DraftChanged
    if reasons := against(draft):
        raise Unpublishable(reasons)
    return draft


def put_version(agent: Agent, content: Content, by: User, note: str = "") -> AgentVersion:
    """The next version says this; in the caller's transaction, which has locked the agent."""
    keep_current(agent)
    put_content(agent, content)
    return record(agent, by, note)


def against(draft: Agent) -> list[str]:
    """What has to be put right before it can be published; nothing, usually."""
    found = []
    if not draft.name.strip():
        found.append(_("Give the agent a name."))
    if draft.model_name and not is_chat_model(draft.model_name):
        found.append(_("The model %s is not connected. Choose another one.") % draft.model_name)
    elif draft.reasoning_effort and not may_think(draft.model_name):
        found.append(_("The model does not say how long it can think. Leave that to the model."))
    assert draft.draft_of is not None
    if not has_changes(draft):
        found.append(_("There is nothing new to publish."))
    return found


def keep_current(agent: Agent) -> None:
    """A version of what is published, of agents that were made before there were any."""
    if agent.version:
        AgentVersion.objects.get_or_create(
            agent=agent, number=agent.version, defaults={"content": content_of(agent)}
        )


def record(agent: Agent, by: User, note: str = "") -> AgentVersion:
    """The next version, of what the agent says now; in the caller's transaction."""
    agent.version += 1
    agent.save(update_fields=["version", "updated_at"])
    made: AgentVersion = AgentVersion.objects.create(
        agent=agent, number=agent.version, content=content_of(agent), note=note.strip(), by=by
    )
    audit.record(Act.AGENT_PUBLISHED, agent, by=by, title=agent.name, version=agent.version)
    return made


@transaction.atomic
def record_edit(agent: Agent, by: User) -> AgentVersion:
    """An agent was changed where there are no drafts. A draft that says nothing of its own goes
    along; `agents.building.publishing.keep_current` was called before."""
    before = AgentVersion.objects.filter(agent=agent, number=agent.version).first()
    draft = Agent.drafts.select_for_update(of=("self",)).filter(draft_of=agent).first()
    made = record(agent, by)
    if draft is not None and before is not None and content_of(draft) == before.content:
        follow(agent, draft)
    return made


@transaction.atomic
def restore(user: User, agent_id: UUID, number: int) -> AgentVersion:
    """A new version that says what this one said. A draft with changes of its own stays as it is.

    Raises Http404, PermissionDenied.
    """
    wanted = find_version(user, agent_id, number).content
    agent = lock_agent(user, agent_id)
    draft = locked(draft_of(agent))
    is_apart = has_changes(draft)
    keep_current(agent)
    put_content(agent, wanted)
    if not is_apart:
        follow(agent, draft)
    return record(agent, user, _("Version %s again") % number)


def find_version(user: User, agent_id: UUID, number: int) -> AgentVersion:
    """For who may edit the agent. Raises Http404, PermissionDenied."""
    agent = require_editable(Agent.objects, user, agent_id)
    keep_current(agent)
    found = AgentVersion.objects.filter(agent=agent, number=number).select_related("agent", "by")
    if (version := found.first()) is None:
        raise Http404
    return version


def list_versions(user: User, agent_id: UUID) -> list[AgentVersion]:
    """The latest first, for who may edit it. Raises Http404, PermissionDenied."""
    agent = require_editable(Agent.objects, user, agent_id)
    keep_current(agent)
    return list(AgentVersion.objects.filter(agent=agent).select_related("agent", "by"))


def lock_agent(user: User, agent_id: UUID) -> Agent:
    """Raises Http404, PermissionDenied."""
    agent = require_editable(Agent.objects, user, agent_id)
    found: Agent = Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
    return found
