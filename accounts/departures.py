"""Disabling and deleting people: whatever they have running ends, and nothing of theirs stays."""

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts import devices
from accounts.models import User
from accounts.services import disable
from events import jobs
from security import audit
from security.acts import Act


def delete_user(user: User) -> None:
    """Remove a person with all that is theirs, for good, in one transaction.

    The apps above say themselves what that is, in `settings.DEPARTURES`. What runs is told to stop
    first; should it not hear, its writes find no row any more.
    """
    disable(user)
    with transaction.atomic():
        # Whoever is about to add something of theirs waits here, and fails when we have committed.
        locked = User.objects.select_for_update().filter(pk=user.pk).first()
        if locked is None:
            return
        for path in settings.DEPARTURES:
            import_string(path)(locked)
        devices.sign_out_everywhere(locked)
        jobs.forget_owner(locked.pk)
        audit.record(Act.USER_DELETED, locked, title=locked.email)
        locked.delete()
