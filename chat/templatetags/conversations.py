from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from chat.history import list_archive, list_history

register = template.Library()


@register.inclusion_tag("chat/_history.html", takes_context=True)
def conversation_history(
    context: dict[str, Any],
    user: User | AnonymousUser,
    query: str = "",
    is_archive: bool = False,
) -> dict[str, Any]:
    """The sidebar's conversations; the one in the context's `conversation` is marked as current."""
    return {
        "groups": list_archive(user) if is_archive and not query else list_history(user, query),
        "is_archive": is_archive and not query,
        "query": query,
        "current": context.get("conversation"),
        "viewer": user,
    }
