"""Orders about indexing, from the page of a collection or of a document."""

import json
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from knowledge.bulk import MOST
from knowledge.control import Order, describe, give
from knowledge.models import Collection, Document


class OrderForm(forms.Form):
    order = forms.TypedChoiceField(choices=[(one, "") for one in Order], coerce=Order)
    document = forms.TypedMultipleChoiceField(coerce=UUID, required=False)

    def __init__(self, data: object, ids: list[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["document"].choices = [(pk, "") for pk in ids]  # type: ignore[attr-defined]


@require_POST
@login_required
def order(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """For the chosen documents that are in the collection; for all of it where none is chosen."""
    editable = Collection.objects.editable_by(request.user)
    collection = get_object_or_404(editable, pk=collection_id)
    ids = request.POST.getlist("document")[:MOST]
    form = OrderForm(request.POST, ids)
    if not form.is_valid():
        return HttpResponseBadRequest()
    given = form.cleaned_data["order"]
    text = describe(given, give(collection, given, form.cleaned_data["document"] or None))
    if "HX-Request" not in request.headers:
        messages.success(request, text)
        return redirect("knowledge:collection", collection.pk)
    told = json.dumps({"documents-changed": "", "bulk-done": {"text": text, "undo": None}})
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": told})


@require_POST
@login_required
def order_one(request: HttpRequest, document_id: UUID) -> HttpResponse:
    editable = Document.objects.editable_by(request.user).select_related("collection")
    shown = get_object_or_404(editable, pk=document_id)
    form = OrderForm(request.POST, [])
    if not form.is_valid():
        return HttpResponseBadRequest()
    give(shown.collection, form.cleaned_data["order"], [shown.pk])
    return redirect("knowledge:document", shown.pk)
