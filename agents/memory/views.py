"""The settings page of memory, and what of it an answer shows."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.models import User
from agents.memory import selectors, services
from agents.memory.errors import MemoryRefused

MOST_SHOWN = 200


@require_GET
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "memory/page.html", _context(request))


@require_POST
@login_required
def mode(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("mode", "")
    if chosen not in User.Memory.values:
        raise Http404
    services.choose_mode(caller(request), chosen)
    return _answer(request, "memory/_mode.html", is_saved=True)


@require_POST
@login_required
def add(request: HttpRequest) -> HttpResponse:
    text = request.POST.get("text", "")
    try:
        services.add_memory(caller(request), text)
    except MemoryRefused as error:
        return _answer(request, "memory/_list.html", error=str(error), text=text)
    return _answer(request, "memory/_list.html")


@require_POST
@login_required
def change(request: HttpRequest, memory_id: UUID) -> HttpResponse:
    try:
        services.change_memory(caller(request), memory_id, request.POST.get("text", ""))
    except MemoryRefused as error:
        return _answer(request, "memory/_list.html", error=str(error))
    return _answer(request, "memory/_list.html")


@require_POST
@login_required
def forget(request: HttpRequest, memory_id: UUID) -> HttpResponse:
    services.forget_memory(caller(request), memory_id)
    return _answer(request, "memory/_list.html")


@require_POST
@login_required
def forget_all(request: HttpRequest) -> HttpResponse:
    services.forget_everything(caller(request))
    return _answer(request, "memory/_list.html")


@require_GET
@never_cache
@login_required
def shown(request: HttpRequest) -> HttpResponse:
    """Those of the memories `id` that are still there; of others it only says how many."""
    wanted = {found for text in request.GET.getlist("id")[:MOST_SHOWN] if (found := _uuid(text))}
    memories = selectors.list_memories(caller(request), wanted)
    context = {"memories": memories, "missing": len(wanted) - len(memories)}
    return render(request, "memory/_shown.html", context)


def _answer(request: HttpRequest, template: str, **more: Any) -> HttpResponse:
    """The changed part for a script; the whole page without one."""
    if "HX-Request" not in request.headers and "error" not in more:
        return redirect("memory:page")
    return render(request, template, _context(request, **more))


def _context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    memories = selectors.list_memories(caller(request))
    return {"memories": memories, "is_allowed": settings.PARLEY_MEMORY, **more}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
