"""Who may read one document: whom it is shared with, and whether its collection's readers do."""

from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts import services as accounts
from accounts.access import require_owned
from accounts.errors import SharingRefused
from accounts.models import Grant, Team, User
from accounts.selectors import find_team, find_user
from knowledge.document_access.moving import set_apart
from knowledge.document_access.selectors import list_grants
from knowledge.errors import DocumentGone
from knowledge.models import Collection, Document
from security import audit
from security.acts import Act


def share(user: User, document_id: UUID, with_: User | Team) -> Grant:
    """They find and read this document, and nothing else of its collection.

    Needs the role owner on the collection: raises Http404, PermissionDenied, SharingRefused.
    """
    document = _owned(user, document_id)
    with transaction.atomic():
        _set_apart(document)
        return accounts.share(document, with_, Grant.Role.READER, by=user)


def give(user: User, document_id: UUID, email: str | None, team: UUID | None) -> Grant:
    """`share` with a person by their address, or a team by its id. Raises Http404, also for a team
    that `user` does not know, PermissionDenied, SharingRefused."""
    _owned(user, document_id)
    known = None if team is None else find_team(user, team)
    if (email is None) == (known is None):
        raise SharingRefused(_("Give an e-mail address or choose a team, one of the two."))
    person = None if known else find_user(email or "")
    if known is None and (person is None or not person.is_active):
        raise SharingRefused(_("Nobody here has this address. Ask an administrator."))
    grantee = known or person
    assert grantee is not None
    return share(user, document_id, grantee)


def unshare(user: User, document_id: UUID, grant_id: UUID) -> None:
    """Raises Http404, PermissionDenied."""
    document = _owned(user, document_id)
    grant = list_grants(document).filter(pk=grant_id).first()
    if grant is None:
        raise Http404
    grantee = grant.user or grant.team
    assert grantee is not None  # the table's check constraint
    accounts.unshare(document, grantee, by=user)


def restrict(user: User, document_id: UUID, *, is_restricted: bool) -> None:
    """Keep it from those who read the collection, but for its editors and whom it is shared with;
    or let them read it again. Raises Http404, PermissionDenied, SharingRefused."""
    document = _owned(user, document_id)
    if not is_restricted and not document.is_apart:
        return
    with transaction.atomic():
        _set_apart(document)
        rows = Collection.parts_apart.filter(pk=document.pk).exclude(is_restricted=is_restricted)
        if rows.update(is_restricted=is_restricted):
            act = Act.DOCUMENT_RESTRICTED if is_restricted else Act.DOCUMENT_OPENED
            audit.record(act, document, by=user)


def _owned(user: User, document_id: UUID) -> Document:
    rows = Document.objects
    found: Document = require_owned(rows, user, document_id)
    if found.collection.is_shelf:
        raise Http404
    return found


def _set_apart(document: Document) -> None:
    try:
        set_apart(document)
    except DocumentGone:
        raise SharingRefused(_("The document is gone.")) from None
