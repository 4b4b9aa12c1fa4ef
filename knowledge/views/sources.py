"""The sources of a collection, one of them, and what can be asked of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.callers import caller
from accounts.limits import spend_for
from accounts.models import User
from knowledge.models import Collection, Source, SyncRun
from knowledge.sources import kinds, selectors, services
from knowledge.sources.forms import FORMS, SourceForm
from knowledge.sources.services import SourceRefused
from knowledge.sources.settings import place_of
from knowledge.sources.standing import standing_of
from knowledge.views.collections import collection_context
from security.rate_limits import Action
from security.reading import reading_as

SHOWN_RUNS = 20
SHOWN_ITEMS = 50
ICONS = {
    Source.Kind.FOLDER: "folder", Source.Kind.GIT: "git-branch", Source.Kind.WEB: "globe",
    Source.Kind.FEED: "bell", Source.Kind.S3: "archive", Source.Kind.API: "plug",
}  # fmt: skip
STARTING = frozenset({"preview", "sync", "full", "deleted"})
MOVING = (SyncRun.Status.QUEUED, SyncRun.Status.RUNNING)
ABOUT = {
    Source.Kind.WEB: gettext_noop("A page, a site by its links, or what its sitemap lists."),
    Source.Kind.GIT: gettext_noop("The files of a branch, commit by commit."),
    Source.Kind.FEED: gettext_noop("News in RSS or Atom, entry by entry."),
    Source.Kind.S3: gettext_noop("Objects of a bucket, at Amazon or of a server of your own."),
    Source.Kind.API: gettext_noop("Whatever pushes its items through the API."),
    Source.Kind.FOLDER: gettext_noop("What lies in a folder of this server."),
}


@require_GET
@login_required
def sources(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """The sources of a collection, for those who may edit it."""
    context = _frame(request, collection_id)
    cards = selectors.list_cards(caller(request), collection_id)
    offered = kinds.offered(to_staff=caller(request).is_staff)
    context |= {
        "sources": [_shown(source) for source in cards],
        "kinds": [(kind, kind.label, ICONS[kind], _(ABOUT[kind])) for kind in offered],
    }
    return render(request, "knowledge/sources.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def add(request: HttpRequest, collection_id: UUID, kind: str) -> HttpResponse:
    """Adds a source and looks at once what it would bring."""
    context = _frame(request, collection_id)
    user = caller(request)
    if kind not in kinds.offered(to_staff=user.is_staff):
        raise Http404
    form = FORMS[kind](request.POST or None)
    if request.method == "POST" and form.is_valid():
        collection = get_object_or_404(Collection.objects.editable_by(user), pk=collection_id)
        values = form.cleaned_data
        try:
            made = services.create_source(
                user, collection, kind, values["name"], form.settings,
                secret=values.get("secret", ""), grace_days=values["grace_days"],
                schedule=values.get("schedule", Source.Schedule.MANUAL),
            )  # fmt: skip
        except SourceRefused as refusal:
            _blame(form, refusal)
        else:
            if kinds.has_walk(made):
                spend_for(request, Action.SYNCS)
                services.start_sync(made, user, is_preview=True)
            return redirect("knowledge:source", made.pk)
    context |= {"form": form, "kind": Source.Kind(kind), "icon": ICONS[Source.Kind(kind)]}
    return render(request, "knowledge/source_form.html", context)


@require_GET
@login_required
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    return render(request, "knowledge/source.html", _one(request, source_id))


@require_GET
@login_required
def progress(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """The visit under way; the whole page anew when it has ended."""
    context = _one(request, source_id)
    response = render(request, "knowledge/_source_run.html", context)
    if context["run"] is None or context["run"].status not in MOVING:
        response["HX-Refresh"] = "true"
    return response


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, source_id: UUID) -> HttpResponse:
    user = caller(request)
    edited: Source = selectors.find_source(user, source_id)
    stored = {"name": edited.name, "schedule": edited.schedule, "grace_days": edited.grace_days}
    form = FORMS[edited.kind](request.POST or None, initial=stored | edited.settings)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            services.update_source(
                user, edited, name=values["name"], settings={**edited.settings, **form.settings},
                secret=values.get("secret") or None, schedule=values.get("schedule"),
                grace_days=values["grace_days"],
            )  # fmt: skip
        except SourceRefused as refusal:
            _blame(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("knowledge:source", edited.pk)
    context = _frame(request, edited.collection_id) | {
        "form": form, "source": edited, "kind": Source.Kind(edited.kind),
        "icon": ICONS[Source.Kind(edited.kind)],
    }  # fmt: skip
    return render(request, "knowledge/source_form.html", context)


@require_POST
@login_required
def act(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Preview, sync, pause, resume or cancel; what cannot be is said on the page."""
    user = caller(request)
    found: Source = selectors.find_source(user, source_id)
    action = request.POST.get("action", "")
    if action in STARTING:
        spend_for(request, Action.SYNCS)
    try:
        match action:
            case "preview":
                services.start_sync(found, user, is_preview=True)
            case "sync":
                services.start_sync(found, user)
            case "full":
                services.start_sync(found, user, is_full=True)
            case "deleted":
                services.start_sync(found, user, with_deleted=True)
            case "pause":
                services.pause(found)
            case "resume":
                services.resume(found)
            case "cancel":
                services.cancel(found)
            case _:
                raise Http404
    except SourceRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("knowledge:source", found.pk)


