"""The settings page of a person's accounts at servers, and the way there and back."""

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import require_visible
from accounts.callers import caller
from accounts.limits import spend_for
from accounts.models import User
from agents.mcp.types import address_of
from agents.mcp_client.models import McpAccount, McpServer
from agents.mcp_client.services import ACCOUNTS
from agents.mcp_client.types import NOT_BEGUN, ServerTrouble
from security.rate_limits import Action

PENDING = "mcp_sign_in"  # in the session of whoever began
ANSWERS = ("state", "code", "iss", "error")
LONGEST = 4000


@require_GET
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "connections/page.html", _context(request))


@require_POST
@never_cache
@login_required
def connect(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """Shows where the person is about to sign in; a form may not lead there by itself (CSP)."""
    spend_for(request, Action.TOKENS)
    server = _server(caller(request), server_id)
    try:
        address, request.session[PENDING] = import_module(ACCOUNTS).begin(
            server, _way_back(request)
        )
    except ServerTrouble as trouble:
        messages.error(request, str(trouble))
        return redirect("connections:page")
    shown = {"server": server, "address": address, "host": urlsplit(address).netloc}
    return render(request, "connections/page.html", _context(request, **shown))


@require_GET
@never_cache
@login_required
def back(request: HttpRequest) -> HttpResponse:
    """Where the authorization server sends people: only whoever began is connected by it."""
    user, pending = caller(request), request.session.pop(PENDING, None)
    if pending is None:
        messages.error(request, NOT_BEGUN)
        return redirect("connections:page")
    server = _server(user, UUID(pending["server"]))
    said = {name: request.GET.get(name, "")[:LONGEST] for name in ANSWERS}
    try:
        import_module(ACCOUNTS).finish(user, server, pending, said)
    except ServerTrouble as trouble:
        messages.error(request, str(trouble))
    else:
        messages.success(request, _("%(server)s is connected.") % {"server": server})
    return redirect("connections:page")


@require_POST
@login_required
def disconnect(request: HttpRequest, server_id: UUID) -> HttpResponse:
    user = caller(request)
    import_module(ACCOUNTS).disconnect(user, _server(user, server_id))
    return redirect("connections:page")


def _server(user: User, server_id: UUID) -> McpServer:
    """Raises Http404."""
    found: McpServer = require_visible(_Signing(), user, server_id)
    return found


class _Signing:
    """The servers at which people sign in themselves."""

    def visible_to(self, user: Any) -> Any:
        servers = McpServer.objects.visible_to(user).filter(is_enabled=True, is_local=False)
        return servers.filter(auth=McpServer.Auth.OAUTH)

    editable_by = visible_to


def _context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    user = caller(request)
    accounts = {one.server_id: one for one in McpAccount.objects.visible_to(user)}
    servers = [(one, accounts.get(one.pk)) for one in _Signing().visible_to(user)]
    return {"servers": servers, **more}


def _way_back(request: HttpRequest) -> str:
    return f"{address_of(request)}{reverse('connections:back')}"
