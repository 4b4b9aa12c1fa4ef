"""Several documents of a collection at once."""

import json
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.callers import caller
from knowledge.bulk import MOST, Action, act, describe
from knowledge.models import Collection


class BulkForm(forms.Form):
    action = forms.TypedChoiceField(choices=[(one, "") for one in Action], coerce=Action)
    document = forms.TypedMultipleChoiceField(coerce=UUID)

    def __init__(self, data: object, ids: list[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["document"].choices = [(pk, "") for pk in ids]  # type: ignore[attr-defined]


@require_POST
@login_required
def change(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Indexes, deletes or takes back those of the chosen documents that are in the collection."""
    editable = Collection.objects.editable_by(request.user)
    collection = get_object_or_404(editable, pk=collection_id)
    ids = request.POST.getlist("document")[:MOST]
    form = BulkForm(request.POST, ids)
    if not form.is_valid():
        return HttpResponseBadRequest()
    action = form.cleaned_data["action"]
    done = act(caller(request), collection, action, form.cleaned_data["document"])
    text = describe(action, len(done))
    if "HX-Request" not in request.headers:
        messages.success(request, text)
        return redirect("knowledge:collection", collection.pk)
    undo = [str(pk) for pk in done] if action is Action.DELETE else []
    told = json.dumps({"documents-changed": "", "bulk-done": {"text": text, "undo": undo}})
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": told})
