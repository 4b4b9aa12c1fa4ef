"""Links that show a conversation, as it was at a moment, to whoever has their address.

The address is `/s/<token>`: 256 random bits, shown once and stored as their SHA-256 alone. It is a
way to read, never a way in: nothing of its maker's rights goes with it. A link that was taken back,
has expired, or whose maker may not share any more looks like one that never was.
"""

import hmac
import re
import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from chat.errors import IsTemporary, LinksAreOff, NothingToShare
from chat.models import Conversation, Message, SharedLink
from chat.thread import MessageTree
from events.notices import What, announce
from security import audit
from security.acts import Act

SHAPE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
LONGEST_DAYS = 3650


@transaction.atomic
def make_link(
    user: User, conversation_id: UUID, *, days: int | None = None, is_public: bool = False
) -> tuple[SharedLink, str]:
    """A link to the path on show, and the token of its address, which is kept nowhere.

    Only an owner shares. Raises Http404, and ChatError when there is nothing to show or it may not
    be shown so.
    """
    conversation = _owned(user, conversation_id)
    _check_allowed(is_public=is_public)
    token = secrets.token_urlsafe(32)
    link = SharedLink.objects.create(
        conversation=conversation,
        owner=user,
        digest=_digest(token),
        title=conversation.title,
        leaf_id=_last_said(conversation),
        is_public=is_public,
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    audit.record(
        Act.LINK_MADE, conversation, by=user, link=str(link.pk), public=is_public, days=days or 0
    )
    announce(What.SHARED, conversation.pk)
    return link, token


@transaction.atomic
def update_link(user: User, link_id: UUID) -> SharedLink:
    """It shows the path that is on show now, under the title of now. Raises Http404, ChatError."""
    link = _own(user, link_id)
    conversation = _owned(user, link.conversation_id)
    link.leaf_id, link.title = _last_said(conversation), conversation.title
    link.taken_at = timezone.now()
    link.save(update_fields=["leaf_id", "title", "taken_at"])
    audit.record(Act.LINK_UPDATED, conversation, by=user, link=str(link.pk))
    return link


@transaction.atomic
def revoke_link(user: User, link_id: UUID) -> None:
    """From the next request on it shows nothing. Raises Http404."""
    link = _own(user, link_id)
    conversation_id = link.conversation_id
    link.delete()
    audit.record(
        Act.LINK_REVOKED, Conversation(pk=conversation_id), by=user, title="", link=str(link_id)
    )
    announce(What.SHARED, conversation_id)


@transaction.atomic
def revoke_as_operator(link: SharedLink) -> bool:
    """Takes a link back, whoever made it; says whether there was one."""
    conversation = Conversation(pk=link.conversation_id)
    link_id = str(link.pk)
    if not link.delete()[0]:
        return False
    audit.record(Act.LINK_REVOKED, conversation, title="", link=link_id)
    return True


def find_link(token: str, reader: User | AnonymousUser) -> SharedLink | None:
    """The link of this token, if it may show its conversation to `reader`; else None, whatever the
    reason."""
    if SHAPE.fullmatch(token) is None or settings.PARLEY_LINKS == "off":
        return None
    digest = _digest(token)
    found = SharedLink.objects.alive().select_related("conversation", "owner")
    link = found.filter(digest=digest).first()
    if link is None or not hmac.compare_digest(link.digest, digest):
        return None
    if not may_read(link, reader):
        return None
    # Its maker is active and still an owner, and the conversation is not deleted.
    shared = Conversation.objects.owned_by(link.owner).lasting().filter(pk=link.conversation_id)
    return link if shared.exists() else None


def may_read(link: SharedLink, reader: User | AnonymousUser) -> bool:
    """Anyone only where the link and the installation both say so."""
    if isinstance(reader, User):
        return reader.is_active
    return link.is_public and settings.PARLEY_LINKS == "anyone"


def path_of(link: SharedLink) -> list[UUID]:
    """Ids of the messages it shows, in order."""
    return MessageTree(link.conversation).path_to(link.leaf_id)


def _last_said(conversation: Conversation) -> UUID:
    """The last answer of the path on show that has ended. Raises NothingToShare."""
    tree = MessageTree(conversation)
    leaf = conversation.leaf_id if conversation.leaf_id in tree.parents else None
    path = tree.path_to(tree.newest_leaf(leaf))
    ended = Message.objects.filter(pk__in=path, role=Message.Role.ASSISTANT)
    answers = set(ended.exclude(status=Message.Status.RUNNING).values_list("pk", flat=True))
    last = next((pk for pk in reversed(path) if pk in answers), None)
    if last is None:
        raise NothingToShare
    return last


def _check_allowed(*, is_public: bool) -> None:
    if settings.PARLEY_LINKS == "off" or (is_public and settings.PARLEY_LINKS != "anyone"):
        raise LinksAreOff


def _owned(user: User, conversation_id: UUID) -> Conversation:
    conversation: Conversation
    for conversation in Conversation.objects.owned_by(user).filter(pk=conversation_id):
        if conversation.is_temporary:
            raise IsTemporary
        return conversation
    raise Http404


def _own(user: User, link_id: UUID) -> SharedLink:
    found = SharedLink.objects.editable_by(user).filter(pk=link_id).first()
    if found is None:
        raise Http404
    return found


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
