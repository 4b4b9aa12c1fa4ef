"""What becomes of collections and documents when a person deletes their account."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.leaving import Fate
from accounts.models import Grant, User
from knowledge.inheritance import list_inherited
from knowledge.models import Collection, Document


def tell_fates(user: User) -> list[Fate]:
    inherited = list_inherited(user)
    lost = Collection.objects.filter(owner=user, is_shelf=False).exclude(
        pk__in=[collection.pk for collection, _heir in inherited]
    )
    fates = []
    if count := lost.count():
        shared = [*_shared(lost), *_shared_alone(lost)]
        text = ngettext(
            "%(n)s collection of yours is deleted with its documents.",
            "%(n)s collections of yours are deleted with their documents.",
            count,
        ) % {"n": count}
        if shared:
            names = ", ".join(str(one) for one in shared[:5])
            text += " " + _("Others can read these until then: %(names)s.") % {"names": names}
        fates.append(Fate(text))
    for collection, heir in inherited:
        text = _("“%(name)s” stays: it has another owner, %(heir)s.")
        fates.append(Fate(text % {"name": collection.name, "heir": heir}, is_lost=False))
    others = Document.objects.filter(added_by=user).exclude(collection__owner=user)
    if count := others.count():
        text = ngettext(
            "%(n)s document that you added to a collection of somebody else stays there, without "
            "your name.",
            "%(n)s documents that you added to collections of others stay there, without your "
            "name.",
            count,
        )
        fates.append(Fate(text % {"n": count}, is_lost=False))
    return fates


def _shared_alone(collections: QuerySet[Collection]) -> list[Document]:
    """Single documents in them."""
    given = Grant.objects.filter(kind=Grant.Kind.DOCUMENT).values("object_id")
    found = Document.objects.filter(collection__in=collections, is_apart=True, pk__in=given)
    return list(found.filter(discarded_at=None).order_by("title"))


def _shared(collections: QuerySet[Collection]) -> list[Collection]:
    given = Grant.objects.filter(kind=Grant.Kind.COLLECTION).values("object_id")
    return list(collections.filter(pk__in=given).order_by("name"))
