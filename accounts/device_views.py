"""The settings page of sessions."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import devices
from accounts.callers import caller


@require_GET
@never_cache
@login_required
def list_sessions(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sessions.html", _context(request))


@require_POST
@login_required
def end_session(request: HttpRequest, device_id: UUID) -> HttpResponse:
    devices.sign_out(caller(request), device_id)
    return render(request, "accounts/_sessions.html", _context(request))


@require_POST
@login_required
def end_sessions(request: HttpRequest) -> HttpResponse:
    """All but this one."""
    devices.sign_out_everywhere(caller(request), keep=request.session.session_key)
    return render(request, "accounts/_sessions.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    found = devices.list_devices(caller(request), request.session.session_key)
    return {"sessions": found, "others": any(not session.is_current for session in found)}
