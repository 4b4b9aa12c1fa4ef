from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from agents.approvals.services import count_waiting
from chat.search.filters import Wanted
from chat.search.finding import ANYTHING, find_hits
from chat.sharing.services import mark_shared
from chat.sidebar.history import list_archive, list_history

register = template.Library()


@register.inclusion_tag("chat/_history.html", takes_context=True)
def conversation_history(
    context: dict[str, Any],
    user: User | AnonymousUser,
    query: str = "",
    is_archive: bool = False,
    wanted: Wanted = ANYTHING,
) -> dict[str, Any]:
    """The sidebar's conversations; the one in the context's `conversation` is marked as current."""
    is_search = bool(query) or not wanted.is_any
    shown = {
        "query": query,
        "is_search": is_search,
        "is_narrowed": not wanted.is_any,
        "current": context.get("conversation"),
        "viewer": user,
    }
    if is_search and isinstance(user, User):
        return {**shown, "hits": find_hits(user, query, wanted=wanted)}
    groups = list_archive(user) if is_archive else list_history(user)
    if isinstance(user, User):
        mark_shared(user, [row for group in groups for row in group.conversations])
        shown["waiting"] = count_waiting(user)
    return {**shown, "groups": groups, "is_archive": is_archive}
