"""The settings page of a person's accounts at servers, and the way there and back."""

from importlib import import_module
from secrets import compare_digest
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from agents.approvals.models import Approval
from agents.mcp_client.models import McpAccount
from agents.mcp_client.oauth.signing import Signing, find_signing, way_back
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
    server = find_signing(caller(request), server_id)
    try:
        address, request.session[PENDING] = import_module(ACCOUNTS).begin(server, way_back(request))
    except ServerTrouble as trouble:
        messages.error(request, str(trouble))
        return redirect("connections:page")
    if conversation := _waiting_in(request):
        request.session[PENDING] |= {"conversation": conversation}
    shown = {"server": server, "address": address, "host": urlsplit(address).netloc}
    return render(request, "connections/page.html", _context(request, **shown))


@require_GET
@never_cache
@login_required
def back(request: HttpRequest) -> HttpResponse:
    """Where the authorization server sends people: only whoever began is connected by it."""
    user = caller(request)
    said = {name: request.GET.get(name, "")[:LONGEST] for name in ANSWERS}
    pending = _begun_here(request, said["state"])
    pending = pending or import_module(ACCOUNTS).begun_elsewhere(user, said["state"])
    if pending is None:
        messages.error(request, NOT_BEGUN)
        return redirect("connections:page")
    server = find_signing(user, UUID(pending["server"]))
    try:
        import_module(ACCOUNTS).finish(user, server, pending, said)
    except ServerTrouble as trouble:
        messages.error(request, str(trouble))
        return redirect("connections:page")
    if conversation := pending.get("conversation"):
        return redirect("chat:conversation", conversation)
    messages.success(request, _("%(server)s is connected.") % {"server": server})
    return redirect("connections:page")


@require_POST
@login_required
def disconnect(request: HttpRequest, server_id: UUID) -> HttpResponse:
    user = caller(request)
    server = find_signing(user, server_id)
    if import_module(ACCOUNTS).disconnect(user, server) is False:
        said = _("You are disconnected, but %(server)s could not be told: end it there, too.")
        messages.warning(request, said % {"server": server})
    return redirect("connections:page")


def _begun_here(request: HttpRequest, state: str) -> dict[str, Any] | None:
    """What this session began, if that is what is answered; anything else leaves it as it is."""
    pending: dict[str, Any] | None = request.session.get(PENDING)
    if not pending or not compare_digest(pending["state"].encode(), state.encode()):
        return None
    del request.session[PENDING]
    return pending


def _waiting_in(request: HttpRequest) -> str:
    """The conversation in which a call waits for this account, if the person came from there."""
    try:
        approval = UUID(request.POST.get("approval", ""))
    except ValueError:
        return ""
    found = Approval.objects.visible_to(caller(request)).filter(pk=approval).first()
    return str(found.conversation_id or "") if found else ""


def _context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    user = caller(request)
    accounts = {one.server_id: one for one in McpAccount.objects.visible_to(user)}
    servers = [(one, accounts.get(one.pk)) for one in Signing().visible_to(user)]
    return {"servers": servers, **more}
