"""Several documents of a collection at once."""

import json
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.callers import caller
from knowledge.bulk import MOST, UNDONE_BY, Action, act, describe
from knowledge.models import Collection


class BulkForm(forms.Form):
    action = forms.TypedChoiceField(choices=[(one, "") for one in Action], coerce=Action)
    document = forms.TypedMultipleChoiceField(coerce=UUID)
    target = forms.ModelChoiceField(queryset=Collection.objects.none(), required=False)

    def __init__(self, data: object, ids: list[str], targets: object) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["target"].queryset = targets  # type: ignore[attr-defined]
        self.fields["document"].choices = [(pk, "") for pk in ids]  # type: ignore[attr-defined]


@require_POST
@login_required
def change(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Does one thing to those of the chosen documents that are in the collection."""
    editable = Collection.objects.editable_by(request.user)
    collection = get_object_or_404(editable, pk=collection_id)
    ids = request.POST.getlist("document")[:MOST]
    form = BulkForm(request.POST, ids, editable)
    if not form.is_valid():
        return HttpResponseBadRequest()
    action, target = form.cleaned_data["action"], form.cleaned_data["target"]
    if action is Action.MOVE and target is None:
        return HttpResponseBadRequest()
    done = act(caller(request), collection, action, form.cleaned_data["document"], target)
    text = describe(action, len(done))
    if "HX-Request" not in request.headers:
        messages.success(request, text)
        return redirect("knowledge:collection", collection.pk)
    told = {"text": text, "undo": _undo(collection, action, target, done)}
    triggers = json.dumps({"documents-changed": "", "bulk-done": told})
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": triggers})


def _undo(
    collection: Collection, action: Action, target: Collection | None, done: list[UUID]
) -> dict[str, object] | None:
    """The request that takes it back."""
    if action not in UNDONE_BY or not done:
        return None
    where = target if action is Action.MOVE and target is not None else collection
    return {
        "url": reverse("knowledge:bulk", args=[where.pk]),
        "values": {
            "action": UNDONE_BY[action],
            "document": [str(pk) for pk in done],
            "target": str(collection.pk) if action is Action.MOVE else "",
        },
    }
