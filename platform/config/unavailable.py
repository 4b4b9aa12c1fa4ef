"""What a caller hears while Postgres (or Redis, where it is needed) cannot be asked: 503, not 500.

Django's `handler500` is the one place that every uncaught error passes, whether a view raised it
or a middleware that asked who is calling.
"""

import logging
import sys

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils import translation
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error

from config import problems
from observability.outages import is_disk_full, is_outage

log = logging.getLogger("parley.request")


@requires_csrf_token
def answer_error(request: HttpRequest) -> HttpResponse:
    """500 for an error of ours; 503, which says when to come back, for a server that is away.

    507 for an upload that found the disk full before any view saw it.
    """
    error = sys.exc_info()[1]
    if error is not None and is_disk_full(error):
        return _answer_full(request, error)
    if error is None or not is_outage(error):
        return server_error(request)
    log.warning("%s %s: a server is away: %s", request.method, request.path, _first_line(error))
    # The error may have come before, or instead of, the choice of a language.
    language = _language(request)
    with translation.override(language):
        if request.path_info.startswith("/api/"):
            return problems.describe(error).to_response()  # type: ignore[arg-type]
        page = loader.render_to_string("503.html", {"LANGUAGE_CODE": language})
    return HttpResponse(page, status=503, headers=problems.COME_BACK)


def _answer_full(request: HttpRequest, error: BaseException) -> HttpResponse:
    """As a problem to everybody: what uploads is a script or a program, and shows its detail."""
    log.error("%s %s: the disk is full: %s", request.method, request.path, error)
    with translation.override(_language(request)):
        return problems.describe(error).to_response()  # type: ignore[arg-type]


def _language(request: HttpRequest) -> str:
    chosen: str = getattr(request, "LANGUAGE_CODE", "")
    known = chosen in dict(settings.LANGUAGES)
    return chosen if known else translation.get_language_from_request(request)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
