"""The settings pages that take everything away, and that end an account."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import leaving, takeouts
from accounts.callers import caller
from accounts.errors import AccountError, LastAdministrator
from accounts.limits import spend_for
from accounts.passwords import confirm_password
from security.rate_limits import Action, LimitReached


@require_GET
@never_cache
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/my_data.html", _takeouts(request))


@require_GET
@never_cache
@login_required
def list_takeouts(request: HttpRequest) -> HttpResponse:
    """The list alone, asked for again while an export is being made."""
    return render(request, "accounts/_takeouts.html", _takeouts(request))


@require_POST
@login_required
def new_takeout(request: HttpRequest) -> HttpResponse:
    spend_for(request, Action.EXPORTS)
    takeouts.request_takeout(caller(request))
    return _answer(request)


@require_POST
@login_required
def remove_takeout(request: HttpRequest, takeout_id: UUID) -> HttpResponse:
    takeouts.remove_takeout(caller(request), takeout_id)
    return _answer(request)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@never_cache
@login_required
def leave(request: HttpRequest) -> HttpResponse:
    """What deleting the account means; a POST with the password does it."""
    user = caller(request)
    if request.method == "GET":
        return render(request, "accounts/leave.html", _fates(request))
    when = request.POST.get("when", "later")
    try:
        confirm_password(request, request.POST.get("password", ""))
        (leaving.leave_now if when == "now" else leaving.leave_later)(user)
    except (AccountError, LimitReached) as error:
        context = _fates(request) | {"error": str(error), "when": when}
        return render(request, "accounts/leave.html", context, status=HTTPStatus.OK)
    date = leaving.shown_date(user) if when != "now" else ""
    logout(request)
    return render(request, "accounts/left.html", {"date": date})


@require_POST
@login_required
def keep(request: HttpRequest) -> HttpResponse:
    leaving.keep_account(caller(request))
    return redirect("accounts:my_data")


def _answer(request: HttpRequest) -> HttpResponse:
    if "HX-Request" not in request.headers:
        return redirect("accounts:my_data")
    return render(request, "accounts/_takeouts.html", _takeouts(request))


def _takeouts(request: HttpRequest) -> dict[str, Any]:
    found = takeouts.list_takeouts(caller(request))
    return {"takeouts": found, "running": any(shown.is_running for shown in found)}


def _fates(request: HttpRequest) -> dict[str, Any]:
    user = caller(request)
    return {
        "is_blocked": leaving.is_last_administrator(user),
        "blocked_because": str(LastAdministrator()),
        "fates": leaving.list_fates(user),
        "my_data_url": reverse("accounts:my_data"),
    }
