"""Reads about people."""

from uuid import UUID

from django.db.models import Prefetch
from django.http import Http404

from accounts.models import Membership, Team, User


def list_memberships(user: User) -> list[Membership]:
    """The user's memberships, teams loaded, by team name."""
    return list(user.memberships.select_related("team").order_by("team__name"))


def list_teams(user: User) -> list[Team]:
    """The user's teams by name, each with its `people`: active members, owners first."""
    members = (
        Membership.objects.filter(user__is_active=True)
        .select_related("user")
        .order_by("-role", "user__name", "user__email")
    )
    mine = Team.objects.filter(pk__in=user.memberships.values("team")).order_by("name")
    return list(mine.prefetch_related(Prefetch("memberships", members, to_attr="people")))


def find_team(user: User, team_id: UUID) -> Team:
    """A team that `user` may name: one of theirs, or everyone; any for administrators. Raises
    Http404."""
    team = Team.objects.filter(pk=team_id).first()
    is_known = team is not None and (
        user.is_staff or team.is_everyone or team.memberships.filter(user=user).exists()
    )
    if team is None or not is_known:
        raise Http404
    return team


def find_user(email: str) -> User | None:
    """The user with this address, whatever its case."""
    return User.objects.filter(email__iexact=email.strip()).first()
