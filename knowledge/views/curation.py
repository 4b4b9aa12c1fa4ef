"""The passages of a document for those who look after it: shown whole, and edited."""

import json
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from gateway.errors import BudgetExhausted
from knowledge.curation import editing
from knowledge.curation.errors import EditConflict, EditRefused
from knowledge.curation.listing import Curated, Curation, find_curated, read_window
from knowledge.curation.requests import Asked, carry_out
from knowledge.models import Document, DocumentEnrichment, PassageEdit
from knowledge.rows import describe

SHOWN = 40
SAID = {
    "correct": gettext_lazy("The passage is corrected."),
    "split": gettext_lazy("The passage is split."),
    "merge": gettext_lazy("The two passages are one."),
    "exclude": gettext_lazy("The passage is excluded: nothing finds it any more."),
    "add": gettext_lazy("The passage is added."),
}


class EditForm(forms.Form):
    kind = forms.ChoiceField(choices=PassageEdit.Kind.choices)
    passage = forms.UUIDField(required=False)
    next = forms.UUIDField(required=False)
    at = forms.IntegerField(required=False, min_value=0, max_value=10**9)
    text = forms.CharField(required=False, strip=False)


@require_GET
@login_required
def curation(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Only for those who may edit the collection; to anybody else it is not there."""
    user = caller(request)
    document = find_curated(user, document_id)
    if document.collection.is_shelf:
        raise Http404
    window = read_window(user, document, _first(request), SHOWN)
    about = DocumentEnrichment.objects.visible_to(user).filter(document=document).first()
    shown = {"document": document, "row": describe(document)}
    context = shown | {"curation": window, "about": about if _is_enriched(window) else None}
    template = "_curation" if "HX-Request" in request.headers else "curation"
    return render(request, f"knowledge/{template}.html", context)


def _is_enriched(window: Curation) -> bool:
    """What was written is kept, but not searched, where that is switched off."""
    return any(isinstance(row, Curated) and row.chunk.context for row in window.rows)


@require_POST
@login_required
def edit(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Makes one edit; the answer is what was done or why not, and the page asks for its list."""
    user = caller(request)
    document = get_object_or_404(Document.objects.editable_by(user), pk=document_id)
    form = EditForm(request.POST)
    if not form.is_valid():
        return _refused(_("This could not be done. Load the page again and try once more."))
    try:
        made = carry_out(user, document, Asked(**form.cleaned_data))
    except (EditConflict, EditRefused) as error:
        return _refused(_(str(error)), is_late=isinstance(error, EditConflict))
    except BudgetExhausted as error:
        return _refused(error.detail)
    return _done(str(SAID[made.kind]), made)


@require_POST
@login_required
def undo(request: HttpRequest, edit_id: UUID) -> HttpResponse:
    """Takes one edit back, or puts one aside that could not be re-applied."""
    user = caller(request)
    made = get_object_or_404(PassageEdit.objects.editable_by(user), pk=edit_id)
    is_lost = made.state == PassageEdit.State.LOST
    try:
        editing.undo(user, made)
    except (EditConflict, EditRefused) as error:
        return _refused(_(str(error)), is_late=isinstance(error, EditConflict))
    except BudgetExhausted as error:
        return _refused(error.detail)
    return _done(_("The edit is put aside.") if is_lost else _("The edit is undone."))


def _done(text: str, made: PassageEdit | None = None) -> HttpResponse:
    told = {"text": text, "undo": reverse("knowledge:undo_edit", args=[made.pk]) if made else ""}
    headers = {"HX-Trigger": json.dumps({"passages-changed": told})}
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=headers)


def _refused(text: str, *, is_late: bool = False) -> HttpResponse:
    told = {"text": text, "late": is_late}
    headers = {"HX-Trigger": json.dumps({"edit-refused": told})}
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=headers)


def _first(request: HttpRequest) -> int:
    value = request.GET.get("from", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else 0
