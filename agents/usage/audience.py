"""Whose usage somebody may see: one's own, that of a team one owns, everybody's.

The right is part of every query: a membership that ends between two of them opens nothing.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, Q, QuerySet
from django.http import Http404

from accounts.models import Membership, Team, User

Kind = Literal["me", "team", "all"]
SEE_ALL = "gateway.view_usage"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose usage is looked at, and by whom; made by the functions below, which ask for the
    right."""

    viewer: User
    kind: Kind
    name: str = ""
    team_id: UUID | None = None

    def rows(self, rollups: "QuerySet[Any]") -> "QuerySet[Any]":
        """Those of the roll-ups that are theirs, as far as the viewer may see them."""
        if self.kind == "all":
            return rollups if may_see_all(self.viewer) else rollups.none()
        if self.kind == "me":
            return rollups.filter(account_id=self.viewer.pk)
        charged = rollups.filter(team_ids__contains=[self.team_id])
        return charged if may_see_all(self.viewer) else charged.filter(Exists(self._ownership()))

    def _ownership(self) -> "QuerySet[Membership]":
        return _owned(self.viewer).filter(Q(team=self.team_id))


def mine(user: User) -> Whose:
    return Whose(user, "me", str(user))


def of_team(user: User, team_id: UUID) -> Whose:
    """What its members' calls were charged to the team. Raises Http404 for all but its owners and
    administrators."""
    found = visible_teams(user).filter(pk=team_id).first()
    if found is None:
        raise Http404
    return Whose(user, "team", found.name, found.pk)


def of_everybody(user: User) -> Whose:
    """Raises Http404."""
    if not may_see_all(user):
        raise Http404
    return Whose(user, "all")


def may_see_all(user: Any) -> bool:
    return isinstance(user, User) and user.is_active and user.is_staff and user.has_perm(SEE_ALL)


def visible_teams(user: User) -> "QuerySet[Team]":
    """Teams whose usage somebody may see; calls are never charged to everyone, the team."""
    teams = Team.objects.filter(is_everyone=False)
    if may_see_all(user):
        return teams
    return owned_teams(user)


def owned_teams(user: User) -> "QuerySet[Team]":
    return Team.objects.filter(is_everyone=False, pk__in=_owned(user).values("team"))


def _owned(user: User) -> "QuerySet[Membership]":
    role = Membership.Role.OWNER
    return Membership.objects.filter(user=user, user__is_active=True, role=role)