@require_POST
@login_required
def delete(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Deletes the source; its documents stay unless it is said that they go."""
    found: Source = selectors.find_source(caller(request), source_id)
    services.delete_source(found, keeps_documents=request.POST.get("documents") != "remove")
    messages.success(request, _("“%s” is deleted.") % found.name)
    return redirect("knowledge:sources", found.collection_id)


def _frame(request: HttpRequest, collection_id: UUID) -> dict[str, Any]:
    context = collection_context(request, collection_id)
    if not context["may_edit"]:
        raise Http404
    return context | {"is_source": True}


def _one(request: HttpRequest, source_id: UUID) -> dict[str, Any]:
    user = caller(request)
    found = _shown(selectors.find_source(user, source_id))
    with reading_as(user):
        runs: list[Any] = list(selectors.list_runs(user, source_id).order_by("-id")[:SHOWN_RUNS])
        failed = selectors.list_items(user, source_id, "failed").order_by("-updated_at")
        failing: list[Any] = list(failed[:SHOWN_ITEMS])
        missing: list[Any] = list(selectors.list_items(user, source_id, "missing")[:SHOWN_ITEMS])
        deleted: list[Any] = list(selectors.list_items(user, source_id, "left_out")[:SHOWN_ITEMS])
    # People's names are no part of what the second lock lets through.
    people = User.objects.in_bulk([run.started_by_id for run in runs if run.started_by_id])
    for run in runs:
        run.starter = people.get(run.started_by_id)
        run.reason_shown = _(run.reason) if run.reason else ""
        run.entries = [
            {"item": entry["item"], "reason": _(entry["reason"]) if entry["reason"] else ""}
            for entry in run.sample
        ]
    for item in failing:
        item.reason_shown = _(item.reason)
    last: Any = runs[0] if runs else None
    return _frame(request, found.collection_id) | {
        "source": found,
        "run": last if last is not None and last.is_open else None,
        "is_moving": last is not None and last.status in MOVING,
        "preview": last if last is not None and last.is_preview and not last.is_open else None,
        "runs": [run for run in runs if not run.is_preview and not run.is_open],
        "failing": failing,
        "missing": missing,
        "deleted": deleted,
        "has_walk": kinds.has_walk(found),
    }


def _shown(found: Any) -> Any:
    found.place = place_of(found.kind, found.settings)
    found.icon = ICONS[Source.Kind(found.kind)]
    found.last_run = next(iter(found.last_runs), None)
    found.last_visit = next(iter(found.last_visits), None)
    found.standing = standing_of(found, found.last_run, found.last_visit)
    return found


def _blame(form: SourceForm, refusal: SourceRefused) -> None:
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
