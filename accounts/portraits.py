"""A person's picture: seen by everybody who has an account here, made and removed by themselves.

Whatever is uploaded is drawn anew, square and small, in the confined process that reads files
(`settings.PORTRAIT_PAINTER`, of an app above); only that drawing is kept, in the database.
"""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.errors import PictureRefused
from accounts.models import Portrait, User

MOST_MEGABYTES = 10
MEDIA_TYPE = "image/jpeg"


class Upload(Protocol):
    def read(self, size: int, /) -> bytes: ...


def set_portrait(user: User, file: Upload | None) -> None:
    """Draw it and keep that instead of an earlier one. Raises PictureRefused."""
    if file is None:
        raise PictureRefused(_("Choose a picture first."))
    data = file.read(MOST_MEGABYTES * 2**20 + 1)
    if len(data) > MOST_MEGABYTES * 2**20:
        refusal = _("A picture may have %(limit)s MB at most. Choose a smaller one.")
        raise PictureRefused(refusal % {"limit": MOST_MEGABYTES})
    paint: Callable[[bytes], bytes] = import_string(settings.PORTRAIT_PAINTER)
    drawn = paint(data)
    with transaction.atomic():
        Portrait.objects.update_or_create(user=user, defaults={"data": drawn})
        User.objects.filter(pk=user.pk).update(portrait_at=timezone.now())


@transaction.atomic
def remove_portrait(user: User) -> None:
    Portrait.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(portrait_at=None)


def find_portrait(person_id: UUID) -> bytes:
    """Of somebody who can sign in here. Raises Http404."""
    found = Portrait.objects.filter(user=person_id, user__is_active=True).first()
    if found is None:
        raise Http404
    return bytes(found.data)
