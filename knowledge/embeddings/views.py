"""Pages of the search index: for administrators all of it, for editors their collection's part."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.models import User
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from knowledge.embeddings import overview, versions
from knowledge.embeddings.versions import VersionRefused
from knowledge.embeddings.wording import cost_of, time_of
from knowledge.footprint import weigh
from knowledge.models import Collection, EmbeddingVersion
from knowledge.quality.errors import ChangeHeld
from knowledge.retrieval import search
from knowledge.versions import find_active_version
from knowledge.views.collections import collection_context

COMPARED = 8  # passages of each version
LONGEST_QUESTION = 500


@require_GET
@never_cache
@login_required
def search_index(request: HttpRequest) -> HttpResponse:
    """`model`: what a version of it would take. `q` with `version`: found by both, side by side.

    htmx asks for the part that changes by itself.
    """
    user = _manager(request)
    active = find_active_version()
    models = versions.list_models()
    model = request.GET.get("model", "")
    context: dict[str, Any] = {
        "shown": [_described(one) for one in overview.list_shown()],
        "active": active,
        "models": models,
        "default": versions.default_model(),
        "another": _another(model) if model in models else None,
        "question": request.GET.get("q", "")[:LONGEST_QUESTION],
        "held": request.GET.get("held", ""),
    }
    context["is_working"] = any(one["shown"].job for one in context["shown"]) or bool(
        context["another"] and context["another"]["found"].measuring
    )
    if request.headers.get("HX-Request"):
        return render(request, "knowledge/_search_index.html", context)
    context |= _comparison(request, user, active)
    return render(request, "knowledge/search_index.html", context)


@require_POST
@login_required
def act(request: HttpRequest) -> HttpResponse:
    """`action` on the version `version`, or on the model `model`."""
    user = _manager(request)
    model = request.POST.get("model", "")
    back = reverse("knowledge:search_index")
    try:
        done = _act(request.POST.get("action", ""), request, user)
    except ChangeHeld as held:
        messages.error(request, str(held))
        return redirect(f"{back}?held={request.POST['version']}")
    except VersionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    is_measuring = request.POST.get("action") == "measure"
    return redirect(f"{back}?model={model}" if is_measuring else back)


@require_GET
@login_required
def collection_index(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """How much of a collection the searched version knows, for its editors."""
    shown = get_object_or_404(Collection.objects.editable_by(request.user), pk=collection_id)
    version = find_active_version()
    vectors, passages = overview.share_of(shown.pk, version)
    context = collection_context(request, shown.pk) | {
        "version": version,
        "vectors": vectors,
        "passages": passages,
        "footprint": weigh(shown, caller(request)),
        "may_manage": versions.may_manage(request.user),
    }
    return render(request, "knowledge/collection_index.html", context)


def _manager(request: HttpRequest) -> User:
    user = caller(request)
    if not versions.may_manage(user):
        raise Http404
    return user


def _act(action: str, request: HttpRequest, user: User) -> str:
    model = request.POST.get("model", "")
    match action:
        case "begin":
            versions.begin(model, request.POST.get("storage", ""), user)
            return _("The new version is being filled. Search goes on as before.")
        case "measure":
            versions.measure(model, user)
            return _("The storages are being measured.")
        case "search":
            is_forced = request.POST.get("force") == "1"
            version = versions.choose(_version(request).pk, user, is_forced=is_forced)
            return _("Questions are searched by %s now.") % version
        case "fill":
            versions.go_on(_version(request), user)
            return _("It is being filled.")
        case "pause":
            versions.pause(_version(request))
            return _("Filling stops; what is filled stays.")
        case "drop":
            versions.drop(_version(request).pk, user)
            return _("The version is being dropped.")
    raise Http404


def _version(request: HttpRequest) -> EmbeddingVersion:
    number = request.POST.get("version", "")
    if not (number.isascii() and number.isdigit() and len(number) < 5):
        raise Http404
    return get_object_or_404(EmbeddingVersion, pk=int(number))


def _described(shown: overview.Shown) -> dict[str, Any]:
    rest = shown.rest
    return {
        "shown": shown,
        "version": shown.version,
        "cost": cost_of(rest) if rest else "",
        "time": time_of(rest) if rest else "",
    }


def _another(model: str) -> dict[str, Any]:
    found = overview.look_at(model)
    return {
        "found": found,
        "cost": cost_of(found.estimate),
        "time": time_of(found.estimate),
        "chosen": next((c.storage for c in _open(found) if c.storage == "half"), None)
        or next((c.storage for c in _open(found)), None),
    }


def _open(found: overview.Another) -> list[overview.Choice]:
    return [choice for choice in found.choices if choice.storage not in found.taken]


def _comparison(request: HttpRequest, user: User, active: EmbeddingVersion) -> dict[str, Any]:
    """What a question finds by the searched version and by another, marked where both find it."""
    question = request.GET.get("q", "").strip()[:LONGEST_QUESTION]
    number = request.GET.get("version", "")
    if not question or not (number.isascii() and number.isdigit() and len(number) < 5):
        return {}
    other = EmbeddingVersion.objects.filter(pk=int(number)).first()
    if other is None or other.state == EmbeddingVersion.State.DROPPING:
        return {}
    try:
        found = [search(user, question, limit=COMPARED, version=one) for one in (active, other)]
    except (GatewayError, EmbedderUnavailable, LabelUnmet) as error:
        messages.error(request, str(error))
        return {}
    both = {p.chunk_id for p in found[0].passages} & {p.chunk_id for p in found[1].passages}
    columns = [
        (version, [(passage, passage.chunk_id in both) for passage in result.passages], result)
        for version, result in zip((active, other), found, strict=True)
    ]
    return {"columns": columns, "in_both": len(both), "compared": other.pk}
