"""What a person chooses for a conversation: its agent, collections and model."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from accounts.models import User
from agents.models import Agent
from agents.selectors import find_usable_agent
from chat.errors import UnknownModel
from chat.models import Conversation
from gateway.catalogue import is_chat_model
from knowledge.models import Collection
from security.text import storable


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent, collections and model a person chose; None where they chose nothing."""

    agent: Agent | None
    collections: list[Collection] | None
    model: str | None = None

    def model_in(self, conversation: Conversation) -> str:
        """Empty: the agent's own. An agent that is chosen by itself comes with its model."""
        if self.model is not None:
            return self.model
        return "" if self.agent else conversation.model_name

    @property
    def collection_ids(self) -> list[str] | None:
        if self.collections is None:
            return None
        return [str(collection.pk) for collection in self.collections]

    @property
    def is_limited(self) -> bool:
        """Whether collections were chosen; that stays when they are deleted."""
        return bool(self.collections)


def choose(
    user: User, agent: str | None, collections: Sequence[UUID] | None, model: str | None = None
) -> Choice:
    """What `user` chose, after checking that it is theirs to choose. Raises Http404, UnknownModel.

    Only a model that is named costs a query.
    """
    if model and not is_chat_model(model):
        raise UnknownModel(model)
    found = None
    if collections is not None:
        found = list(Collection.objects.visible_to(user).filter(pk__in=collections))
        if len(found) < len(set(collections)):
            raise Http404
    return Choice(find_usable_agent(user, agent) if agent else None, found, model)


def new_conversation(user: User, title: str, chosen: Choice) -> Conversation:
    """Not saved yet. Raises Http404 for a person who may not write."""
    if not user.is_active:
        raise Http404
    return Conversation(
        owner=user,
        title=storable(title),
        agent=chosen.agent,
        model_name=chosen.model or "",
        is_limited=chosen.is_limited,
    )
