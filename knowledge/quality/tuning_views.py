"""Pages of a collection's tuned weights and of its approved answers."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.callers import caller
from events.models import Job
from knowledge.models import ApprovedAnswer, Collection, QualityTuning
from knowledge.quality import approved, tuning
from knowledge.quality.errors import ChangeHeld, QuestionRefused
from knowledge.quality.forms import AnswerForm, expectations_in, named_in, rows_of, with_empty
from knowledge.quality.offering import titles_of
from knowledge.quality.selectors import list_approved
from knowledge.quality.views import PAGE_SIZE, quality_context
from security.paging import InvalidCursor

SHOWN_TUNINGS = 10


@require_GET
@never_cache
@login_required
def weights(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """What tuning found; `held` is the one whose application was held back."""
    edited = get_object_or_404(Collection.objects.editable_by(request.user), pk=collection_id)
    rows = QualityTuning.objects.filter(collection=edited)[:SHOWN_TUNINGS]
    under_way = [row.job_id for row in rows if row.state in tuning.OPEN]
    context = quality_context(request, edited.pk) | {
        "tunings": list(rows),
        "is_open": bool(under_way),
        "work": Job.objects.filter(pk__in=under_way).first() if under_way else None,
        "held": request.GET.get("held", ""),
        "fewest": tuning.FEWEST,
        "is_of_another_model": tuning.is_of_another_model(edited),
    }
    if request.headers.get("HX-Request"):
        return render(request, "knowledge/quality/_tunings.html", context)
    return render(request, "knowledge/quality/tuning.html", context)


@require_POST
@login_required
def tune(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    edited = get_object_or_404(Collection.objects.editable_by(request.user), pk=collection_id)
    try:
        tuning.start_tuning(edited, caller(request))
    except QuestionRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("knowledge:tuning", edited.pk)


@require_POST
@login_required
def decide(request: HttpRequest, tuning_id: UUID) -> HttpResponse:
    """`action`: apply (with `force` although it loses) or revert."""
    user = caller(request)
    found = get_object_or_404(QualityTuning.objects.editable_by(user), pk=tuning_id)
    place = redirect("knowledge:tuning", found.collection_id)
    try:
        if request.POST.get("action") == "revert":
            tuning.revert_tuning(user, found)
            messages.success(request, _("The collection is searched as before."))
        else:
            tuning.apply_tuning(user, found, is_forced=request.POST.get("force") == "1")
            messages.success(request, _("The collection is searched so from now on."))
    except ChangeHeld as held:
        messages.error(request, str(held))
        place["Location"] += f"?held={found.pk}"
    except QuestionRefused as refusal:
        messages.error(request, str(refusal))
    return place


@require_GET
@login_required
def answers(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    context = quality_context(request, collection_id)
    user, shown = caller(request), context["collection"]
    try:
        found = list_approved(user, shown.pk, PAGE_SIZE, request.GET.get("cursor"))
    except InvalidCursor:
        found = list_approved(user, shown.pk, PAGE_SIZE)
    context |= {"answers": found.items, "next": found.next, "now": timezone.now()}
    return render(request, "knowledge/quality/answers.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def approve(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    edited = get_object_or_404(Collection.objects.editable_by(request.user), pk=collection_id)
    return _form(request, edited, None)


@require_http_methods(["GET", "POST"])
@login_required
def answer(request: HttpRequest, approved_id: UUID) -> HttpResponse:
    rows = ApprovedAnswer.objects.editable_by(request.user).select_related("collection")
    edited = get_object_or_404(rows, pk=approved_id)
    return _form(request, edited.collection, edited)


@require_POST
@login_required
def withdraw(request: HttpRequest, approved_id: UUID) -> HttpResponse:
    user = caller(request)
    found = get_object_or_404(ApprovedAnswer.objects.editable_by(user), pk=approved_id)
    approved.withdraw(user, found)
    messages.success(request, _("The answer is withdrawn."))
    return redirect("knowledge:approved", found.collection_id)


def _form(
    request: HttpRequest, collection: Collection, edited: ApprovedAnswer | None
) -> HttpResponse:
    is_draft = request.POST.get("action") == "draft"  # words from elsewhere, to be read first
    filled = None if is_draft else request.POST or None
    form = AnswerForm(filled, initial=_first(request, edited))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            approved.approve(
                caller(request), collection, said["question"], said["text"],
                wordings=said["wordings"].splitlines(),
                sources=expectations_in(collection, request.POST),
                expires_at=form.expires_at, answer=edited,
            )  # fmt: skip
        except QuestionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The answer is given from now on."))
            return redirect("knowledge:approved", collection.pk)
    stored = rows_of(edited.sources.select_related("document")) if edited else []
    rows = named_in(request.POST) if request.method == "POST" else stored
    context = quality_context(request, collection.pk) | {
        "form": form, "answer": edited, "rows": with_empty(rows),
        "titles": titles_of(caller(request), collection),
    }  # fmt: skip
    return render(request, "knowledge/quality/answer.html", context)


def _first(request: HttpRequest, edited: ApprovedAnswer | None) -> dict[str, Any]:
    if edited is None:
        asked = request.POST.get("question") or request.GET.get("q", "")
        return {"question": asked, "text": request.POST.get("text", "")}
    more = edited.wordings.exclude(text=edited.question).values_list("text", flat=True)
    return {
        "question": edited.question,
        "wordings": "\n".join(more),
        "text": edited.text,
        "expires": timezone.localtime(edited.expires_at).date() if edited.expires_at else None,
    }
