"""On whose account calls to models are made; see `gateway.types.Payer`."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from accounts.budgets.keeper import BUDGETS
from accounts.models import ApiToken, Membership, User
from gateway.types import Payer, Purpose

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest


def payer_of(
    user: "User | AnonymousUser | None", purpose: Purpose, agent_id: UUID | None = None
) -> Payer:
    """With the teams that the person is in; one query. Everyone, a team without memberships, is
    none of them."""
    if not isinstance(user, User):
        return Payer(purpose=purpose, budget=BUDGETS)
    teams = Membership.objects.filter(user=user).order_by("team_id")
    team_ids = tuple(teams.values_list("team_id", flat=True))
    return Payer(user.pk, agent_id, None, team_ids, purpose, BUDGETS)


def payer_by_token(request: "HttpRequest", purpose: Purpose) -> Payer | None:
    """The same where a token called, without a query; None for a browser."""
    token = getattr(request, "auth", None)
    if not isinstance(token, ApiToken):
        return None
    team_ids = tuple(getattr(token, "team_ids", ()))
    return Payer(token.user_id, None, token.pk, team_ids, purpose, BUDGETS)


def token_of(request: "HttpRequest") -> UUID | None:
    """The API token that calls; None for a browser."""
    token = getattr(request, "auth", None)
    return token.pk if isinstance(token, ApiToken) else None


def teams_of(person: str) -> ArraySubquery:
    """For a query that loads a person anyway: the ids of the teams of the person in this column."""
    rows = Membership.objects.filter(user=OuterRef(person)).order_by("team_id")
    return ArraySubquery(rows.values("team_id"))
