"""Collections that go on when their owner leaves, because they have another owner by a grant."""

from django.db.models import Q

from accounts.models import Grant, Membership, User
from knowledge.models import Collection


def list_inherited(user: User) -> list[tuple[Collection, User]]:
    """Collections of `user` with another owner who could go on with them, and who that is."""
    found = []
    for collection in Collection.objects.filter(owner=user, is_shelf=False).order_by("name", "pk"):
        grants = Grant.objects.filter(
            kind=Grant.Kind.COLLECTION, object_id=collection.pk, role=Grant.Role.OWNER
        )
        co_owner = Q(pk__in=grants.values("user")) | Q(
            memberships__team__in=grants.values("team"), memberships__role=Membership.Role.OWNER
        )
        others = User.objects.filter(co_owner, is_active=True).exclude(pk=user.pk)
        if (heir := others.order_by("date_joined").first()) is not None:
            found.append((collection, heir))
    return found


def hand_over(user: User) -> None:
    """Give them to their heirs, in the caller's transaction (`DEPARTURES`)."""
    for collection, heir in list_inherited(user):
        Grant.objects.filter(
            kind=Grant.Kind.COLLECTION, object_id=collection.pk, user=heir
        ).delete()
        Collection.objects.filter(pk=collection.pk).update(owner=heir)
