"""The list of conversations as the sidebar shows it: pinned first, then folders, then by day."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.access import READ, OneOf, has_grant
from accounts.models import Grant, User
from chat.models import Conversation, Filing, Folder

SHOWN = 100
FILED = 400  # conversations in folders, the newest of them


@dataclass
class HistoryGroup:
    title: str
    folder: Folder | None = None
    conversations: list[Conversation] = field(default_factory=list)

    @property
    def is_folder(self) -> bool:
        return self.folder is not None


def list_history(user: User | AnonymousUser) -> list[HistoryGroup]:
    """Groups of the newest conversations `user` may see; folders are there when they are empty."""
    current = Conversation.objects.visible_to(user).lasting().filter(archived_at=None)
    filings = Filing.objects.filter(owner=user.pk)
    places = dict(filings.values_list("conversation", "folder"))
    filed = _light(current.filter(pk__in=places))[:FILED] if places else []
    unfiled = current.exclude(pk__in=filings.values("conversation"))
    loose = _by_day(_light(_first(user, unfiled))[:SHOWN])
    folders = {
        folder.pk: HistoryGroup(folder.name, folder) for folder in Folder.objects.visible_to(user)
    }
    for conversation in filed:
        if group := folders.get(places[conversation.pk]):  # or deleted since we asked
            group.conversations.append(conversation)
    has_pins = bool(loose) and loose[0].conversations[0].is_pinned
    return [*loose[:has_pins], *folders.values(), *loose[has_pins:]]


def list_archive(user: User | AnonymousUser) -> list[HistoryGroup]:
    """Groups of what is archived, the newest first."""
    archived = Conversation.objects.visible_to(user).lasting().exclude(archived_at=None)
    return _by_day(_light(archived)[:SHOWN])


def _first(
    user: User | AnonymousUser, conversations: QuerySet[Conversation]
) -> QuerySet[Conversation]:
    """Those that the beginning of the list can be made of: of one's own the newest, found by their
    order, and the pinned ones; of others' all, since nothing puts them in an order.

    Of all in an order Postgres would sort whatever somebody ever asked."""
    if not isinstance(user, User):
        return conversations
    own = conversations.filter(owner=user).order_by("-updated_at").values("pk")
    shared = has_grant(user, Grant.Kind.CONVERSATION, READ)
    newest = OneOf("pk", own[:SHOWN])
    pinned = OneOf("pk", own.filter(is_pinned=True)[:SHOWN])
    return conversations.filter(Q(newest) | Q(pinned) | Q(shared))


def _light(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    rows = conversations.order_by("-is_pinned", "-updated_at")
    return rows.only("id", "title", "is_pinned", "updated_at", "archived_at", "owner_id")


def _by_day(conversations: QuerySet[Conversation]) -> list[HistoryGroup]:
    groups: dict[str, HistoryGroup] = {}
    today = timezone.localdate()
    for conversation in conversations:
        title = _group_title(conversation, today)
        groups.setdefault(title, HistoryGroup(title)).conversations.append(conversation)
    return list(groups.values())


def _group_title(conversation: Conversation, today: date) -> str:
    if conversation.is_pinned:
        return _("Pinned")
    day = timezone.localdate(conversation.updated_at)
    if day >= today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day > today - timedelta(days=7):
        return _("Previous 7 days")
    if day > today - timedelta(days=30):
        return _("Previous 30 days")
    return date_format(day, "YEAR_MONTH_FORMAT")
