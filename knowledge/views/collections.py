"""Knowledge home and the pages of one collection: documents, settings."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.callers import caller
from accounts.models import Grant
from knowledge import canaries, selectors, services
from knowledge.curation.documents import find_twins, list_wanted
from knowledge.document_access.selectors import list_shared
from knowledge.document_versions.history import find_failures
from knowledge.file_types import ENDINGS_SHOWN, FILE_TYPES
from knowledge.forms import (
    CollectionForm,
    DeleteCollectionForm,
    DocumentFilter,
    OwnedCollectionForm,
)
from knowledge.job_card import find_card
from knowledge.matching.orders import find_open
from knowledge.models import Collection, Document, Source
from knowledge.overview import list_cards
from knowledge.rows import describe, in_words
from knowledge.sources.selectors import list_troubled
from security.paging import InvalidCursor

PAGE_SIZE = 50
MAX_TARGETS = 300
MAX_REFRESHED = 200  # rows redrawn by one poll


@require_http_methods(["GET", "POST"])
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The collections a person may see; a POST makes a new one."""
    form = CollectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = services.create_collection(
            caller(request),
            form.cleaned_data["name"],
            description=form.cleaned_data["description"],
        )
        return redirect("knowledge:collection", made.pk)
    user = caller(request)
    context = {
        "cards": list_cards(user),
        "has_shared": list_shared(user).exists(),
        "form": form,
    }
    return render(request, "knowledge/home.html", context)


