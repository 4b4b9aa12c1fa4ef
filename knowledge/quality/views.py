"""Pages of a collection's golden questions: how it does, the questions, and each run."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.callers import caller
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from knowledge.models import Collection, GoldenQuestion
from knowledge.quality import importing, proposing, running, scheduling, selectors, services
from knowledge.quality.charts import trend_of
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.forms import (
    PlanForm,
    QuestionForm,
    expectations_in,
    named_in,
    rows_of,
    with_empty,
)
from knowledge.quality.offering import find_offered, titles_of
from knowledge.views.collections import collection_context
from security.paging import InvalidCursor, paginate
from security.reading import reading_as

PAGE_SIZE = 50
SHOWN_RUNS = 12
PROPOSED = 10


@require_GET
@never_cache
@login_required
def overview(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Figures of the last run, their trend, and when it is asked."""
    context = quality_context(request, collection_id)
    user, shown = caller(request), context["collection"]
    is_told = selectors.are_runs_told(user, shown.pk)
    runs = selectors.list_runs(user, shown.pk)
    done = [run for run in runs if run.state == running.State.DONE]
    under_way = running.open_run(shown) if is_told else None
    context |= {
        "is_told": is_told,
        "runs": runs[:SHOWN_RUNS],
        "last": done[0] if done else None,
        "changes": running.changes_of(done[0]) if done else {},
        "trend": trend_of(runs),
        "open": under_way,
        "work": running.job_of(under_way) if under_way else None,
        "plan_form": PlanForm(instance=scheduling.plan_of(shown)),
    }
    if request.headers.get("HX-Request"):
        return render(request, "knowledge/quality/_state.html", context | {"is_update": True})
    return render(request, "knowledge/quality/overview.html", context)


