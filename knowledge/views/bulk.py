"""Several documents of a collection at once."""

import json
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from knowledge import services
from knowledge.models import Collection, Document

MOST = 500  # documents of one request


class BulkForm(forms.Form):
    action = forms.ChoiceField(choices=[("reindex", ""), ("delete", "")])
    document = forms.TypedMultipleChoiceField(coerce=UUID)

    def __init__(self, data: object, ids: list[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["document"].choices = [(pk, "") for pk in ids]  # type: ignore[attr-defined]


@require_POST
@login_required
def change(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Indexes or deletes those of the chosen documents that are in the collection.

    Ids of other documents do nothing: whoever else deletes one meanwhile is no error.
    """
    editable = Collection.objects.editable_by(request.user)
    collection = get_object_or_404(editable, pk=collection_id)
    ids = request.POST.getlist("document")[:MOST]
    form = BulkForm(request.POST, ids)
    if not form.is_valid():
        return HttpResponseBadRequest()
    found = Document.objects.filter(collection=collection, pk__in=form.cleaned_data["document"])
    text = _act(form.cleaned_data["action"], list(found))
    if "HX-Request" not in request.headers:
        messages.success(request, text)
        return redirect("knowledge:collection", collection.pk)
    told = json.dumps({"documents-changed": "", "bulk-done": text})
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": told})


def _act(action: str, documents: list[Document]) -> str:
    count = len(documents)
    if action == "delete":
        for document in documents:
            services.delete_document(document)
        return ngettext("%d document is deleted.", "%d documents are deleted.", count) % (count,)
    for document in documents:
        services.reindex_document(document)
    return ngettext(
        "%d document is being indexed again.", "%d documents are being indexed again.", count
    ) % (count,)
