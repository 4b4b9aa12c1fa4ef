"""The page of a collection's enrichment."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from knowledge.embeddings.wording import cost_of, time_of
from knowledge.enrichment import services
from knowledge.enrichment.asking import EnrichmentFailed
from knowledge.enrichment.estimates import estimate
from knowledge.enrichment.services import EnrichmentRefused
from knowledge.models import Collection
from knowledge.rows import in_words
from knowledge.views.collections import collection_context


@require_GET
@never_cache
@login_required
def enrichment(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """`model`: what it would take with that one, which comes before the button that begins. For
    htmx the first part alone."""
    collection = get_object_or_404(Collection.objects.editable_by(request.user), pk=collection_id)
    models = services.list_models()
    asked = request.GET.get("model", "")
    state = services.find_state(collection)
    context: dict[str, Any] = collection_context(request, collection.pk) | {
        "state": state,
        "reason": in_words(state.reason),
        "missing": state.documents - state.enriched,
        "models": models,
        "asked": asked if asked in models else "",
        "is_setting": True,
    }
    if request.headers.get("HX-Request"):
        return render(request, "knowledge/_enrichment_state.html", context)
    wanted = context["asked"] or (state.model if context["missing"] else "")
    if wanted:
        context |= _told(collection, wanted)
    return render(request, "knowledge/enrichment.html", context)


@require_POST
@login_required
def switch(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """`action`: on (with `model`; for what is missing once more), off."""
    user = caller(request)
    collection = get_object_or_404(Collection.objects.editable_by(user), pk=collection_id)
    match request.POST.get("action"):
        case "on":
            try:
                services.switch_on(user, collection, request.POST.get("model", ""))
            except EnrichmentRefused as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, _("The documents are being enriched."))
        case "off":
            services.switch_off(user, collection)
            messages.success(request, _("Enrichment is off."))
        case _:
            return HttpResponseBadRequest()
    return redirect("knowledge:enrichment", collection.pk)


def _told(collection: Collection, model: str) -> dict[str, Any]:
    try:
        found = estimate(collection, model)
    except EnrichmentFailed as failure:
        return {"unable": in_words(str(failure))}
    return {"found": found, "cost": cost_of(found.in_short), "time": time_of(found.in_short)}
