"""What narrows a search of conversations: when, with which agent, where, in what, by whom."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from agents.models import Agent
from chat.models import Conversation, Message, SearchEntry, Turn
from knowledge.models import Collection
from security.ids import first_id_at

Place = Literal["", "title", "message", "attachment"]
Author = Literal["", "me", "others", "assistant"]
PLACES: tuple[Place, ...] = ("title", "message", "attachment")
AUTHORS: tuple[Author, ...] = ("me", "others", "assistant")
DAYS = ("7", "30", "365")  # as the sidebar offers them
LAST_DAY = date.max - timedelta(days=2)  # with midnights on both sides in every time zone


@dataclass(frozen=True, slots=True)
class Wanted:
    """Nothing narrows; `until` is a day that still counts, `agent` a slug or an id."""

    since: date | None = None
    until: date | None = None
    agent: str = ""
    collection: UUID | None = None
    place: Place = ""
    author: Author = ""
    is_archived: bool | None = None

    @property
    def is_any(self) -> bool:
        return self == Wanted()

    @property
    def in_messages(self) -> bool:
        return self.place in ("", "message")

    @property
    def in_titles(self) -> bool:
        """A title has no author."""
        return self.place in ("", "title") and not self.author

    @property
    def in_attachments(self) -> bool:
        return self.place in ("", "attachment") and self.author in ("", "me")

    def conversations(self, user: User, rows: "QuerySet[Conversation]") -> "QuerySet[Conversation]":
        """Those of `rows` that all of this but words lets through; names of things that `user` may
        not see let nothing through."""
        if self.is_archived is not None:
            rows = rows.filter(archived_at__isnull=not self.is_archived)
        if self.since:
            rows = rows.filter(updated_at__gte=_midnight(self.since))
        if self.until:
            rows = rows.filter(created_at__lt=_midnight(self.until, days=1))
        if self.agent:
            rows = rows.filter(agent__in=_agents(user, self.agent))
        if self.collection:
            seen = Collection.objects.visible_to(user).filter(pk=self.collection)
            rows = rows.filter(pk__in=_limited_to(seen))
        return rows

    def entries(self, user: User, rows: "QuerySet[SearchEntry]") -> "QuerySet[SearchEntry]":
        """Those of the index that count."""
        if not self.in_titles:
            rows = rows.exclude(message=None)
        if not self.in_messages:
            rows = rows.filter(message=None)
        if self.since:
            rows = rows.filter(Q(message=None) | Q(message__gte=_first_id(self.since)))
        if self.until:
            rows = rows.filter(Q(message=None) | Q(message__lt=_first_id(self.until, days=1)))
        return _by(user, rows, self.author)


def read_wanted(asked: Mapping[str, Any]) -> Wanted:
    """As the sidebar says it; what makes no sense narrows nothing."""
    days = asked.get("days", "")
    place, author = asked.get("in", ""), asked.get("by", "")
    since = timezone.localdate() - timedelta(days=int(days)) if days in DAYS else None
    archived = {"with": True, "without": False}.get(asked.get("archived", ""))
    found = Wanted(since=since, agent=asked.get("agent", "")[:80], is_archived=archived)
    return replace(
        found,
        collection=_uuid(asked.get("collection", "")),
        place=place if place in PLACES else "",
        author=author if author in AUTHORS else "",
    )


def _by(user: User, rows: "QuerySet[SearchEntry]", author: Author) -> "QuerySet[SearchEntry]":
    """Of a question the turn knows who asked it; without one it was the conversation's owner."""
    if not author:
        return rows
    if author == "assistant":
        return rows.filter(message__role=Message.Role.ASSISTANT)
    turns = Turn.objects.filter(question=OuterRef("message"))
    unknown = Q(conversation__owner=user) & ~Exists(turns)
    mine = Exists(turns.filter(requested_by=user)) | unknown
    asked = rows.filter(message__role=Message.Role.USER)
    return asked.filter(mine if author == "me" else ~mine)


def _agents(user: User, name: str) -> "QuerySet[Agent]":
    pk = _uuid(name)
    known: QuerySet[Agent] = Agent.objects.visible_to(user)
    return known.filter(pk=pk) if pk else known.filter(slug=name)


def _limited_to(collections: "QuerySet[Collection]") -> Any:
    through = Conversation.collections.through.objects
    return through.filter(collection__in=collections).values("conversation")


def _midnight(day: date, days: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(min(day, LAST_DAY) + timedelta(days=days), time()))


def _first_id(day: date, days: int = 0) -> UUID:
    return first_id_at(_midnight(day, days))


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
