"""Who may read, edit and share a collection; only its owners see and change that."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services as accounts
from accounts.callers import caller
from accounts.errors import SharingRefused
from knowledge.forms import GrantForm
from knowledge.models import Collection
from knowledge.viewers import list_grants, list_viewers
from knowledge.views.collections import collection_context


@require_http_methods(["GET", "POST"])
@login_required
def access(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """The grants of a collection; a POST gives one, or changes the role of one that is there."""
    shared = get_object_or_404(Collection.objects.owned_by(request.user), pk=collection_id)
    user = caller(request)
    form = GrantForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            accounts.share(shared, form.cleaned_data["grantee"], form.cleaned_data["role"], by=user)
        except SharingRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("knowledge:access", shared.pk)
    context = {
        **collection_context(request, shared.pk),
        "form": form,
        "grants": list_grants(shared),
        "access": list_viewers(shared),
    }
    return render(request, "knowledge/access.html", context)


@require_POST
@login_required
def revoke(request: HttpRequest, collection_id: UUID, grant_id: UUID) -> HttpResponse:
    shared = get_object_or_404(Collection.objects.owned_by(request.user), pk=collection_id)
    grant = get_object_or_404(list_grants(shared), pk=grant_id)
    grantee = grant.user or grant.team
    assert grantee is not None  # the table's check constraint
    accounts.unshare(shared, grantee, by=caller(request))
    if not Collection.objects.owned_by(request.user).filter(pk=shared.pk).exists():
        return redirect("knowledge:home")
    return redirect("knowledge:access", shared.pk)
