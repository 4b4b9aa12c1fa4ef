"""Teams in the hands of their owners: who is in one, and as what. Whoever is in one may leave it.

Everyone, the team without memberships, has no owners and is changed by nobody.
"""

from uuid import UUID

from django.db import models, transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.errors import TeamRefused
from accounts.models import Membership, Team, User
from accounts.selectors import find_user
from security import audit
from security.acts import Act

OWNER = Membership.Role.OWNER
MOST = 500  # members of one team that its owners add


@transaction.atomic
def add_member(owner: User, team_id: UUID, email: str, role: str) -> Membership:
    """Somebody who has an account joins a team of `owner`, or gets another role in it.

    Raises Http404 and TeamRefused.
    """
    team = _owned(owner, team_id)
    person = find_user(email)
    if person is None or not person.is_active:
        raise TeamRefused(_("Nobody here has this address. Ask an administrator."))
    found = team.memberships.select_related("user", "team").filter(user=person).first()
    if found is not None:
        return _change(owner, found, role)
    if team.memberships.count() >= MOST:
        raise TeamRefused(_("This team is full. Ask an administrator."))
    made = Membership.objects.create(team=team, user=person, role=role)
    _record(Act.TEAM_JOINED, owner, made)
    return made


@transaction.atomic
def change_role(owner: User, team_id: UUID, user_id: UUID, role: str) -> Membership:
    """Raises Http404, and TeamRefused for the only owner."""
    return _change(owner, _member(_owned(owner, team_id), user_id), role)


@transaction.atomic
def remove_member(user: User, team_id: UUID, user_id: UUID) -> None:
    """By an owner of the team, or by the person: what the team may see is theirs no more.

    Raises Http404, and TeamRefused for the only owner.
    """
    team = _joined(user, team_id) if user_id == user.pk else _owned(user, team_id)
    found = _member(team, user_id)
    _keep_an_owner(found)
    found.delete()
    _record(Act.TEAM_LEFT, user, found)


def _change(owner: User, found: Membership, role: str) -> Membership:
    if found.role != role:
        if role != OWNER:
            _keep_an_owner(found)
        found.role = role
        found.save(update_fields=["role"])
        _record(Act.TEAM_ROLE, owner, found)
    return found


def _owned(owner: User, team_id: UUID) -> Team:
    """Locked: of two owners who take each other away at once, one stays."""
    mine = Membership.objects.filter(user=owner, user__is_active=True, role=OWNER)
    return _locked(team_id, mine)


def _joined(user: User, team_id: UUID) -> Team:
    return _locked(team_id, Membership.objects.filter(user=user, user__is_active=True))


def _locked(team_id: UUID, memberships: "models.QuerySet[Membership]") -> Team:
    teams = Team.objects.select_for_update().filter(is_everyone=False)
    found = teams.filter(pk=team_id, pk__in=memberships.values("team")).first()
    if found is None:
        raise Http404
    return found


def _member(team: Team, user_id: UUID) -> Membership:
    found = team.memberships.select_related("user", "team").filter(user=user_id).first()
    if found is None:
        raise Http404
    return found


def _keep_an_owner(leaving: Membership) -> None:
    others = leaving.team.memberships.filter(role=OWNER, user__is_active=True)
    if leaving.role == OWNER and not others.exclude(pk=leaving.pk).exists():
        raise TeamRefused(_("A team needs an owner. Make somebody else an owner first."))


def _record(act: Act, by: User, membership: Membership) -> None:
    who = membership.user
    detail = {"to": who.email, "to_id": str(who.pk), "role": str(membership.role)}
    audit.record(act, membership.team, by=by, **detail)
