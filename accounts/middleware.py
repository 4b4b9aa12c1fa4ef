from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from accounts import devices
from accounts.time_zones import time_zone_of


class PreferencesMiddleware:
    """Speaks the person's language: the one they chose, else the cookie's, else the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "")
        known = chosen in dict(settings.LANGUAGES)
        language = chosen if known else translation.get_language_from_request(request)
        zone = time_zone_of(request.user)
        with translation.override(language), timezone.override(zone):
            request.LANGUAGE_CODE = language
            request.theme = _theme(request)  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response


def _theme(request: HttpRequest) -> str:
    """How pages look: as the person chose, else as this browser remembers."""
    kept: str = request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    return getattr(request.user, "theme", "") or kept


class DeviceMiddleware:
    """Notes from time to time which browser a signed-in person uses, for the list in settings."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        devices.note(request)
        return self.get_response(request)
