from typing import Any

from django import template
from django.conf import settings

register = template.Library()


@register.inclusion_tag("_shell/installable.html", takes_context=True)
def installable(context: dict[str, Any]) -> dict[str, Any]:
    """Icons, colours of the window and, unless switched off, the manifest."""
    language = context.get("LANGUAGE_CODE", settings.LANGUAGE_CODE)
    return {"language": language, "is_on": settings.PARLEY_INSTALLABLE}
