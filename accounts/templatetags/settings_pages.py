"""The list of settings pages beside each of them."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

PAGES: tuple[tuple[str, Promise, str], ...] = (
    ("accounts:profile", _("Profile"), "user"),
    ("chat_settings:page", _("Chat"), "message-circle"),
    ("memory:page", _("Memory"), "lightbulb"),
    ("approvals:inbox", _("Approvals"), "shield"),
    ("connections:page", _("Connections"), "plug"),
    ("usage:mine", _("Usage"), "chart-column"),
    ("chat:proof", _("Proof of answers"), "quote"),
    ("accounts:teams", _("Teams"), "users"),
    ("account_change_password", _("Password"), "lock"),
    ("accounts:sessions", _("Sessions"), "monitor"),
    ("accounts:tokens", _("API tokens"), "key-round"),
    ("chat:links", _("Shared links"), "link"),
    ("chat:imports", _("Import"), "upload"),
    ("accounts:my_data", _("My data"), "download"),
)


@dataclass(frozen=True, slots=True)
class Page:
    url: str
    name: Promise
    icon: str
    is_current: bool


@register.simple_tag(takes_context=True)
def settings_pages(context: dict[str, Any]) -> list[Page]:
    """In their order; the one being looked at is current, and so is the one it hangs below."""
    here = context["request"].path
    found = [(reverse(name), text, icon) for name, text, icon in PAGES]
    nearest = max((url for url, _text, _icon in found if here.startswith(url)), key=len, default="")
    return [Page(url, text, icon, url == nearest) for url, text, icon in found]
