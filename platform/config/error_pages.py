"""What goes wrong, said to people: what happened, what to do, and the id under which it is logged.

A page for whoever looks at one; the same sentence as a problem (RFC 9457) for a script, which shows
it in a toast. Nothing here asks a database: one of these pages says that it is away.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config import problems

CSRF = "csrf"
# Name of the problem, what happened, what to do, whether trying again may help.
PAGES: dict[int | str, tuple[str, Promise, Promise, bool]] = {
    400: (
        "bad-request",
        _("This request could not be read"),
        _("The address or the form is damaged. Go back, reload the page and try again."),
        False,
    ),
    403: (
        "not-allowed",
        _("You may not do this"),
        _("Your account does not have the right for it. Ask the owner or an administrator."),
        False,
    ),
    CSRF: (
        CSRF,
        _("This page has been open for too long"),
        _("Nothing was changed. Go back, reload the page and try again."),
        False,
    ),
    404: (
        "not-found",
        _("This page is not here"),
        _("It may have been deleted, or it was never shared with you."),
        False,
    ),
    413: (
        "too-large",
        _("That was too much at once"),
        _("Nothing was stored. Send less, or put the text into a file and upload it."),
        False,
    ),
    429: (
        "too-many-requests",
        _("Too many requests"),
        _("Wait a minute, then try again."),
        True,
    ),
    500: (
        "internal-error",
        _("Something went wrong"),
        _("The error has been recorded. Nothing you wrote is lost; try again in a moment."),
        True,
    ),
    503: (
        "unavailable",
        _("Not available at the moment"),
        _("Parley is waiting for its database. Nothing you wrote is lost; try again in a few "
          "seconds."),
        True,
    ),
}  # fmt: skip


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400; a body beyond the limit has a page of its own."""
    return respond(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return respond(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return respond(request, 404)


def csrf_failure(request: HttpRequest, **_said: Any) -> HttpResponse:
    """Django's reason is for developers and stays in the log."""
    return respond(request, CSRF)


def respond(
    request: HttpRequest,
    which: int | str,
    *,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer for one of PAGES; `detail` instead of what its page says that one should do."""
    name, title, advice, _may_help = PAGES[which]
    status = HTTPStatus.FORBIDDEN if which == CSRF else HTTPStatus(int(which))
    # The error may have come before, or instead of, the choice of a language.
    language = language_of(request)
    with translation.override(language):
        if request.path_info.startswith("/api/"):
            return problems.from_status(status, headers).to_response()
        if _is_script(request):
            problem = problems.Problem(
                status, name, str(title), detail or str(advice), headers=headers or {}
            )
            return problem.to_response()
        page = loader.render_to_string("error.html", _context(request, which, detail, language))
    return HttpResponse(page, status=status, headers=dict(headers or {}))


def language_of(request: HttpRequest) -> str:
    chosen: str = getattr(request, "LANGUAGE_CODE", "")
    known = chosen in dict(settings.LANGUAGES)
    return chosen if known else translation.get_language_from_request(request)


def _is_script(request: HttpRequest) -> bool:
    wants_page = request.accepts("text/html") and "HX-Request" not in request.headers
    return not wants_page or request.headers.get("Sec-Fetch-Dest") == "empty"


def _context(request: HttpRequest, which: int | str, detail: str, language: str) -> dict[str, Any]:
    _name, title, advice, may_help = PAGES[which]
    theme = getattr(request, "theme", "") or request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    return {
        "LANGUAGE_CODE": language,
        "theme": theme,
        "code": "" if which == CSRF else which,
        "title": title,
        "advice": detail or advice,
        "may_help": may_help and request.method in {"GET", "HEAD"},
        "reference": getattr(request, "id", ""),
    }
