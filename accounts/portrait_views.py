"""The picture on the profile page, and where everybody sees it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import portraits
from accounts.callers import caller
from accounts.errors import PictureRefused
from accounts.limits import spend_for
from security.downloads import Image
from security.rate_limits import Action


@require_GET
@login_required
def show(_request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Addresses carry when it was made (`?v=`): a new picture is another address."""
    response = Image(portraits.find_portrait(user_id), portraits.MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


@require_POST
@login_required
def change(request: HttpRequest) -> HttpResponse:
    """Takes `file`; what is wrong with it is said on the profile page."""
    spend_for(request, Action.UPLOADS)
    try:
        portraits.set_portrait(caller(request), request.FILES.get("file"))
        messages.success(request, _("Saved."))
    except PictureRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:profile")


@require_POST
@login_required
def remove(request: HttpRequest) -> HttpResponse:
    portraits.remove_portrait(caller(request))
    return redirect("accounts:profile")
