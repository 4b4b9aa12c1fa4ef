"""Who may read one document, for owners of its collection; and what one reads by itself alone."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.callers import caller
from accounts.errors import SharingRefused
from accounts.models import User
from knowledge import viewers
from knowledge.curation.documents import Wanted, list_wanted
from knowledge.document_access import selectors, services
from knowledge.forms import DocumentGrantForm
from knowledge.models import Document
from knowledge.rows import describe
from security.paging import InvalidCursor

PAGE_SIZE = 50


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def access(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """A POST shares it with a person or a team. `as` (an id, or `nobody`): whether they see it."""
    user = caller(request)
    shown = _owned(user, document_id)
    form = DocumentGrantForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.share(user, shown.pk, form.cleaned_data["grantee"])
        except SharingRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("knowledge:document_access", shown.pk)
    context = {
        "document": shown,
        "form": form,
        "grants": selectors.list_grants(shown),
        "access": selectors.list_readers(shown),
        "is_restricted": selectors.is_restricted(shown),
        **_seen(request, user, shown),
    }
    return render(request, "knowledge/document_access.html", context)


@require_POST
@login_required
def revoke(request: HttpRequest, document_id: UUID, grant_id: UUID) -> HttpResponse:
    shown = _owned(caller(request), document_id)
    services.unshare(caller(request), shown.pk, grant_id)
    return redirect("knowledge:document_access", shown.pk)


@require_POST
@login_required
def restrict(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """`restricted`: kept from the collection's readers; without it they read it again."""
    shown = _owned(caller(request), document_id)
    is_restricted = request.POST.get("restricted") == "1"
    services.restrict(caller(request), shown.pk, is_restricted=is_restricted)
    messages.success(request, _("Saved."))
    return redirect("knowledge:document_access", shown.pk)


@require_GET
@login_required
def shared(request: HttpRequest) -> HttpResponse:
    """Documents that are shared with the person without their collections."""
    user, wanted = caller(request), Wanted(list="shared")
    try:
        page = list_wanted(user, None, wanted, request.GET.get("cursor"), PAGE_SIZE)
    except InvalidCursor:
        page = list_wanted(user, None, wanted, None, PAGE_SIZE)
    context = {"rows": [describe(row) for row in page.items], "next": page.next}
    return render(request, "knowledge/shared.html", context)


def _owned(user: User, document_id: UUID) -> Document:
    rows = Document.objects.owned_by(user).select_related("collection__owner")
    found: Document = get_object_or_404(rows, pk=document_id)
    return found


def _seen(request: HttpRequest, owner: User, shown: Document) -> dict[str, Any]:
    """What whoever is looked for sees of it: of those alone who read it, or its collection."""
    who = request.GET.get("as", "")
    if not who:
        return {}
    known = [viewer.person for viewer in selectors.list_readers(shown).people]
    person = next((one for one in known if str(one.pk) == who), None)
    eyes = person or viewers.find_eyes(owner, who, shown.collection)
    viewers.record_look(eyes, shown)
    return {
        "as": who,
        "person": eyes if isinstance(eyes, User) else None,
        "is_seen": selectors.is_seen_by(eyes, shown),
    }
