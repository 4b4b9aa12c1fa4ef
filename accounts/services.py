"""Writes about people, teams and grants."""

from typing import Any, Protocol
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.errors import SharingRefused
from accounts.models import Grant, Membership, Team, User
from events import jobs
from events.notices import What, announce
from security import audit
from security.acts import Act

EVERYONE = "Everyone"
PRIVATE = (Grant.Kind.CONVERSATION, Grant.Kind.DOCUMENT)


class Shared(Protocol):
    """What people may be given a role on; its `objects` know whose it is (`owned_by`)."""

    @property
    def pk(self) -> Any: ...
    @property
    def owner(self) -> User: ...
    @property
    def grant_kind(self) -> str: ...


def everyone() -> Team:
    """The team that every active user is in without a membership; made on first use."""
    team, _is_new = Team.objects.get_or_create(is_everyone=True, defaults={"name": EVERYONE})
    return team


@transaction.atomic
def create_team(owner: User, name: str) -> Team:
    """A team whose first member is its owner."""
    team = Team.objects.create(name=name)
    Membership.objects.create(team=team, user=owner, role=Membership.Role.OWNER)
    audit.record(Act.TEAM_MADE, team, by=owner)
    return team


@transaction.atomic
def share(thing: Shared, with_: User | Team, role: str, *, by: User) -> Grant:
    """Gives `role` on `thing`, replacing the role that was given before.

    Only an owner shares; raises Http404 for anyone else, SharingRefused for a grant that makes no
    sense.
    """
    _check_owner(thing, by)
    if role not in Grant.Role.values:
        raise SharingRefused(_("Choose one of the roles %s.") % ", ".join(Grant.Role.values))
    if with_ == thing.owner:
        raise SharingRefused(_("The owner has every right already."))
    if isinstance(with_, Team) and with_.is_everyone and role == Grant.Role.OWNER:
        raise SharingRefused(_("Everyone cannot be the owner. Choose editor or reader."))
    grant, _is_new = Grant.objects.update_or_create(
        kind=thing.grant_kind,
        object_id=thing.pk,
        **_grantee(with_),
        defaults={"role": role},
    )
    _record(Act.GRANT_GIVEN, thing, with_, by, role=role)
    return grant


@transaction.atomic
def unshare(thing: Shared, with_: User | Team, *, by: User) -> bool:
    """Takes the grant back; the next request is refused. Says whether there was one."""
    _check_owner(thing, by)
    deleted, _rows = Grant.objects.filter(
        kind=thing.grant_kind, object_id=thing.pk, **_grantee(with_)
    ).delete()
    if deleted:
        _record(Act.GRANT_TAKEN, thing, with_, by)
    return bool(deleted)


def forget_grants(kind: str, *object_ids: UUID) -> None:
    """Deletes the grants on objects that are being deleted; call it in the same transaction."""
    Grant.objects.filter(kind=kind, object_id__in=object_ids).delete()


@transaction.atomic
def disable(user: User) -> None:
    """Refuses every credential of `user` from the next request on; what they own stays.

    Their jobs stop at their next check; the runner stops their turns, and the guard their sockets
    and event streams, within two seconds.
    """
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.is_active = False
    audit.record(Act.USER_DISABLED, user, title=user.email)
    jobs.cancel_all_of(user.pk)


@transaction.atomic
def enable(user: User) -> None:
    """Lets a disabled person in again, with the tokens and the password they had."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.is_active = True
    audit.record(Act.USER_ENABLED, user, title=user.email)


def forget_other_addresses(user: User) -> None:
    """Takes from `user` every e-mail address but the one they have now.

    allauth remembers the addresses a person signed up with and lets each of them in.
    """
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()


def set_preferences(user: User, *, language: str, theme: str, name: str) -> None:
    """Saves how the person wants to be addressed and how pages look."""
    user.language, user.theme, user.name = language, theme, name
    user.save(update_fields=["language", "theme", "name"])


def change_preferences(user: User, **changed: Any) -> None:
    """Saves those of the person's own settings that are named, and no others."""
    for name, value in changed.items():
        setattr(user, name, value)
    user.save(update_fields=list(changed))


def _record(act: Act, thing: Any, with_: User | Team, by: User, **detail: str) -> None:
    """Titles of conversations and documents are people's words: the log knows them by their id."""
    title = "" if thing.grant_kind in PRIVATE else str(thing)
    whom = with_.email if isinstance(with_, User) else with_.name
    audit.record(act, thing, by=by, title=title, to=whom, to_id=str(with_.pk), **detail)
    if thing.grant_kind == Grant.Kind.CONVERSATION:
        announce(What.SHARED, thing.pk, [with_.pk] if isinstance(with_, User) else ())


def _grantee(with_: User | Team) -> dict[str, Any]:
    return {"team": with_} if isinstance(with_, Team) else {"user": with_}


def _check_owner(thing: Shared, by: User) -> None:
    rows: Any = type(thing)
    if not rows.objects.owned_by(by).filter(pk=thing.pk).exists():
        raise Http404
