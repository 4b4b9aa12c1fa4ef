"""A conversation of one's own out of another: the path to one of its messages, copied."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import Http404

from accounts.access import require_visible
from accounts.models import User
from agents.selectors import may_use
from chat.answers.copying import COPIED, copy_path
from chat.errors import StillRunning
from chat.models import Conversation, Message
from chat.thread import MessageTree
from events.notices import What, announce
from knowledge.models import Collection


def branch_conversation(user: User, conversation_id: UUID, message_id: UUID) -> Conversation:
    """A new conversation of `user` with copies of the messages up to this one.

    Citations, steps and collections come along as far as `user` may see what they tell of, the
    agent if they may use it. Raises Http404 and StillRunning.
    """
    source: Conversation = require_visible(Conversation.objects, user, conversation_id)
    path = _path_to(user, source, message_id)
    agent = source.agent
    with transaction.atomic():
        branch = Conversation.objects.create(
            owner=user,
            title=source.title,
            is_named=bool(source.title),
            agent=agent if agent is not None and may_use(user, agent) else None,
            model_name=source.model_name,
            is_limited=source.is_limited,
            branched_from=source,
            branched_at=message_id,
        )
        chosen = Collection.objects.visible_to(user).filter(pk__in=source.collections.all())
        branch.collections.set(chosen)
        copy_path(user, path, branch)
        announce(What.ASKED, branch.pk)
    return branch


def _path_to(user: User, source: Conversation, message_id: UUID) -> list[Message]:
    tree = MessageTree(source)
    if message_id not in tree.parents:
        raise Http404
    ids = tree.path_to(message_id)
    found = Message.objects.visible_to(user).filter(conversation=source).in_bulk(ids)
    path = [found[pk] for pk in ids if pk in found]
    if any(message.status not in COPIED for message in path):
        raise StillRunning
    return path


def find_origin(user: User | AnonymousUser, branch: Conversation) -> Conversation | None:
    """Where it was branched from, if `user` may see that."""
    if branch.branched_from_id is None:
        return None
    origin: Conversation | None = (
        Conversation.objects.visible_to(user).filter(pk=branch.branched_from_id).first()
    )
    return origin
