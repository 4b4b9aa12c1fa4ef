"""What the form of an agent offers to the person who fills it in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from agents.mcp_client.provider import usable_tools
from agents.models import Agent
from agents.selectors import agent_spec
from agents.tools.registry import PROVIDERS, TOOLS
from agents.tools.types import Effect, Tool
from agents.types import AgentTask
from gateway.catalogue import list_chat_models
from gateway.controls import Capability
from gateway.models import Deployment
from knowledge.models import Collection

EFFECTS = {
    Effect.NONE: (_("Only compute"), _("They see nothing but what they are given.")),
    Effect.READS: (_("Read"), _("They read what the person who asks may read.")),
    Effect.CHANGES: (_("Change something"), _("Something stays behind. They ask before they do.")),
    Effect.SENDS: (_("Talk to others"), _("They send something out. They ask before they do.")),
}


@dataclass(frozen=True, slots=True)
class Offered:
    """A model; `thinks` says whether it can be told how long to think."""

    name: str
    thinks: bool
    is_default: bool


def list_models() -> list[Offered]:
    thinking = _thinking()
    return [
        Offered(model.name, model.name in thinking, model.is_default)
        for model in list_chat_models()
    ]


def may_think(name: str) -> bool:
    """Whether the model, or the default one for an empty name, can be told how long to think."""
    return any(
        one.thinks for one in list_models() if one.name == name or (not name and one.is_default)
    )


def list_collections(user: User) -> "QuerySet[Collection]":
    found: QuerySet[Collection] = Collection.objects.visible_to(user).order_by("name")
    return found


# Of the page's icons, for what a tool calls its own; a wrench for all others.
SIGNS = {
    "calculator": "sliders-horizontal", "calendar": "calendar", "chart": "chart-column",
    "code": "square-terminal", "document": "file-text", "file": "file-text", "git": "git-branch",
    "globe": "globe", "memory": "bookmark",
    "plug": "plug", "scale": "move-horizontal", "search": "search", "table": "columns-2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A tool in the form."""

    tool: Tool
    is_on: bool

    @property
    def sign(self) -> str:
        return SIGNS.get(self.tool.icon, "wrench")

    @property
    def about(self) -> str:
        """In whole paragraphs: models do not mind where lines of a program end."""
        return "\n\n".join(" ".join(part.split()) for part in self.tool.description.split("\n\n"))


@dataclass(frozen=True, slots=True)
class Group:
    """Tools of one effect."""

    effect: Effect
    title: Any
    about: Any
    tools: Sequence[Shown]


def list_tools(user: User, agent: Agent) -> list[Tool]:
    """All that this installation has and the person may use, whatever is switched on."""
    spec = replace(agent_spec(agent), tools=tuple(TOOLS))
    task = AgentTask(agent=spec, user=user, question="")
    known = [*TOOLS.values(), *async_to_sync(_provided)(task), *usable_tools(user)]
    return [one for one in known if one.is_there() and one.may_use(user)]


def grouped(tools: Iterable[Tool], on: Iterable[str]) -> list[Group]:
    """The harmless ones first."""
    chosen, all_of_them = set(on), list(tools)
    groups = [
        Group(
            effect,
            *EFFECTS[effect],
            [Shown(one, one.name in chosen) for one in all_of_them if one.effect == effect],
        )
        for effect in Effect
    ]
    return [group for group in groups if group.tools]


async def _provided(task: AgentTask) -> list[Tool]:
    return [one for provide in PROVIDERS for one in await provide(task)]


def _thinking() -> set[str]:
    served = Deployment.objects.filter(is_enabled=True, endpoint__is_enabled=True)
    return {
        one.model.name for one in served.select_related("model") if one.has(Capability.REASONING)
    }
