"""One thing done to all documents that a filter lists: how many, begin, progress, stop, undo."""

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.callers import caller
from events.models import Job
from knowledge.bulk import describe
from knowledge.forms import DocumentFilter, MatchingForm
from knowledge.matching import orders
from knowledge.matching.orders import Standing
from knowledge.matching.walking import count
from knowledge.models import Collection
from knowledge.rows import in_words


@require_http_methods(["GET", "POST"])
@login_required
def matching(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """How many match, or the beginning of doing something to them."""
    user, collection = caller(request), _editable(request, collection_id)
    if request.method == "GET":
        filters = DocumentFilter(request.GET, may_edit=True)
        if not filters.is_valid():
            return HttpResponseBadRequest()
        return JsonResponse({"count": count(user, collection.pk, filters.to_wanted())})
    form = MatchingForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    action, target = form.cleaned_data["action"], form.cleaned_data["target"]
    job = orders.start(user, collection, action, form.to_wanted(), target)
    return _shown(request, collection, orders.standing_of(job))


@require_http_methods(["GET", "POST"])
@login_required
def one(request: HttpRequest, collection_id: UUID, job_id: UUID) -> HttpResponse:
    """How far it is; a POST stops it, or takes it back."""
    user, collection = caller(request), _editable(request, collection_id)
    if request.method == "POST" and request.POST.get("act") == "undo":
        undoing = orders.undo(user, collection, job_id)
        return _shown(request, collection, orders.standing_of(undoing))
    if request.method == "POST":
        orders.stop(user, collection, job_id)
    return _shown(request, collection, orders.find(user, collection, job_id))


def _shown(request: HttpRequest, collection: Collection, standing: Standing) -> HttpResponse:
    response = render(
        request, "knowledge/_matching.html", {"collection": collection, "standing": standing}
    )
    if not standing.is_open:
        told: dict[str, Any] = {"text": _ended(standing), "undo": _undo(collection, standing)}
        response["HX-Trigger"] = json.dumps({"documents-changed": "", "bulk-done": told})
    return response


def _ended(standing: Standing) -> str:
    text = describe(standing.action, standing.changed)
    is_failed = standing.job.status == Job.Status.FAILED
    return f"{text} {in_words(standing.job.reason)}" if is_failed else text


def _undo(collection: Collection, standing: Standing) -> dict[str, Any] | None:
    """The request that takes it back; its answer shows how far that is."""
    if not standing.can_be_undone:
        return None
    url = reverse("knowledge:matching_one", args=[collection.pk, standing.job.pk])
    return {"url": url, "values": {"act": "undo"}, "is_long": True}


def _editable(request: HttpRequest, collection_id: UUID) -> Collection:
    editable = Collection.objects.editable_by(request.user)
    found: Collection = get_object_or_404(editable, pk=collection_id)
    return found
