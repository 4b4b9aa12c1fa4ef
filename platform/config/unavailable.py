"""What a caller hears while Postgres (or Redis, where it is needed) cannot be asked: 503, not 500.

Django's `handler500` is the one place that every uncaught error passes, whether a view raised it
or a middleware that asked who is calling.
"""

import logging
import sys

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from config import problems
from config.error_pages import language_of, respond
from observability.outages import is_disk_full, is_outage

log = logging.getLogger("parley.request")


def answer_error(request: HttpRequest) -> HttpResponse:
    """500 for an error of ours; 503, which says when to come back, for a server that is away.

    507 for an upload that found the disk full before any view saw it.
    """
    error = sys.exc_info()[1]
    if error is not None and is_disk_full(error):
        return _answer_full(request, error)
    if error is None or not is_outage(error):
        return respond(request, 500)
    log.warning("%s %s: a server is away: %s", request.method, request.path, _first_line(error))
    return respond(request, 503, headers=problems.COME_BACK)


def _answer_full(request: HttpRequest, error: BaseException) -> HttpResponse:
    """As a problem to everybody: what uploads is a script or a program, and shows its detail."""
    log.error("%s %s: the disk is full: %s", request.method, request.path, error)
    with translation.override(language_of(request)):
        return problems.describe(error).to_response()  # type: ignore[arg-type]


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
