"""The versions of a document: listed, read, compared, uploaded, taken back."""

import re
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from accounts.models import User
from knowledge import selectors
from knowledge.document_versions.comparing import compare
from knowledge.document_versions.history import (
    find_text,
    find_version,
    has_figures,
    list_versions,
)
from knowledge.document_versions.putting import Outcome, put_document
from knowledge.document_versions.restoring import note_in_words, restore_version
from knowledge.errors import StorageFull, UploadRefused
from knowledge.layout import draw, unpack
from knowledge.models import Document, DocumentText
from knowledge.reading import Span, find_parts, lay_out, part_of
from knowledge.rows import in_words
from knowledge.types import FIGURE
from knowledge.views.documents import document_context
from security.rate_limits import Action
from security.reading import second_lock

SPAN = re.compile(r"(\d{1,9})-(\d{1,9})")
MOST = 40


@require_GET
@login_required
def versions(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """All versions that are kept, the newest first."""
    user = caller(request)
    shown = selectors.find_document(user, document_id)
    rows = [
        (row, in_words(row.reason), note_in_words(row.note)) for row in list_versions(user, shown)
    ]
    context = {**document_context(request, shown), "versions": rows}
    context["kept"] = settings.PARLEY_DOCUMENT_VERSIONS
    return render(request, "knowledge/versions.html", context)


@require_GET
@login_required
def version(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """A version that is not searched, with the spans `at` marked in its own text; `compare`: what
    the searched one says differently."""
    user = caller(request)
    shown = selectors.find_document(user, document_id)
    query = request.META.get("QUERY_STRING", "")
    if number == shown.version_number:
        return redirect(f"{shown.page_url}?{query}" if query else shown.page_url)
    listed = find_version(user, shown, number)
    context = {**document_context(request, shown), "version": listed, "spans": _spans(request)}
    context["reason"] = in_words(listed.reason)
    stored = find_text(user, shown, number)
    if stored is not None and "compare" in request.GET:
        context["comparison"] = compare(stored.text, _newest_text(user, shown))
    elif stored is not None:
        layout = stored.layout
        if layout is not None and not has_figures(user, shown, number):
            layout = _without_figures(layout)
        context |= _drawn(request, stored.text, layout, context["spans"])
    return render(request, "knowledge/version.html", context)


@require_POST
@login_required
def upload(request: HttpRequest, document_id: UUID) -> JsonResponse:
    """Takes one file as the next version; what is searched stays until it is ready."""
    spend_for(request, Action.UPLOADS)
    shown = _editable(request, document_id)
    file = request.FILES.get("file")
    if file is None:
        detail = _("There was no file in this upload. Choose a file and try again.")
        return JsonResponse({"detail": detail}, status=HTTPStatus.BAD_REQUEST)
    try:
        put = put_document(
            shown.collection, file, file.name or _("Untitled"), document=shown,
            user=caller(request), declared=file.content_type or "",
        )  # fmt: skip
    except UploadRefused as error:
        return JsonResponse({"detail": _(str(error))}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StorageFull as error:
        return JsonResponse({"detail": _(str(error))}, status=HTTPStatus.INSUFFICIENT_STORAGE)
    if put.outcome is Outcome.DUPLICATE:
        detail = _("“%s” in this collection has this content already.") % put.document.title
        return JsonResponse({"detail": detail}, status=HTTPStatus.CONFLICT)
    answer = {"id": str(put.document.pk), "outcome": put.outcome.value}
    return JsonResponse(answer, status=HTTPStatus.ACCEPTED)


@require_POST
@login_required
def restore(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """The content of this version again, as the next one."""
    shown = _editable(request, document_id)
    put = restore_version(caller(request), shown, number)
    told = {
        Outcome.CHANGED: _("The version is being taken up."),
        Outcome.UNCHANGED: _("The document has this content already."),
        Outcome.DUPLICATE: _("“%s” in this collection has this content already.")
        % put.document.title,
    }
    messages.success(request, told[put.outcome])
    return redirect("knowledge:document", shown.pk)


def _editable(request: HttpRequest, document_id: UUID) -> Document:
    rows = Document.objects.editable_by(request.user).select_related("collection")
    found: Document = get_object_or_404(rows, pk=document_id)
    return found


@second_lock
def _newest_text(user: User, shown: Document) -> str:
    rows = DocumentText.objects.filter(document__in=Document.objects.visible_to(user))
    return rows.filter(document=shown.pk).values_list("text", flat=True).first() or ""


def _drawn(request: HttpRequest, text: str, layout: Any, spans: list[Span]) -> dict[str, Any]:
    marked = [(start, min(end, len(text))) for start, end in spans if start < len(text)]
    parts = find_parts(text)
    number = part_of(parts, marked[0][0]) if marked else _part(request, len(parts))
    context = {"part": number + 1, "parts": len(parts), "marked": marked}
    if layout is None:
        return {**context, "blocks": lay_out(text, [], parts[number], marked)}
    return {**context, "shown": draw(text, unpack(layout), parts[number], marked)}


def _without_figures(layout: list[Any]) -> list[Any]:
    """Pictures of versions that were replaced long ago were not kept."""
    return [
        [*block[:4], [mark for mark in block[4] if mark[2] != FIGURE], *block[5:]]
        for block in layout
    ]


def _spans(request: HttpRequest) -> list[Span]:
    found = [SPAN.fullmatch(value) for value in request.GET.getlist("at")[:MOST]]
    spans = [(int(match[1]), int(match[2])) for match in found if match]
    return sorted({(start, end) for start, end in spans if start < end})


def _part(request: HttpRequest, parts: int) -> int:
    value = request.GET.get("part", "")
    number = int(value) if value.isascii() and value.isdigit() and len(value) <= 6 else 1
    return min(max(1, number), parts) - 1
