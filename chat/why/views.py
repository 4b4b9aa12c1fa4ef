from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.callers import caller
from chat.why.reading import find_why


@require_GET
@login_required
def why(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Why an answer is as it is, as far as this reader may know."""
    return render(request, "chat/why.html", {"why": find_why(caller(request), message_id)})
