"""The settings page on which conversations are brought from elsewhere."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from chat.errors import ChatError
from chat.imports import services
from chat.models import Import
from events.models import Job
from knowledge.errors import UploadRefused
from security.rate_limits import Action

SHOWN = 20
ACTIVE = (Import.State.READING, Import.State.IMPORTING)


@require_http_methods(["GET", "POST"])
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The person's imports; a POST uploads an export. A script asks for the list alone."""
    problem = _upload(request) if request.method == "POST" else ""
    if request.method == "POST" and not problem and "HX-Request" not in request.headers:
        return redirect("chat:imports")
    return _answer(request, problem)


@require_GET
@login_required
def listed(request: HttpRequest) -> HttpResponse:
    return _list(request)


@require_POST
@login_required
def start(request: HttpRequest, import_id: UUID) -> HttpResponse:
    try:
        services.start(caller(request), import_id)
    except ChatError as refusal:
        return _list(request, str(refusal))
    return _list(request)


@require_POST
@login_required
def discard(request: HttpRequest, import_id: UUID) -> HttpResponse:
    services.discard(caller(request), import_id)
    return _list(request)


def _upload(request: HttpRequest) -> str:
    """What is wrong with it, in words; empty when it was taken."""
    spend_for(request, Action.UPLOADS)
    file = request.FILES.get("file")
    if file is None:
        return _("Choose a file first.")
    try:
        services.upload(caller(request), file, file.name or "")
    except (UploadRefused, ChatError) as refusal:
        return str(refusal)
    return ""


def _answer(request: HttpRequest, problem: str = "") -> HttpResponse:
    if "HX-Request" in request.headers:
        return _list(request, problem)
    return render(request, "chat/imports.html", _context(request, problem))


def _list(request: HttpRequest, problem: str = "") -> HttpResponse:
    return render(request, "chat/_imports.html", _context(request, problem))


def _context(request: HttpRequest, problem: str) -> dict[str, object]:
    rows = list(Import.objects.visible_to(caller(request))[:SHOWN])
    jobs = Job.objects.in_bulk([row.job_id for row in rows if row.state in ACTIVE])
    for row in rows:
        job = jobs.get(row.job_id) if row.job_id else None
        row.percent = min(99, 100 * job.done // job.total) if job and job.total else 0  # type: ignore[attr-defined]
        row.more = max(0, row.conversations - len(row.found))  # type: ignore[attr-defined]
    return {
        "imports": rows,
        "is_active": any(row.state in ACTIVE for row in rows),
        "problem": problem,
        "max_megabytes": settings.PARLEY_MAX_IMPORT_MB,
    }
