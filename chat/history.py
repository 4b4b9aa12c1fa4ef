"""The list of conversations as the sidebar shows it: pinned first, then by day."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from chat.models import Conversation
from security.text import storable

SHOWN = 100


@dataclass
class HistoryGroup:
    title: str
    conversations: list[Conversation] = field(default_factory=list)


def list_history(user: User | AnonymousUser, query: str = "") -> list[HistoryGroup]:
    """Groups of the newest conversations `user` may see whose titles contain `query`."""
    found = Conversation.objects.visible_to(user).filter(archived_at__isnull=True)
    if query := storable(query).strip():
        found = found.filter(title__icontains=query)
    newest = found.order_by("-is_pinned", "-updated_at").only(
        "id", "title", "is_pinned", "updated_at", "owner_id"
    )[:SHOWN]
    groups: dict[str, HistoryGroup] = {}
    today = timezone.localdate()
    for conversation in newest:
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
