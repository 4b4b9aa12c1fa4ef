"""What stands for the ids of a roll-up: names, as far as whoever looks may know them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import ApiToken, Team, User
from agents.models import Agent
from agents.usage.audience import Whose, may_see_all


def purposes() -> dict[str, str]:
    return {
        "chat": _("Answers"),
        "title": _("Titles"),
        "memory": _("Memory"),
        "complexity": _("Choosing a model"),
        "embedding": _("Vectors"),
        "rerank": _("Ranking"),
        "rewriting": _("Understanding questions"),
        "enrichment": _("Enrichment"),
        "guardrail": _("Guardrails"),
        "api": _("Programs"),
        "probe": _("Tests of endpoints"),
        "other": _("Other"),
    }


def names_of(whose: Whose, dimension: str, keys: Collection[Any]) -> dict[Any, str]:
    """By key; what has no name is gone, or not for the viewer to know."""
    ids = [key for key in keys if isinstance(key, UUID)]
    match dimension:
        case "agent":
            return dict(_agents(whose).filter(pk__in=ids).values_list("pk", "name"))
        case "person":
            return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
        case "token":
            return dict(_tokens(whose).filter(pk__in=ids).values_list("pk", "name"))
        case "team":
            return dict(Team.objects.filter(pk__in=ids).values_list("pk", "name"))
        case "purpose":
            known = purposes()
            return {key: known.get(key, key) for key in keys}
    return {key: str(key) for key in keys if key}


def nameless(dimension: str, key: Any) -> str:
    """What is said of keys that have no name."""
    if key:
        return {"agent": _("Other agents"), "person": _("Deleted accounts")}.get(
            dimension, _("Deleted")
        )
    return {
        "agent": _("Without an agent"),
        "person": _("Nobody"),
        "token": _("Without a token"),
        "team": _("In no team"),
        "endpoint": _("No endpoint"),
    }.get(dimension, _("Unknown"))


def _agents(whose: Whose) -> Any:
    """A member's own agent is named to its team's owners only if they may use it too."""
    if may_see_all(whose.viewer):
        return Agent.objects.all()
    return Agent.objects.visible_to(whose.viewer)


def _tokens(whose: Whose) -> Any:
    mine = Q() if may_see_all(whose.viewer) else Q(user=whose.viewer)
    return ApiToken.objects.filter(mine)
