"""Which other agents an agent may ask and hand over to, as its author says it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from agents.errors import AgentRefused
from agents.models import Agent
from security.text import storable

MOST = 40
WORDS = 300  # characters of `when`
WAYS = ("ask", "hand_over")

Said = Mapping[str, Any]  # agent, way, when


@dataclass(frozen=True, slots=True)
class Choice:
    """An agent in the form, and what is said of it there."""

    agent: Agent
    asks: bool
    hands: bool
    when: str

    @property
    def is_on(self) -> bool:
        return self.asks or self.hands


def reachable(user: User, agent: Agent) -> "QuerySet[Agent]":
    """Those that the person may use now, without the agent itself."""
    own = agent.draft_of_id or agent.pk
    found: QuerySet[Agent] = Agent.objects.visible_to(user).exclude(pk=own).order_by("name")
    return found


def list_choices(user: User, draft: Agent) -> list[Choice]:
    """All that could be chosen, those that are first."""
    said: dict[str, dict[str, str]] = {}
    for one in draft.helpers:
        said.setdefault(one["agent"], {})[one["way"]] = one.get("when", "")
    found = []
    for agent in reachable(user, draft):
        ways = said.get(str(agent.pk), {})
        when = next(iter(ways.values()), agent.description)
        found.append(Choice(agent, "ask" in ways, "hand_over" in ways, when))
    return sorted(found, key=lambda one: not one.is_on)


def hidden(user: User, agent: Agent) -> list[Said]:
    """Those that it has and that `user` may not use, or that are gone."""
    if not agent.helpers:
        return []
    seen = _seen(user, agent, (one["agent"] for one in agent.helpers))
    return [one for one in agent.helpers if one["agent"] not in seen]


def taken(user: User, draft: Agent, said: Iterable[Said]) -> list[Said]:
    """As it is stored: each once, with words of the author's own. Those that `user` may not use
    stay. Raises Http404 for one that they may not use, AgentRefused."""
    given = list(said)
    own = str(draft.draft_of_id or draft.pk)
    if any(str(one["agent"]) == own for one in given):
        raise AgentRefused(_("An agent cannot call itself."))
    kept = hidden(user, draft)
    known = {one["agent"] for one in kept}
    given = [one for one in given if str(one["agent"]) not in known]
    seen = _seen(user, draft, (str(one["agent"]) for one in given))
    if any(str(one["agent"]) not in seen for one in given):
        raise Http404
    rows = {
        (str(one["agent"]), str(one["way"])): {
            "agent": str(one["agent"]),
            "way": str(one["way"]),
            # What models are told is the author's: later changes of that agent do not reach them.
            "when": _line(one.get("when") or seen[str(one["agent"])].description),
        }
        for one in given
    }
    if len(rows) + len(kept) > MOST:
        raise AgentRefused(_("An agent may call %s others at most.") % MOST)
    return [*rows.values(), *kept]


def named(user: User, agent: Agent) -> list[dict[str, str]]:
    """For a file: by slug and name, those that `user` may use."""
    seen = _seen(user, agent, (one["agent"] for one in agent.helpers))
    return [
        {
            "agent": seen[one["agent"]].slug, "name": seen[one["agent"]].name, "way": one["way"],
            "when": one.get("when", ""),
        }
        for one in agent.helpers
        if one["agent"] in seen
    ]  # fmt: skip


def found_again(user: User, said: Sequence[Said]) -> tuple[list[Said], list[str]]:
    """Of a file: by slug, else by a name that only one has; and the names that none has."""
    rows = list(Agent.objects.visible_to(user))
    by_slug = {row.slug: row for row in rows}
    names = [row.name for row in rows]
    by_name = {row.name: row for row in rows if names.count(row.name) == 1}
    found: list[Said] = []
    missing: list[str] = []
    for one in said:
        row = by_slug.get(one["agent"]) or by_name.get(one.get("name", ""))
        if row is None:
            missing.append(one.get("name") or one["agent"])
        else:
            found.append({"agent": row.pk, "way": one["way"], "when": one.get("when", "")})
    return found, list(dict.fromkeys(missing))


def in_words(said: Iterable[Said], names: Mapping[str, str]) -> Iterable[str]:
    """A line each; names as whoever reads may know them."""
    unknown = _("an agent that you may not use, or that is gone")
    ways = {"ask": _("asks"), "hand_over": _("hands over to")}
    for one in said:
        who = f"{ways.get(one['way'], '')} {names.get(one['agent'], unknown)}"
        yield f"{who}: {one['when']}" if one.get("when") else who


def names_of(user: User, ids: Iterable[str]) -> dict[str, str]:
    found = Agent.objects.visible_to(user).filter(pk__in=set(ids))
    return {str(pk): name for pk, name in found.values_list("pk", "name")}


def _seen(user: User, agent: Agent, ids: Iterable[str]) -> dict[str, Agent]:
    wanted = {UUID(one) for one in ids}
    return {str(row.pk): row for row in reachable(user, agent).filter(pk__in=wanted)}


def _line(text: str) -> str:
    return " ".join(storable(text).split())[:WORDS]
