"""A collection through the eyes of somebody who has access to it; only its owners look."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.callers import caller
from accounts.limits import spend_for
from accounts.models import User
from knowledge import viewers
from knowledge.forms import ViewerForm
from knowledge.models import Collection, Document
from knowledge.rows import describe
from knowledge.views.collections import collection_context
from knowledge.views.search import describe_hits
from security.paging import InvalidCursor, Page, paginate
from security.rate_limits import Action
from security.reading import reading_as

PAGE_SIZE = 50
SHOWN = 20
LONGEST = 2000


@require_http_methods(["GET", "POST"])
@login_required
def view_as(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """Which documents and hits `as` (an id, or `nobody`) gets here; a POST finds an address."""
    owner = caller(request)
    shown = get_object_or_404(Collection.objects.owned_by(owner), pk=collection_id)
    access = viewers.list_viewers(shown)
    form = ViewerForm(request.POST or None) if access.everyone or access.is_cut else None
    if form and request.method == "POST" and form.is_valid():
        person = viewers.find_by_email(shown, owner, form.cleaned_data["email"])
        if person is not None:
            return redirect(f"{reverse('knowledge:view_as', args=[shown.pk])}?as={person.pk}")
        form.add_error("email", _("Nobody with this address has access to this collection."))
    who = request.GET.get("as", viewers.NOBODY)
    eyes = viewers.find_eyes(owner, who, shown)
    context = {
        **collection_context(request, shown.pk),
        "as": who,
        "person": eyes if isinstance(eyes, User) else None,
        "role": viewers.label_of(viewers.role_of(eyes, shown)),
        "faces": _faces(access, eyes),
        "form": form,
        **_seen(request, eyes, owner, shown),
    }
    if not request.GET.get("cursor"):
        viewers.record_look(eyes, shown)
    return render(request, "knowledge/view_as.html", context)


def _faces(access: viewers.Access, eyes: viewers.Eyes) -> list[User]:
    """Whom the list offers; somebody who was found by their address is in it too."""
    people = [viewer.person for viewer in access.people]
    return people if not isinstance(eyes, User) or eyes in people else [*people, eyes]


def _seen(
    request: HttpRequest, eyes: viewers.Eyes, owner: User, shown: Collection
) -> dict[str, Any]:
    query = request.GET.get("q", "").strip()[:LONGEST]
    if query:
        spend_for(request, Action.SEARCHES)
        found = viewers.search_as(eyes, owner, query, [shown.pk], SHOWN)
        return {"query": query, "found": found, "hits": describe_hits(found)}
    rows = viewers.list_seen(eyes, owner, shown)
    with reading_as(eyes):
        try:
            page: Page[Document] = paginate(rows, ["-id"], request.GET.get("cursor"), PAGE_SIZE)
        except InvalidCursor:
            page = paginate(rows, ["-id"], None, PAGE_SIZE)
    return {"rows": [describe(document) for document in page.items], "next": page.next}
