from typing import Any

from allauth.account.adapter import get_adapter
from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def styled(field: BoundField, autocomplete: str = "") -> SafeString:
    """The field's widget in the house style, with an `autocomplete` of its own if one is given."""
    attributes: dict[str, str | bool] = {"class": "input", "placeholder": ""}
    if autocomplete:
        attributes["autocomplete"] = autocomplete
    if field.name == "login" and not field.errors:  # who signs in came to do nothing else
        attributes["autofocus"] = True
    return field.as_widget(attrs=attributes)


@register.filter
def switch(field: BoundField) -> SafeString:
    """The field's checkbox as a switch."""
    return field.as_widget(attrs={"class": "switch", "role": "switch"})


@register.simple_tag(takes_context=True)
def may_sign_up(context: dict[str, Any]) -> bool:
    """Whether anybody may make an account here."""
    request = context["request"]
    return bool(get_adapter(request).is_open_for_signup(request))
