"""Writes about conversations and turns; each checks the rights of the person it acts for.

What a person may not see raises Http404, exactly as what does not exist. How a question becomes a
turn is in `chat.turns.starting`.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import User
from agents.selectors import find_usable_agent
from chat.choosing import choose, new_conversation
from chat.models import Conversation
from chat.retention.lifetimes import ends_from_now
from chat.selectors import find_editable
from chat.turns.questions import Place
from chat.turns.starting import MAX_QUESTION, UNFINISHED, start_turn, stop_turn
from events.notices import What, announce
from security.text import storable

__all__ = ["MAX_QUESTION", "UNFINISHED", "Place", "start_turn", "stop_turn"]


def create_conversation(
    user: User,
    title: str = "",
    agent: str | None = None,
    collections: Sequence[UUID] | None = None,
    model: str | None = None,
    *,
    temporary: bool = False,
) -> Conversation:
    """An empty conversation; its first question names it if `title` is empty. Raises Http404 and
    UnknownModel."""
    chosen = choose(user, agent, collections, model)
    with transaction.atomic():
        conversation = new_conversation(user, title, chosen)
        conversation.is_named = bool(conversation.title)
        conversation.ends_at = ends_from_now() if temporary else None
        conversation.save(force_insert=True)
        if chosen.collections:
            conversation.collections.set(chosen.collections)
    return conversation


def rename_conversation(user: User, conversation_id: UUID, title: str) -> None:
    """Raises Http404."""
    changed = Conversation.objects.editable_by(user).filter(pk=conversation_id)
    title = " ".join(storable(title).split())[:200]
    if not changed.update(title=title, is_named=bool(title), indexed_at=None):
        raise Http404
    announce(What.RENAMED, conversation_id)


def choose_agent(user: User, conversation_id: UUID, agent: str) -> None:
    """Later questions go to this agent. Raises Http404."""
    conversation = find_editable(user, conversation_id)
    Conversation.objects.filter(pk=conversation.pk).update(agent=find_usable_agent(user, agent))


def choose_model(user: User, conversation_id: UUID, model: str) -> None:
    """Later questions go to this model; empty: the agent's own. Raises Http404, UnknownModel."""
    chosen = choose(user, None, None, model)
    conversation = find_editable(user, conversation_id)
    Conversation.objects.filter(pk=conversation.pk).update(model_name=chosen.model or "")


def choose_collections(user: User, conversation_id: UUID, collections: Sequence[UUID]) -> None:
    """Later questions search these only; none means everything visible. Raises Http404."""
    chosen = choose(user, None, collections)
    with transaction.atomic():
        conversation = find_editable(user, conversation_id)
        conversation.collections.set(chosen.collections or ())
        Conversation.objects.filter(pk=conversation.pk).update(is_limited=chosen.is_limited)


def pin_conversation(user: User, conversation_id: UUID, *, is_pinned: bool) -> None:
    """Raises Http404."""
    changed = Conversation.objects.editable_by(user).filter(pk=conversation_id)
    if not changed.update(is_pinned=is_pinned):
        raise Http404
    announce(What.PLACED, conversation_id)


def archive_conversation(user: User, conversation_id: UUID, *, is_archived: bool) -> None:
    """Raises Http404."""
    changed = Conversation.objects.editable_by(user).filter(pk=conversation_id)
    if not changed.update(archived_at=Now() if is_archived else None):
        raise Http404
    announce(What.PLACED, conversation_id)
