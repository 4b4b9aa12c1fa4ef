"""A person deletes their own account: at once, or in two weeks with the choice to come back."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import devices, tokens
from accounts.departures import delete_user
from accounts.errors import LastAdministrator
from accounts.models import Membership, User
from security import audit
from security.acts import Act

GRACE = timedelta(days=14)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to something of theirs: a sentence, and whether it is lost or stays."""

    text: str
    is_lost: bool = True


def list_fates(user: User) -> list[Fate]:
    """What deleting the account means, as it is now; each app tells its part (`FATES`)."""
    return [fate for name in settings.FATES for fate in import_string(name)(user)]


def is_last_administrator(user: User) -> bool:
    """Whether nobody could administer this Parley without them."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and not others.filter(leaves_at=None).exists()


def leave_now(user: User) -> None:
    """Delete the account and all that is theirs, for good. Raises LastAdministrator."""
    if is_last_administrator(user):
        raise LastAdministrator
    delete_user(user)


@transaction.atomic
def leave_later(user: User) -> None:
    """Signed out everywhere and every token revoked at once; deleted after GRACE, unless they sign
    in and keep the account. Raises LastAdministrator."""
    if is_last_administrator(user):
        raise LastAdministrator
    user.leaves_at = timezone.now() + GRACE
    user.save(update_fields=["leaves_at"])
    for token in user.api_tokens.filter(revoked_at=None):
        tokens.revoke(token)
    devices.sign_out_everywhere(user)
    audit.record(Act.DELETION_ASKED, user, by=user, title=user.email)


@transaction.atomic
def keep_account(user: User) -> None:
    """They changed their mind; twice is once. Tokens stay revoked."""
    if User.objects.filter(pk=user.pk).exclude(leaves_at=None).update(leaves_at=None):
        audit.record(Act.DELETION_WITHDRAWN, user, by=user, title=user.email)
    user.leaves_at = None


def delete_due() -> int:
    """Delete those whose time is over; how many. The clock calls this."""
    count = 0
    for user in User.objects.filter(leaves_at__lt=timezone.now()):
        if is_last_administrator(user):
            log.warning("an account is kept: without it nobody could administer this Parley")
            keep_account(user)
            continue
        delete_user(user)
        count += 1
    return count


def tell_fates(user: User) -> list[Fate]:
    """Of what the account itself has."""
    sessions, live = len(devices.list_devices(user)), user.api_tokens.filter(revoked_at=None)
    fates = [
        Fate(
            ngettext(
                "You are signed out of %(n)s browser.",
                "You are signed out of %(n)s browsers.",
                sessions,
            )
            % {"n": sessions}
        )
    ]
    if count := live.count():
        text = ngettext("%(n)s API token stops working.", "%(n)s API tokens stop working.", count)
        fates.append(Fate(text % {"n": count}))
    memberships = user.memberships.select_related("team").order_by("team__name")
    return [*fates, *(Fate(_team_fate(found), is_lost=False) for found in memberships)]


def _team_fate(membership: Membership) -> str:
    owners = membership.team.memberships.filter(role=Membership.Role.OWNER)
    is_alone = (
        membership.role == Membership.Role.OWNER
        and not owners.exclude(user=membership.user).exists()
    )
    if is_alone:
        text = _("The team “%(name)s” goes on without an owner; an administrator can name one.")
    else:
        text = _("The team “%(name)s” goes on without you.")
    return text % {"name": membership.team.name}


def shown_date(user: User) -> str:
    """The day on which the account goes, in words; empty if it stays."""
    return date_format(timezone.localdate(user.leaves_at)) if user.leaves_at else ""
