"""The page behind a link: read-only, without the sidebar, and never in a search engine."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.limits import address_of, spend_for
from chat.sharing.shared import continue_shared, read_shared
from security.rate_limits import Action, spend
from security.rates import Per

HEADERS = {
    "Referrer-Policy": "same-origin",  # nothing to others; with less, our own form has no Origin
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "private, no-store",
}


@require_GET
@never_cache
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """The same answer for every address that shows this reader nothing."""
    spend(Action.SHARED, {Per.ADDRESS: address_of(request)})
    if not request.user.is_authenticated and settings.PARLEY_LINKS != "anyone":
        return _with_headers(redirect_to_login(request.path))
    try:
        thread = read_shared(token, request.user)
    except Http404:
        return gone(request)
    context = {"thread": thread, "token": token}
    return _with_headers(render(request, "chat/shared.html", context))


@require_POST
def continue_here(request: HttpRequest, token: str) -> HttpResponseBase:
    """Goes on in a conversation of the reader's own."""
    if not request.user.is_authenticated:
        return _with_headers(redirect_to_login(reverse("chat:shared", args=[token])))
    spend_for(request, Action.TURNS)
    try:
        made = continue_shared(token, caller(request))
    except Http404:
        return gone(request)
    return redirect("chat:conversation", made.pk)


def gone(request: HttpRequest) -> HttpResponseBase:
    page = render(request, "chat/shared_gone.html", status=HTTPStatus.NOT_FOUND)
    return _with_headers(page)


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
