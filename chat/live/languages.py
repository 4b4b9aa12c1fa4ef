"""Which language a socket speaks: the same as the page that opened it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from accounts.models import User


def language_of(scope: dict[str, Any], user: User) -> str:
    """The one the person chose, else the cookie's, else the browser's."""
    if user.language in dict(settings.LANGUAGES):
        return user.language
    request = HttpRequest()
    request.COOKIES = scope.get("cookies", {})
    accepted = [value for name, value in scope["headers"] if name.lower() == b"accept-language"]
    request.META["HTTP_ACCEPT_LANGUAGE"] = b",".join(accepted).decode("latin-1")
    return translation.get_language_from_request(request)
