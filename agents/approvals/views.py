"""The inbox of questions about calls, and the card of one, in the inbox and in a conversation."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.models import User
from agents.approvals import services
from agents.approvals.errors import ApprovalRefused
from agents.approvals.models import Approval
from agents.approvals.shown import arguments_of, title_of
from agents.mcp_client.models import McpAccount, McpServer
from security.reading import reading_as

MOST_SHOWN = 50
Place = tuple[McpServer | None, McpAccount | None]  # where a person connects, and their account
NOWHERE: Place = (None, None)


@require_GET
@never_cache
@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "approvals/inbox.html", _inbox(caller(request)))


@require_GET
@never_cache
@login_required
def card(request: HttpRequest, approval_id: UUID) -> HttpResponse:
    """One of them as it stands."""
    found = services.find_approval(caller(request), approval_id)
    return render(request, "approvals/_card.html", {"card": _cards(caller(request), [found])[0]})


@require_POST
@login_required
def decide(request: HttpRequest, approval_id: UUID) -> HttpResponse:
    """The card as it stands afterwards, with why where it was refused."""
    user, form, error = caller(request), request.POST, ""
    answer = form.get("answer")
    if answer not in {"approve", "deny"}:
        raise Http404
    scope = form.get("scope", Approval.Scope.ONCE)
    try:
        services.decide(user, approval_id, answer, form.get("digest", ""), scope)  # type: ignore[arg-type]  # it is one of the two
    except ApprovalRefused as refused:
        error = str(refused)
    if "HX-Request" not in request.headers and not error:
        return redirect("approvals:inbox")
    found = services.find_approval(user, approval_id)
    return render(
        request, "approvals/_card.html", {"card": _cards(user, [found])[0], "error": error}
    )


@require_POST
@login_required
def revoke(request: HttpRequest, permission_id: UUID) -> HttpResponse:
    user = caller(request)
    services.revoke_permission(user, permission_id)
    if "HX-Request" not in request.headers:
        return redirect("approvals:inbox")
    return render(request, "approvals/_permissions.html", _inbox(user))


def _inbox(user: User) -> dict[str, Any]:
    with reading_as(user):
        rows = services.list_approvals(user)
        waiting = list(rows.waiting()[:MOST_SHOWN])  # type: ignore[attr-defined]  # ours
        decided = list(rows.exclude(pk__in=[one.pk for one in waiting])[:MOST_SHOWN])
        permissions = list(services.list_permissions(user)[:MOST_SHOWN])
    return {
        "waiting": _cards(user, waiting),
        "decided": _cards(user, decided),
        "permissions": [{"row": one, "title": title_of(one)} for one in permissions],
    }


def _cards(user: User, rows: list[Approval]) -> list[dict[str, Any]]:
    """Two queries more where some of them wait for an account of the person's."""
    signing = [one for one in rows if one.kind == Approval.Kind.SIGN_IN and _is_open(one)]
    places = _places(user, {one.server for one in signing}) if signing else {}
    return [_card(one, places) for one in rows]


def _places(user: User, names: set[str]) -> dict[str, Place]:
    servers = McpServer.objects.visible_to(user).filter(name__in=names, is_enabled=True)
    found = {one.pk: one for one in servers}
    mine = McpAccount.objects.visible_to(user).filter(server__in=found)
    accounts = {one.server_id: one for one in mine}
    return {one.name: (one, accounts.get(one.pk)) for one in found.values()}


def _is_open(found: Approval) -> bool:
    return found.status == Approval.Status.WAITING and found.expires_at > timezone.now()


def _card(found: Approval, places: Mapping[str, Place]) -> dict[str, Any]:
    is_open = _is_open(found)
    is_sign_in = found.kind == Approval.Kind.SIGN_IN
    names = dict(Approval.Scope.choices)
    return {
        "row": found,
        "title": title_of(found),
        "arguments": arguments_of(found),
        "scopes": [(scope, names[scope]) for scope in found.scopes],
        "is_open": is_open,
        "was_given": found.status in {Approval.Status.APPROVED, Approval.Status.USED},
        "is_late": found.status == Approval.Status.WAITING and not is_open,
        **(_sign_in(*places.get(found.server, NOWHERE)) if is_sign_in else {}),
    }


def _sign_in(at: McpServer | None, account: McpAccount | None) -> dict[str, Any]:
    """Where the person connects, as long as they may; `is_connected` once they did."""
    is_connected = account is not None and not account.is_broken
    return {"is_sign_in": True, "at": at, "is_again": account is not None,
            "is_connected": is_connected}  # fmt: skip
