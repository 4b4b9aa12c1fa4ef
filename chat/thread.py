"""The shown path through a conversation's tree of messages, shaped for the page."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist

from accounts.models import User
from chat.answers.continuing import may_go_on
from chat.attachments.services import Attachment, attachments_of
from chat.gone import gone_numbers
from chat.models import Citation, Conversation, Message, Turn
from chat.selectors import citations_for
from chat.spoken import error_of, notice_of, steps_in_words, usage_of
from chat.stale import changed_numbers
from chat.visibility import visible_steps
from security.reading import reading_as


@dataclass(frozen=True, slots=True)
class Versions:
    """Which of its siblings a message is, and its neighbours among them."""

    number: int
    count: int
    previous: UUID | None
    next: UUID | None


@dataclass(frozen=True, slots=True)
class ShownMessage:
    message: Message
    versions: Versions
    turn_id: UUID | None
    data: dict[str, Any]
    """What the page's script needs to draw an answer; empty for a question."""
    attachments: list[Attachment] = field(default_factory=list)
    is_preceded: bool = False
    """The path begins before it, though nothing before it is here."""
    is_followed: bool = False
    is_mine: bool = False
    """Of an answer: the reader asked for it."""
    variants: Any = None
    """Of an answer: `chat.answers.variants.Variants`, where the page offers them."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a path: up to `size` messages before or after one, around it, or the last."""

    before: UUID | None = None
    after: UUID | None = None
    around: UUID | None = None
    size: int = 60

    @property
    def anchor(self) -> UUID | None:
        return self.before or self.after or self.around

    def of(self, path: list[UUID]) -> tuple[int, int]:
        """First and end of the stretch. Before or after what is not there, nothing is; around it
        is the end."""
        if self.anchor not in path:
            return (
                (0, 0) if self.before or self.after else (max(0, len(path) - self.size), len(path))
            )
        at = path.index(self.anchor)
        if self.before:
            return max(0, at - self.size), at
        if self.after:
            return at + 1, min(len(path), at + 1 + self.size)
        first = max(0, min(at - self.size // 3, len(path) - self.size))
        return first, min(len(path), first + self.size)


@dataclass(frozen=True, slots=True)
class Thread:
    """What of a path is shown, and the message at its end."""

    messages: list[ShownMessage]
    leaf_id: UUID | None


class MessageTree:
    """Ids of a conversation's messages and how they hang together; one small query."""

    def __init__(self, conversation: Conversation) -> None:
        rows = conversation.messages.order_by("id").values_list("id", "parent_id")
        self.parents: dict[UUID, UUID | None] = dict(rows)
        self.children: dict[UUID | None, list[UUID]] = {}
        for message_id, parent_id in self.parents.items():
            self.children.setdefault(parent_id, []).append(message_id)

    def newest_leaf(self, message_id: UUID | None) -> UUID | None:
        """The end of the path that always takes the newest child, starting at `message_id`."""
        while children := self.children.get(message_id):
            message_id = children[-1]
        return message_id

    def path_to(self, leaf_id: UUID | None) -> list[UUID]:
        path: list[UUID] = []
        while leaf_id is not None:
            path.append(leaf_id)
            leaf_id = self.parents.get(leaf_id)
        return path[::-1]

    def shown_path(self, leaf_id: UUID | None, through: UUID | None) -> list[UUID]:
        """The path to the leaf, or another one if that does not go through `through`."""
        known: list[UUID | None] = [at for at in (leaf_id, through) if at in self.parents]
        paths = [self.path_to(self.newest_leaf(at)) for at in known or [None]]
        return paths[0] if through in paths[0] else paths[-1]

    def versions(self, message_id: UUID) -> Versions:
        siblings = self.children[self.parents[message_id]]
        at = siblings.index(message_id)
        return Versions(
            number=at + 1,
            count=len(siblings),
            previous=siblings[at - 1] if at else None,
            next=siblings[at + 1] if at + 1 < len(siblings) else None,
        )


def list_thread(
    conversation: Conversation, user: User | AnonymousUser, through: UUID | None = None
) -> list[ShownMessage]:
    """The whole path; see `find_thread`."""
    return find_thread(conversation, user, through).messages


def find_thread(
    conversation: Conversation,
    user: User | AnonymousUser,
    through: UUID | None = None,
    window: Window | None = None,
) -> Thread:
    """Messages from the first to the leaf, in order, with the sources that `user` may see; only
    those in the window, if there is one. The number of queries does not grow with them.

    `through`, or the window's message, chooses the path by any message on it; a message of another
    conversation, like a leaf that is gone, falls back to the newest path.
    """
    tree = MessageTree(conversation)
    path = tree.shown_path(conversation.leaf_id, through or (window.anchor if window else None))
    first, end = window.of(path) if window else (0, len(path))
    shown = load_messages(conversation, user, tree, path[first:end])
    if shown and first > 0:
        shown[0] = replace(shown[0], is_preceded=True)
    if shown and end < len(path):
        shown[-1] = replace(shown[-1], is_followed=True)
    return Thread(shown, path[-1] if path else None)


def load_messages(
    conversation: Conversation, user: User | AnonymousUser, tree: MessageTree, path: list[UUID]
) -> list[ShownMessage]:
    """These messages, in this order, as far as `user` may see them."""
    messages = Message.objects.visible_to(user).filter(conversation=conversation)
    with reading_as(user):
        by_id = messages.select_related("turn").prefetch_related(citations_for(user)).in_bulk(path)
    shown = [by_id[message_id] for message_id in path if message_id in by_id]
    steps = visible_steps(user, [message.steps for message in shown])
    going_on = may_go_on(user, shown) if isinstance(user, User) else set()
    files = attachments_of(user, shown)
    return [
        replace(
            _shown(message, seen, tree, user, message.pk in going_on),
            attachments=files.get(message.pk, []),
        )
        for message, seen in zip(shown, steps, strict=True)
    ]


def _shown(
    message: Message,
    steps: list[dict[str, Any]],
    tree: MessageTree,
    user: User | AnonymousUser,
    can_continue: bool,
) -> ShownMessage:
    is_answer = message.role == Message.Role.ASSISTANT
    turn = _turn_of(message) if is_answer else None
    more = {"can_continue": can_continue}
    return ShownMessage(
        message=message,
        versions=tree.versions(message.pk),
        turn_id=turn.pk if turn else None,
        data=_answer_data(message, steps, turn) | more if is_answer else {},
        is_mine=turn is not None and turn.requested_by_id == user.pk,
    )


def _turn_of(answer: Message) -> Turn | None:
    try:
        return answer.turn
    except ObjectDoesNotExist:
        return None


def _answer_data(answer: Message, steps: list[dict[str, Any]], turn: Turn | None) -> dict[str, Any]:
    citations = [citation_data(citation) for citation in answer.citations.all()]
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "steps": steps_in_words(steps),
        "usage": usage_of(answer),
        "model": answer.model_name,
        "notice": notice_of(answer),
        "error": error_of(turn.error) if turn else None,
        "citations": citations,
        "changed": changed_numbers(answer),
        "gone": gone_numbers(answer.text, steps, [citation["n"] for citation in citations]),
    }


def citation_data(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n,
        "document_id": str(citation.document_id),
        "chunk_id": str(citation.chunk_id),
        "title": citation.title,
        "heading_path": citation.heading_path,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "page": citation.page,
        "version": citation.version,
        "lines": citation.lines,
        "method": citation.method,
        "score": citation.score,
        "at": citation.at,
        "is_proposed": citation.is_proposed,
    }
