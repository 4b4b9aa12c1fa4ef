"""What a link shows: the answers' own words to every reader, sources as far as each may see them.

Reasoning and steps other than searches stay with the conversation: they repeat what documents say.
Messages are read in the product's name, for a link gives no right to the conversation; which
documents the reader may see is asked under the second lock.
"""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404

from accounts.models import User
from chat.answers.copying import copy_path
from chat.attachments.services import attachments_of
from chat.models import Citation, Conversation, Message, SharedLink
from chat.sharing.links import find_link, path_of
from chat.spoken import notice_of
from chat.thread import ShownMessage, Versions, citation_data
from chat.visibility import visible_documents, visible_steps
from events.notices import What, announce

SHOWN_STEPS = frozenset({"retrieval_completed"})
ALONE = Versions(number=1, count=1, previous=None, next=None)


@dataclass(frozen=True, slots=True)
class SharedThread:
    link: SharedLink
    messages: list[ShownMessage]
    hides_sources: bool
    """Whether answers name sources that this reader may not see."""


def read_shared(token: str, reader: User | AnonymousUser) -> SharedThread:
    """Raises Http404 for a token that shows nothing to this reader, whatever the reason."""
    link = find_link(token, reader)
    if link is None:
        raise Http404
    path = path_of(link)
    cited = Citation.objects.filter(message__in=path)
    named = {str(pk) for pk in cited.values_list("document", flat=True)}
    visible = visible_documents(reader, named)
    seen = cited.filter(document__in=[UUID(pk) for pk in visible])
    messages = _messages(path, seen)
    steps = visible_steps(reader, [_searches(message) for message in messages])
    files = attachments_of(reader, messages)
    shown = [
        replace(_shown(message, told), attachments=files.get(message.pk, []))
        for message, told in zip(messages, steps, strict=True)
    ]
    return SharedThread(link, shown, hides_sources=bool(named - visible))


@transaction.atomic
def continue_shared(token: str, reader: User) -> Conversation:
    """A conversation of the reader's own that goes on from what the link shows. Raises Http404."""
    link = find_link(token, reader)
    if link is None:
        raise Http404
    made = Conversation.objects.create(owner=reader, title=link.title, is_named=bool(link.title))
    messages = _messages(path_of(link), Citation.objects.none())
    files = attachments_of(reader, messages)
    for message in messages:
        message.steps = _searches(message)
        message.attachments = [file.id for file in files.get(message.pk, [])]
    copy_path(reader, messages, made, with_reasoning=False)
    announce(What.RESTORED, made.pk)
    return made


def _messages(path: list[UUID], citations: Any) -> list[Message]:
    rows = Message.objects.prefetch_related(Prefetch("citations", citations)).in_bulk(path)
    return [rows[pk] for pk in path if pk in rows]


def _searches(message: Message) -> list[dict[str, Any]]:
    return [step for step in message.steps if step.get("kind") in SHOWN_STEPS]


def _shown(message: Message, steps: list[dict[str, Any]]) -> ShownMessage:
    is_answer = message.role == Message.Role.ASSISTANT
    data = {
        "text": message.text,
        "reasoning": "",
        "steps": [step for step in steps if step["data"].get("passages")],
        "usage": None,
        "model": message.model_name,
        "notice": notice_of(message),
        "error": None,
        "citations": [citation_data(citation) for citation in message.citations.all()],
    }
    return ShownMessage(message, ALONE, None, data if is_answer else {})
