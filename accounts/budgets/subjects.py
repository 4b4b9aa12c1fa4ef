"""Whom a budget is for: their names, and the time zone that their periods keep."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.budgets.models import Budget
from accounts.models import ApiToken, Team, User
from accounts.time_zones import time_zone_of
from security.sentences import Sentence, declare

Scope = Budget.Scope

declare({"budget_of_all": _("this installation")})


@dataclass(frozen=True, slots=True)
class AgentFacts:
    name: str
    owner_id: UUID | None = None


FindAgents = Callable[[Collection[UUID] | None], Mapping[UUID, AgentFacts]]
_find_agents: list[FindAgents] = []


def know_agents(find: FindAgents) -> None:
    """Agents are a layer above: it says here how they are found."""
    _find_agents[:] = [find]


def agents_by_id(ids: Collection[UUID] | None) -> Mapping[UUID, AgentFacts]:
    """None: all of them, for a form to choose from."""
    if not _find_agents or (ids is not None and not ids):
        return {}
    return _find_agents[0](ids)


def name_of(scope: str, subject_id: UUID) -> str:
    """Whose budget it is, as a refusal says it; empty for one that is gone."""
    return names_of(scope, [subject_id]).get(subject_id, "")


def names_of(scope: str, ids: Collection[UUID]) -> dict[UUID, str]:
    match scope:
        case Scope.USER:
            return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
        case Scope.TEAM:
            return dict(Team.objects.filter(pk__in=ids).values_list("pk", "name"))
        case Scope.TOKEN:
            return dict(ApiToken.objects.filter(pk__in=ids).values_list("pk", "name"))
        case Scope.AGENT:
            return {pk: facts.name for pk, facts in agents_by_id(ids).items()}
    return dict.fromkeys(ids, Sentence("budget_of_all"))


def zone_of(scope: str, subject_id: UUID) -> tzinfo:
    """The person's, the agent's or the token's owner's; the server's for teams and for all."""
    owner: User | None = None
    match scope:
        case Scope.USER:
            owner = User.objects.filter(pk=subject_id).first()
        case Scope.TOKEN:
            owner = User.objects.filter(api_tokens=subject_id).first()
        case Scope.AGENT:
            facts = agents_by_id([subject_id]).get(subject_id)
            if facts is not None and facts.owner_id:
                owner = User.objects.filter(pk=facts.owner_id).first()
    return time_zone_of(owner) or timezone.get_default_timezone()
