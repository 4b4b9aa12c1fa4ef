"""Upload, and what can be done with one document; `reader` shows it."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from knowledge import discarding, selectors, services
from knowledge.document_versions.history import newest_failed
from knowledge.errors import StorageFull, UploadRefused
from knowledge.models import Chunk, Collection, Document
from knowledge.queueing import index_again
from knowledge.rows import describe, in_words
from knowledge.soft_breaks import read_on
from security.rate_limits import Action
from security.reading import reading_as

PREVIEWED = 12


@require_POST
@login_required
def upload(request: HttpRequest, collection_id: UUID) -> JsonResponse:
    """Takes one file; the same bytes again are the same document. Errors say what to do."""
    spend_for(request, Action.UPLOADS)
    editable = Collection.objects.editable_by(request.user)
    collection = get_object_or_404(editable, pk=collection_id)
    file = request.FILES.get("file")
    if file is None:
        detail = _("There was no file in this upload. Choose a file and try again.")
        return JsonResponse({"detail": detail}, status=HTTPStatus.BAD_REQUEST)
    try:
        document, is_new = services.add_document(
            caller(request),
            collection,
            file,
            file.name or _("Untitled"),
            declared=file.content_type or "",
        )
    except UploadRefused as error:
        return JsonResponse({"detail": _(str(error))}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StorageFull as error:
        return JsonResponse({"detail": _(str(error))}, status=HTTPStatus.INSUFFICIENT_STORAGE)
    answer = {"id": str(document.pk), "status": document.status, "is_new": is_new}
    return JsonResponse(answer, status=HTTPStatus.ACCEPTED)


@require_GET
@login_required
def status(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """How far indexing is, asked while it runs; reloads the page when it has ended."""
    shown = selectors.find_document(caller(request), document_id)
    context = document_context(request, shown)
    response = render(request, "knowledge/_document_status.html", context)
    if not context["row"].is_active:
        response["HX-Refresh"] = "true"
    return response


@require_GET
@login_required
def preview(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The first passages, to be shown beside the list of documents."""
    shown = selectors.find_document(caller(request), document_id)
    with reading_as(caller(request)):
        passages = joined(list_passages(request, shown)[:PREVIEWED])
    context = {"document": shown, "passages": passages, "previewed": PREVIEWED}
    return render(request, "knowledge/_preview.html", context)


@require_POST
@login_required
def reindex(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Indexes again from the stored file: after a failure, or to take up a change."""
    shown = get_object_or_404(Document.objects.editable_by(request.user), pk=document_id)
    if shown.status == Document.Status.FAILED:
        services.retry_document(shown)
    else:
        index_again(shown)
    return _changed(request, redirect("knowledge:document", shown.pk))


@require_POST
@login_required
def delete(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """It can be taken back for a while; the page of its collection offers that."""
    shown = get_object_or_404(Document.objects.editable_by(request.user), pk=document_id)
    discarding.discard(shown)
    place = reverse("knowledge:collection", args=[shown.collection_id])
    return _changed(request, redirect(f"{place}?deleted={shown.pk}"))


def _changed(request: HttpRequest, otherwise: HttpResponse) -> HttpResponse:
    """Tells the list of documents to refresh itself; another page is sent on."""
    if "HX-Request" not in request.headers:
        return otherwise
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": "documents-changed"})


def document_context(request: HttpRequest, shown: Document) -> dict[str, Any]:
    failed = newest_failed(caller(request), shown)
    return {
        "failed_version": failed,
        "failed_reason": in_words(failed.reason) if failed else "",
        "document": shown,
        "row": describe(shown),
        "may_edit": Document.objects.editable_by(request.user).filter(pk=shown.pk).exists(),
        "may_share": Document.objects.owned_by(request.user).filter(pk=shown.pk).exists(),
    }


def joined(rows: Iterable[Chunk]) -> list[Chunk]:
    """Each with its text as it is read: `shown`."""
    passages = list(rows)
    for passage, text in zip(passages, read_on(passages), strict=True):
        passage.shown = text  # type: ignore[attr-defined]
    return passages


def list_passages(request: HttpRequest, shown: Document) -> Any:
    rows = Chunk.objects.visible_to(request.user).filter(document=shown).order_by("position")
    return rows.only(
        "position", "heading_path", "start", "end", "page", "line", "text", "document_id"
    )
