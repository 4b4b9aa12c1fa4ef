"""With whom a conversation is shared: people and teams by grants, whoever has a link by links."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import services as accounts
from accounts.access import require_owned
from accounts.models import Grant, Team, User
from chat.errors import IsTemporary
from chat.models import Conversation, SharedLink
from events.notices import What, announce


def find_shareable(user: User, conversation_id: UUID) -> Conversation:
    """Raises Http404, PermissionDenied for who may only read or edit it, and IsTemporary."""
    found: Conversation = require_owned(Conversation.objects, user, conversation_id)
    if found.is_temporary:
        raise IsTemporary
    return found


def list_people(conversation: Conversation) -> QuerySet[Grant]:
    """Its grants, the oldest first."""
    grants = Grant.objects.filter(kind=Conversation.grant_kind, object_id=conversation.pk)
    return grants.select_related("user", "team").order_by("created_at")


@transaction.atomic
def share_conversation(user: User, conversation_id: UUID, with_: User | Team, role: str) -> Grant:
    """Raises what `find_shareable` raises, and SharingRefused."""
    conversation = find_shareable(user, conversation_id)
    grant = accounts.share(conversation, with_, role, by=user)
    announce(What.SHARED, conversation_id)
    return grant


@transaction.atomic
def unshare_conversation(user: User, conversation_id: UUID, grant_id: UUID) -> None:
    """Raises what `find_shareable` raises; a grant of another thing is one that is not there."""
    conversation = find_shareable(user, conversation_id)
    grant = list_people(conversation).filter(pk=grant_id).first()
    if grant is None:
        raise Http404
    announce(What.SHARED, conversation_id)
    grantee = grant.user or grant.team
    assert grantee is not None  # the table's check constraint
    accounts.unshare(conversation, grantee, by=user)


def list_links(user: User, conversation_id: UUID | None = None) -> QuerySet[SharedLink]:
    """The person's own that have not expired, the newest first."""
    links = SharedLink.objects.visible_to(user).alive().select_related("conversation")
    return links if conversation_id is None else links.filter(conversation=conversation_id)


def mark_shared(user: User, conversations: Iterable[Conversation]) -> None:
    """Sets `is_shared` on those that others may read too: one query for all."""
    rows = list(conversations)
    mine = [row.pk for row in rows if row.owner_id == user.pk]
    grants = Grant.objects.filter(kind=Conversation.grant_kind, object_id__in=mine)
    links = SharedLink.objects.alive().filter(conversation__in=mine)
    given = grants.values_list("object_id").union(links.values_list("conversation"))
    shared = {pk for (pk,) in given} if mine else set()
    for row in rows:
        row.is_shared = row.owner_id != user.pk or row.pk in shared  # type: ignore[attr-defined]