@require_POST
@login_required
def ask(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Begin a run."""
    edited = _edited(request, collection_id)
    try:
        running.start_run(edited, by=caller(request))
    except QuestionRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("knowledge:quality", edited.pk)


@require_POST
@login_required
def plan(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    edited = _edited(request, collection_id)
    form = PlanForm(request.POST)
    if form.is_valid():
        wanted = form.cleaned_data
        scheduling.set_plan(
            edited, schedule=wanted["schedule"], asks_answers=wanted["asks_answers"]
        )
        messages.success(request, _("Saved."))
    return redirect("knowledge:quality", edited.pk)


@require_GET
@login_required
def run(request: HttpRequest, collection_id: UUID, quality_run_id: UUID) -> HttpResponse:
    """Each question before and after."""
    context = quality_context(request, collection_id)
    user = caller(request)
    shown = selectors.require_run(user, quality_run_id)
    if shown.collection_id != context["collection"].pk:
        raise Http404
    cursor = request.GET.get("cursor")
    try:
        rows, following = selectors.compare_run(user, shown, PAGE_SIZE, cursor)
    except InvalidCursor:
        rows, following = selectors.compare_run(user, shown, PAGE_SIZE)
    context |= {
        "run": shown,
        "rows": rows,
        "next": following,
        "changes": running.changes_of(shown),
    }
    return render(request, "knowledge/quality/run.html", context)


@require_GET
@never_cache
@login_required
def questions(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """`state` and `q` narrow the list; `cursor` goes on with it. For htmx what a model writes."""
    context = quality_context(request, collection_id)
    user, shown = caller(request), context["collection"]
    if context["may_edit"]:
        context |= {
            "proposing": proposing.open_job(shown),
            "refused": proposing.refusal_of(shown),
        }
    if request.headers.get("HX-Request"):
        told = context | {"is_update": True}
        return render(request, "knowledge/quality/_proposing.html", told)
    state, text = request.GET.get("state", ""), request.GET.get("q", "")[:200]
    rows = selectors.list_questions(user, shown.pk, state, text)
    with reading_as(user):
        try:
            page = paginate(rows, ["-id"], request.GET.get("cursor"), PAGE_SIZE)
        except InvalidCursor:
            page = paginate(rows, ["-id"], None, PAGE_SIZE)
    last = running.latest_run(shown) if selectors.are_runs_told(user, shown.pk) else None
    latest = selectors.latest_of(last, page.items)
    context |= {
        "rows": [selectors.Listed(one, latest.get(one.pk)) for one in page.items],
        "next": page.next,
        "state": state,
        "q": text,
        "states": GoldenQuestion.State.choices,
    }
    return render(request, "knowledge/quality/questions.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def add(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """`q` is searched for, so that what is right can be ticked; for htmx `text`, and that alone."""
    return _form(request, _edited(request, collection_id), None)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def question(request: HttpRequest, golden_id: UUID) -> HttpResponse:
    edited = get_object_or_404(
        GoldenQuestion.objects.editable_by(request.user).select_related("collection"), pk=golden_id
    )
    return _form(request, edited.collection, edited)


@require_POST
@login_required
def review(request: HttpRequest, golden_id: UUID) -> HttpResponse:
    """`action`: accept, decline or delete."""
    user = caller(request)
    found = get_object_or_404(GoldenQuestion.objects.editable_by(user), pk=golden_id)
    action = request.POST.get("action", "")
    if action == "delete":
        services.delete_question(user, found)
        messages.success(request, _("The question is deleted."))
    elif action in {"accept", "decline"}:
        services.review_question(user, found, is_accepted=action == "accept")
        messages.success(request, _("Accepted.") if action == "accept" else _("Declined."))
    place = redirect("knowledge:golden", found.collection_id)
    if request.POST.get("state") in GoldenQuestion.State.values:
        place["Location"] += f"?state={request.POST['state']}"
    return place


@require_http_methods(["GET", "POST"])
@login_required
def bring(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """A file is looked through first; the same content comes again to be taken."""
    edited = _edited(request, collection_id)
    user = caller(request)
    context: dict[str, Any] = {}
    if request.method == "POST":
        content = _content(request)
        try:
            lines = importing.look_through(user, edited, content)
        except QuestionRefused as refusal:
            context["refusal"] = str(refusal)
        else:
            if request.POST.get("action") == "take":
                count = importing.take(user, edited, lines)
                text = ngettext("%d question is added.", "%d questions are added.", count)
                messages.success(request, text % count)
                return redirect("knowledge:golden", edited.pk)
            good = sum(not line.problem for line in lines)
            context |= {"lines": lines, "good": good, "bad": len(lines) - good}
        context["content"] = content
    return render(
        request, "knowledge/quality/import.html", quality_context(request, edited.pk) | context
    )


@require_POST
@login_required
def propose(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    edited = _edited(request, collection_id)
    try:
        proposing.start_proposing(edited, caller(request), PROPOSED)
    except QuestionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("A model writes questions now. None of them counts before you accept it.")
        )
    place = redirect("knowledge:golden", edited.pk)
    place["Location"] += "?state=proposed"
    return place


def quality_context(request: HttpRequest, collection_id: UUID) -> dict[str, Any]:
    """What every page of the tab shows; raises Http404."""
    context = collection_context(request, collection_id)
    counts = selectors.count_states(caller(request), collection_id)
    return context | {"counts": counts, "is_quality": True}


def _edited(request: HttpRequest, collection_id: UUID) -> Collection:
    found: Collection = get_object_or_404(
        Collection.objects.editable_by(request.user).select_related("owner"), pk=collection_id
    )
    return found


def _form(
    request: HttpRequest, collection: Collection, edited: GoldenQuestion | None
) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(
            request, "knowledge/quality/_found.html", _searched(request, collection, edited)
        )
    first: dict[str, Any] = {"text": request.GET.get("q", "")}
    if edited is not None:
        first = {
            "text": request.GET.get("q") or edited.text,
            "must_find_nothing": edited.must_find_nothing,
            "note": edited.note,
        }
    form = QuestionForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, collection, edited, form)
        except QuestionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect("knowledge:golden", collection.pk)
    stored = rows_of(edited.expected.select_related("document")) if edited else []
    rows = named_in(request.POST) if request.method == "POST" else stored
    context = quality_context(request, collection.pk) | {
        "form": form,
        "question": edited,
        "rows": with_empty(rows),
        "titles": titles_of(caller(request), collection),
        **_searched(request, collection, edited),
    }
    return render(request, "knowledge/quality/question.html", context)


def _save(
    request: HttpRequest,
    collection: Collection,
    edited: GoldenQuestion | None,
    form: QuestionForm,
) -> None:
    said = form.cleaned_data
    user, expected = caller(request), expectations_in(collection, request.POST)
    more = {"must_find_nothing": said["must_find_nothing"], "note": said["note"]}
    if edited is None:
        services.add_question(user, collection, said["text"], expected=expected, **more)
    else:
        services.change_question(user, edited, said["text"], expected=expected, **more)


def _searched(
    request: HttpRequest, collection: Collection, edited: GoldenQuestion | None
) -> dict[str, Any]:
    """What the question finds today; what was ticked before a refusal is ticked."""
    said = request.POST if request.method == "POST" else request.GET
    text = said.get("q") or said.get("text") or ""
    asked = " ".join(text.split())[: services.LONGEST_QUESTION] or (edited.text if edited else "")
    if not asked:
        return {}
    ticked = request.POST.getlist("passage")
    try:
        found = find_offered(caller(request), collection, asked, edited, ticked)
    except (GatewayError, EmbedderUnavailable, LabelUnmet) as error:
        return {"trouble": str(error)}
    return {"found": found, "asked": asked}


def _content(request: HttpRequest) -> str:
    """What was pasted, else the file."""
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("content", "")
    data = file.read(importing.MOST_BYTES + 1)
    return bytes(data).decode("utf-8-sig", errors="replace")
