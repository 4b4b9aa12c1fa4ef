"""What authors leave open in instructions, filled in when a run begins.

Names of people and teams are words of others: they stand in quotation marks, on one line, with
nothing in them but letters, digits and what names are written with, and are cut short.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.conf.locale import LANG_INFO
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.time_zones import time_zone_of
from agents.types import AgentTask
from observability.patience import run_patiently

NAMES = {
    "today": _("The date of the question, such as 2026-11-22 (Sunday)."),
    "person": _("The name of the person who asks."),
    "language": _("The language of their pages, such as English or 简体中文."),
    "team": _("The names of their teams."),
}
VARIABLE = re.compile(r"\{\{[ \t]*(" + "|".join(NAMES) + r")[ \t]*\}\}")
STRANGE = re.compile(r"[^\w .,'’&()\-·]+")
LONGEST = 60
MOST_TEAMS = 5


async def with_variables(task: AgentTask) -> AgentTask:
    """The task with its agent's instructions filled in; only teams cost a query."""
    wanted = set(VARIABLE.findall(task.agent.instructions))
    if not wanted:
        return task
    teams = await run_patiently(listed_teams, task.team_ids) if "team" in wanted else []
    values = {"today": _today(task), "language": _language(task), "team": _listed(teams)}
    values["person"] = named(task.user.get_short_name())
    filled = fill(task.agent.instructions, values)
    return replace(task, agent=replace(task.agent, instructions=filled))


def fill(text: str, values: Mapping[str, str]) -> str:
    """What a value itself says is not filled in again."""
    return VARIABLE.sub(lambda found: values[found[1]], text)


def named(name: str) -> str:
    """A name that cannot pass for instructions."""
    plain = " ".join(STRANGE.sub(" ", name).split())[:LONGEST].strip()
    return f"“{plain}”" if plain else "“?”"


def _today(task: AgentTask) -> str:
    return timezone.localtime(timezone=time_zone_of(task.user)).strftime("%Y-%m-%d (%A)")


def _language(task: AgentTask) -> str:
    return str(LANG_INFO.get(task.user.language, LANG_INFO["en"])["name_local"])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(named, names)) or "none"


def listed_teams(ids: Sequence[UUID]) -> list[str]:
    """Their names, but for the team of everyone."""
    found = Team.objects.filter(pk__in=ids, is_everyone=False).order_by("name")
    return list(found.values_list("name", flat=True)[:MOST_TEAMS])
