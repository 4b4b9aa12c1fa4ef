"""What surrounds an answer on the page: its other versions, its neighbours in a comparison, and
what the reader said about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from chat.answers.feedback import feedback_on
from chat.models import Conversation, Feedback, Message, Preference
from chat.thread import MessageTree, ShownMessage, load_messages
from gateway.types import OFFLINE
from security.reading import reading_as


@dataclass(frozen=True, slots=True)
class Version:
    """One of the answers to a question."""

    id: UUID
    number: int
    label: str
    """Who answered: agent and model."""
    status: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Variants:
    label: str = ""
    agent: str = ""
    model: str = ""
    """Who was asked, by slug and name: choosing it goes on with them."""
    versions: list[Version] = field(default_factory=list)
    columns: list[ShownMessage] = field(default_factory=list)
    """The answers that stand side by side, this one among them; empty when it stands alone."""
    opinion: Feedback | None = None

    @property
    def are_running(self) -> bool:
        return any(item.message.status == Message.Status.RUNNING for item in self.columns)


def with_variants(
    conversation: Conversation, user: User | AnonymousUser, shown: Sequence[ShownMessage]
) -> list[ShownMessage]:
    """The messages with their variants: one query, and two more where answers have versions."""
    answers = [item for item in shown if item.message.role == Message.Role.ASSISTANT]
    opinions = feedback_on(user, [item.message.pk for item in answers])
    rows = _siblings(user, [item for item in answers if item.versions.count > 1])
    told = [_told(item, rows, opinions) for item in shown]
    if told and not told[-1].is_followed and (members := _compared(told[-1], rows)):
        loaded = load_messages(conversation, user, MessageTree(conversation), members)
        opinions = feedback_on(user, members)
        columns = [_told(item, rows, opinions) for item in loaded]
        told[-1] = replace(told[-1], variants=replace(told[-1].variants, columns=columns))
    return told


Rows = dict[UUID, list[dict[str, Any]]]


def _siblings(user: User | AnonymousUser, answers: list[ShownMessage]) -> Rows:
    """The answers to the questions of these, the oldest first, by question."""
    questions = [item.message.parent_id for item in answers]
    if not questions:
        return {}
    found: QuerySet[Message, Any] = Message.objects.visible_to(user).filter(parent__in=questions)
    with reading_as(user):
        rows: list[Any] = list(
            found.order_by("pk").values(
                "id", "parent_id", "model_name", "status", "turn__agent__name", "turn__agent__slug",
                "turn__model_name", "turn__comparison",
            )
        )  # fmt: skip
    grouped: Rows = {}
    for row in rows:
        grouped.setdefault(row["parent_id"], []).append(row)
    return grouped


def _told(item: ShownMessage, rows: Rows, opinions: dict[UUID, Feedback]) -> ShownMessage:
    message = item.message
    siblings = rows.get(message.parent_id or message.pk, ())
    versions = [
        Version(row["id"], number, label_of(row), row["status"], row["id"] == message.pk)
        for number, row in enumerate(siblings, start=1)
    ]
    own = next((row for row in siblings if row["id"] == message.pk), None)
    variants = Variants(
        label=label_of(own) if own else "",
        agent=own["turn__agent__slug"] or "" if own else "",
        model=own["turn__model_name"] or "" if own else "",
        versions=versions,
        opinion=opinions.get(message.pk),
    )
    return replace(item, variants=variants)


def label_of(row: dict[str, Any]) -> str:
    """ "Documents · gpt-4.1-mini"; while it is not known who answers, who was asked."""
    model = row["model_name"] or row["turn__model_name"] or ""
    name = _("no model connected") if model == OFFLINE else model
    return " · ".join(part for part in (row["turn__agent__name"], name) if part)


def _compared(last: ShownMessage, rows: Rows) -> list[UUID]:
    """Ids of the answers to show side by side with the last one, until one of them is preferred."""
    answer = last.message
    siblings = rows.get(answer.parent_id or answer.pk, [])
    own = next((row for row in siblings if row["id"] == answer.pk), None)
    if own is None:
        return []
    head = own["turn__comparison"] or own["id"]
    members = [row["id"] for row in siblings if head in (row["id"], row["turn__comparison"])]
    if len(members) < 2:
        return []
    decided = Preference.objects.filter(question=answer.parent_id, comparison=head)
    return [] if decided.exists() else members
