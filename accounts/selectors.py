"""Reads about people."""

from accounts.models import Membership, User


def list_memberships(user: User) -> list[Membership]:
    """The user's memberships, teams loaded, by team name."""
    return list(user.memberships.select_related("team").order_by("team__name"))


def find_user(email: str) -> User | None:
    """The user with this address, whatever its case."""
    return User.objects.filter(email__iexact=email.strip()).first()
