"""Who may use or change an agent, and whom its owner may name."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import require_owned
from accounts.errors import SharingRefused
from accounts.models import Grant, User
from accounts.selectors import find_team, find_user
from accounts.services import share, unshare
from agents.models import Agent


def list_grants(agent: Agent) -> "QuerySet[Grant]":
    grants = Grant.objects.filter(kind=Grant.Kind.AGENT, object_id=agent.pk)
    return grants.select_related("user", "team").order_by("created_at")


def give(user: User, agent_id: UUID, email: str | None, team: UUID | None, role: str) -> Grant:
    """Replaces the role they had. Raises Http404, also for a team that `user` does not know,
    PermissionDenied, SharingRefused."""
    agent = require_owned(Agent.objects, user, agent_id)
    known = None if team is None else find_team(user, team)
    if (email is None) == (known is None):
        raise SharingRefused(_("Give an e-mail address or choose a team, one of the two."))
    return share(agent, known or _person(email or ""), role, by=user)


def take(user: User, agent_id: UUID, grant_id: UUID) -> None:
    """Raises Http404, PermissionDenied."""
    agent = require_owned(Agent.objects, user, agent_id)
    grant = list_grants(agent).filter(pk=grant_id).first()
    if grant is None:
        raise Http404
    grantee = grant.user or grant.team
    assert grantee is not None  # the table's check constraint
    unshare(agent, grantee, by=user)


def _person(email: str) -> User:
    person = find_user(email)
    if person is None or not person.is_active:
        raise SharingRefused(_("Nobody here has this address. Ask an administrator."))
    return person
