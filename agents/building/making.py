"""Agents of people's own: made, copied, deleted, and given a picture."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.crypto import get_random_string
from django.utils.module_loading import import_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.access import require_editable, require_owned
from accounts.errors import PictureRefused
from accounts.models import Grant, User
from accounts.portraits import MOST_MEGABYTES, Upload
from accounts.services import forget_grants
from agents.building.content import content_of, put_content
from agents.building.drafts import draft_of, find_draft, hidden_collections, locked, save_draft
from agents.building.helping import hidden
from agents.errors import AgentRefused
from agents.models import Agent, AgentPicture, AgentVersion
from security import audit
from security.acts import Act
from security.text import storable

MOST = 300  # agents of one person
RESERVED = frozenset({"import", "new"})  # addresses


def may_build(user: User) -> bool:
    """Whether they may make agents of their own, here."""
    return user.is_active and (settings.PARLEY_AGENTS == "everyone" or user.is_staff)


@transaction.atomic
def create_agent(user: User, name: str, content: Mapping[str, Any] | None = None) -> Agent:
    """Nothing of it is published yet; `content` is checked like a change of a draft.

    Raises PermissionDenied, Http404 for a collection that is not theirs to see, AgentRefused.
    """
    if not may_build(user):
        raise PermissionDenied
    if Agent.objects.filter(owner=user).count() >= MOST:
        raise AgentRefused(_("You may have %s agents. Delete some that you no longer use.") % MOST)
    name = " ".join(storable(name).split())[:80]
    agent: Agent = Agent.objects.create(owner=user, name=name, slug=_slug(name), version=0)
    draft = draft_of(agent)
    save_draft(user, agent.pk, draft.version, {**(content or {}), "name": name})
    return agent


@transaction.atomic
def duplicate(user: User, agent_id: UUID) -> Agent:
    """A draft of their own that says what this one does, with the collections that they may see.

    Raises Http404, PermissionDenied for an agent that they may only ask.
    """
    source = find_draft(user, agent_id)
    content = content_of(source)
    closed = {str(pk) for pk in hidden_collections(user, source)}
    content["collections"] = [UUID(pk) for pk in content["collections"] if pk not in closed]
    unseen = {one["agent"] for one in hidden(user, source)}
    content["helpers"] = [one for one in content["helpers"] if one["agent"] not in unseen]
    name = (_("%s (copy)") % source.name)[:80]
    picture = AgentPicture.objects.filter(pk=content.pop("picture")).first()
    made = create_agent(user, name, content)
    if picture is not None:
        _give(made, AgentPicture.objects.create(agent=made, data=bytes(picture.data)))
    return made


@transaction.atomic
def delete_agent(user: User, agent_id: UUID) -> None:
    """For everyone, with its draft and versions; conversations stay, and are answered by the
    built-in agent. Raises Http404, PermissionDenied, AgentRefused for that one."""
    agent = require_owned(Agent.objects, user, agent_id)
    if agent.is_builtin:
        raise AgentRefused(_("The built-in agent answers where no other is chosen: it stays."))
    forget_grants(Grant.Kind.AGENT, agent.pk)
    audit.record(Act.AGENT_DELETED, agent, by=user, title=agent.name)
    agent.delete()


@transaction.atomic
def set_picture(user: User, agent_id: UUID, file: Upload) -> Agent:
    """Draw it anew, small and square; nothing else of the file is kept. The draft has it.

    Raises Http404, PermissionDenied, PictureRefused.
    """
    agent = require_editable(Agent.objects, user, agent_id)
    data = file.read(MOST_MEGABYTES * 2**20 + 1)
    if len(data) > MOST_MEGABYTES * 2**20:
        refusal = _("A picture may have %(limit)s MB at most. Choose a smaller one.")
        raise PictureRefused(refusal % {"limit": MOST_MEGABYTES})
    drawn = import_string(settings.PORTRAIT_PAINTER)(data)
    _drop_unused(agent)
    return _give(agent, AgentPicture.objects.create(agent=agent, data=drawn))


@transaction.atomic
def remove_picture(user: User, agent_id: UUID) -> Agent:
    """Raises Http404, PermissionDenied."""
    return _give(require_editable(Agent.objects, user, agent_id), None)


def find_picture(user: User, picture_id: UUID) -> bytes:
    """Of an agent that `user` may use or edit. Raises Http404."""
    seen = Agent.objects.visible_to(user).values("pk")
    edited = Agent.objects.editable_by(user).values("pk")
    found = AgentPicture.objects.filter(pk=picture_id)
    row = (found.filter(agent__in=seen) | found.filter(agent__in=edited)).first()
    if row is None:
        raise Http404
    return bytes(row.data)


def _give(agent: Agent, picture: AgentPicture | None) -> Agent:
    """Pictures are saved without a revision: nobody types one."""
    draft = locked(draft_of(agent))
    put_content(draft, {"picture": picture.pk if picture else None})
    draft.version += 1
    draft.save(update_fields=["version"])
    return draft


def _drop_unused(agent: Agent) -> None:
    """Old pictures that nothing names, so that changing one again and again fills no disk."""
    named = {str(agent.picture), str(draft_of(agent).picture)}
    for content in AgentVersion.objects.filter(agent=agent).values_list("content", flat=True):
        named.add(str(content.get("picture")))
    unused = AgentPicture.objects.filter(agent=agent).exclude(
        pk__in=[pk for pk in named if pk != "None"]
    )
    unused.delete()


def _slug(name: str) -> str:
    """What programs call it by; of a name in Chinese nothing is left but a number."""
    wanted = slugify(name)[:60]
    if not wanted or wanted in RESERVED or Agent.objects.filter(slug=wanted).exists():
        wanted = f"{wanted or 'agent'}-{get_random_string(6, 'abcdefghijkmnpqrstuvwxyz23456789')}"
    return wanted
