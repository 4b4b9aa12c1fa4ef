"""Which collections alarm when what a model was shown of them is copied; the words themselves are
`agents.authority.markers`'."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from knowledge.models import Collection
from security import audit
from security.acts import Act


def planted() -> list[tuple[UUID, UUID, datetime]]:
    """The ids under which passages lie, the collection of each, and since when it alarms."""
    rows = Collection.parts_apart.filter(
        Q(canary_at__isnull=False) | Q(part_of__canary_at__isnull=False)
    )
    found = rows.values_list("pk", "part_of", "canary_at", "part_of__canary_at")
    return [(pk, part_of or pk, of_whole or at) for pk, part_of, at, of_whole in found]


@transaction.atomic
def plant(collection: Collection, by: User, *, is_planted: bool) -> None:
    """From now on, with another word than before; or not any more."""
    collection.canary_at = timezone.now() if is_planted else None
    collection.save(update_fields=["canary_at"])
    act = Act.CANARY_PLANTED if is_planted else Act.CANARY_REMOVED
    audit.record(act, collection, by=by)
