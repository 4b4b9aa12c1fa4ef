"""An agent as a file: taken along, brought in here or elsewhere. No ids of people, no secrets.

Collections stand in it by their names and are found again by them, among those that whoever brings
it in may see. What is not found is told before anything is made.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from agents.building.content import content_of
from agents.building.drafts import hidden_collections
from agents.building.helping import found_again, named
from agents.building.making import create_agent
from agents.building.offered import may_think
from agents.mcp_client.provider import usable_tools
from agents.models import Agent
from agents.tools.registry import TOOLS
from gateway.catalogue import is_chat_model
from knowledge.models import Collection
from knowledge.switches import Switch

FORMAT, NUMBER = "parley-agent", 1


@dataclass(frozen=True, slots=True)
class Bringing:
    """What would be made, and what of the file cannot be matched here, in words."""

    content: dict[str, Any]
    unmatched: tuple[str, ...]


def as_file(user: User, agent: Agent) -> dict[str, Any]:
    """What `import` takes: of an agent or of a draft, with the collections that `user` may see."""
    content = content_of(agent)
    content.pop("picture")
    hidden = {str(pk) for pk in hidden_collections(user, agent)}
    shown = Collection.objects.filter(pk__in=set(content["collections"]) - hidden)
    content["collections"] = sorted(shown.values_list("name", flat=True))
    content["helpers"] = named(user, agent)
    return {"format": FORMAT, "version": NUMBER, "agent": content}


def read(user: User, said: Mapping[str, Any]) -> Bringing:
    """The agent of a file whose fields are in order already, as it can be here."""
    content, unmatched = dict(said), []
    content["collections"], missing = _collections(user, said.get("collections") or ())
    unmatched += [_("No collection of yours is called “%s”.") % name for name in missing]
    content["helpers"], missing = found_again(user, said.get("helpers") or ())
    unmatched += [_("No agent that you may use is called “%s”.") % name for name in missing]
    if content.get("model_name") and not is_chat_model(content["model_name"]):
        unmatched.append(
            _("The model %s is not connected here: the default one answers.")
            % content["model_name"]
        )
        content["model_name"] = ""
    if content.get("reasoning_effort") and not may_think(content.get("model_name", "")):
        unmatched.append(_("The model here does not say how long it can think."))
        content["reasoning_effort"] = ""
    tools = content.get("tools") or []
    known = TOOLS.keys() | {one.name for one in usable_tools(user)}
    unmatched += [_("There is no tool %s here.") % one for one in tools if one not in known]
    content["tools"] = [one for one in tools if one in known]
    understanding = content.get("understanding") or {}
    content["understanding"] = {k: on for k, on in understanding.items() if k in set(Switch)}
    return Bringing(content, tuple(unmatched))


@transaction.atomic
def bring(user: User, brought: Bringing) -> Agent:
    """A draft of the person's own. Raises PermissionDenied and AgentRefused."""
    return create_agent(user, brought.content["name"], brought.content)


def _collections(user: User, names: Any) -> tuple[list[UUID], list[str]]:
    """By name, and the names that none has, or more than one."""
    rows = list(Collection.objects.visible_to(user).values_list("name", "pk"))
    count = Counter(name for name, _pk in rows)
    by_name = {name: pk for name, pk in rows if count[name] == 1}
    wanted = list(dict.fromkeys(names))
    return [by_name[one] for one in wanted if one in by_name], [
        one for one in wanted if one not in by_name
    ]