@require_GET
@login_required
def collection(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    context = collection_context(request, collection_id)
    shown = context["collection"]
    context |= {
        **_job_card(request, shown),
        "max_megabytes": settings.PARLEY_MAX_UPLOAD_MB,
        "endings_shown": ENDINGS_SHOWN,
        "endings": ",".join(ending for kind in FILE_TYPES for ending in kind.endings if ending),
        **_listed(request, shown, may_edit=context["may_edit"]),
        "targets": _targets(request, shown) if context["may_edit"] else [],
        "troubled": _troubled(request, shown) if context["may_edit"] else [],
        "standing": find_open(caller(request), shown) if context["may_edit"] else None,
    }
    return render(request, "knowledge/collection.html", context)


@require_GET
@login_required
def documents(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Rows of the documents table: the first page of a filter, or the page after a cursor."""
    context = collection_context(request, collection_id)
    context |= _listed(request, context["collection"], may_edit=context["may_edit"])
    return render(request, "knowledge/_documents.html", context)


@require_GET
@login_required
def progress(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """The job card, with the rows that were in work when the page last heard of them."""
    context = collection_context(request, collection_id)
    told = _job_card(request, context["collection"])
    state = told["progress"]
    watched = [value for value in request.GET.getlist("active") if _is_uuid(value)][:MAX_REFRESHED]
    rows = selectors.list_documents(caller(request), collection_id).filter(pk__in=watched)
    context |= {**told, "rows": [describe(row) for row in rows], "is_update": True}
    response = render(request, "knowledge/_progress.html", context)
    is_held = any(row.status == Document.Status.PAUSED for row in rows)
    if watched and not state.is_active and not is_held:
        failed = sum(row.status == Document.Status.FAILED for row in rows)
        response["HX-Trigger"] = json.dumps({"indexing-finished": _finished_text(failed)})
    return response


@require_http_methods(["GET", "POST"])
@login_required
def collection_settings(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    editable = Collection.objects.editable_by(request.user)
    edited = get_object_or_404(editable, pk=collection_id)
    is_owned = Collection.objects.owned_by(request.user).filter(pk=edited.pk).exists()
    form = (OwnedCollectionForm if is_owned else CollectionForm)(
        request.POST or None, instance=edited
    )
    if request.method == "POST" and form.is_valid():
        services.update_collection(
            Collection.objects.get(pk=edited.pk),
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            labels=form.cleaned_data.get("required_labels"),
        )
        messages.success(request, _("Saved."))
        return redirect("knowledge:settings", edited.pk)
    context = collection_context(request, collection_id)
    context |= {"form": form, "delete_form": DeleteCollectionForm(context["collection"])}
    return render(request, "knowledge/settings.html", context)


@require_POST
@login_required
def plant_canary(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """The alarm of a collection, for whoever looks after it."""
    user = caller(request)
    edited = get_object_or_404(Collection.objects.editable_by(user), pk=collection_id)
    canaries.plant(edited, user, is_planted=request.POST.get("planted") == "yes")
    messages.success(request, _("Saved."))
    return redirect("knowledge:settings", edited.pk)


@require_POST
@login_required
def delete_collection(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Deletes when the typed name is right; only its owners may."""
    owned = get_object_or_404(Collection.objects.owned_by(request.user), pk=collection_id)
    form = DeleteCollectionForm(owned, request.POST)
    if form.is_valid():
        services.delete_collection(owned)
        messages.success(request, _("“%s” is deleted.") % owned.name)
        return redirect("knowledge:home")
    context = collection_context(request, collection_id)
    context |= {"form": OwnedCollectionForm(instance=owned), "delete_form": form}
    return render(request, "knowledge/settings.html", context)


def collection_context(request: HttpRequest, collection_id: UUID) -> dict[str, Any]:
    """What every page of a collection shows; raises Http404 for one that is not visible."""
    shown: Any = selectors.find_collection(caller(request), collection_id)
    return {
        "collection": shown,
        "may_edit": shown.role in {Grant.Role.EDITOR, Grant.Role.OWNER},
        "may_share": shown.role == Grant.Role.OWNER,
    }


def _listed(request: HttpRequest, shown: Collection, *, may_edit: bool = False) -> dict[str, Any]:
    form = DocumentFilter(request.GET, may_edit=may_edit)
    wanted = form.to_wanted()
    cursor = form.cleaned_data.get("cursor", "")
    user = caller(request)
    try:
        page = list_wanted(user, shown.pk, wanted, cursor, PAGE_SIZE)
    except InvalidCursor:  # of another order
        page = list_wanted(user, shown.pk, wanted, None, PAGE_SIZE)
    twins = find_twins(user, shown.pk, page.items) if wanted.list == "duplicates" else {}
    failures = find_failures(user, page.items) if may_edit else {}
    sources = shown.sources.exclude(kind=Source.Kind.UPLOAD).order_by("name") if may_edit else []
    return {
        "rows": [
            replace(
                describe(row), twin=twins.get(row.pk), failure=in_words(failures.get(row.pk, ""))
            )
            for row in page.items
        ],
        "next": page.next,
        "filter": form,
        "sources": sources,
        "stale_days": settings.PARLEY_STALE_DAYS,
        "is_filtered": wanted.is_narrow,
        "is_first_page": not cursor,
    }


def _job_card(request: HttpRequest, shown: Collection) -> dict[str, Any]:
    """What runs, waits, is paused, and went wrong."""
    card = find_card(shown, caller(request))
    problems = [replace(one, reason=in_words(one.reason)) for one in card.problems]
    return {"card": card, "progress": card.run, "problems": problems}


def _troubled(request: HttpRequest, shown: Collection) -> list[Any]:
    """Its sources that are not in step, and why."""
    found = list_troubled(caller(request), shown.pk)
    for source in found:
        source.reason_shown = in_words(source.reason or "")
    return found


def _targets(request: HttpRequest, shown: Collection) -> Any:
    """Where its documents can be moved."""
    editable = Collection.objects.editable_by(request.user).exclude(pk=shown.pk)
    return editable.order_by("name", "pk").only("name")[:MAX_TARGETS]


def _finished_text(failed: int) -> str:
    if not failed:
        return _("Indexing is finished.")
    return ngettext(
        "Indexing is finished; %d document needs attention.",
        "Indexing is finished; %d documents need attention.",
        failed,
    ) % (failed,)


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
