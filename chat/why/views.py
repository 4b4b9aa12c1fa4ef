from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.callers import caller
from chat.answers.golden import homes_of
from chat.answers.pinning import find_drafts
from chat.why.reading import find_why


@require_GET
@login_required
def why(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Why an answer is as it is, as far as this reader may know."""
    user = caller(request)
    context = {
        "why": find_why(user, message_id),
        "golden_homes": homes_of(user, message_id),
        "drafts": find_drafts(user, message_id),
    }
    return render(request, "chat/why.html", context)
