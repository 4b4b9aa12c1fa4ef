from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.http import require_POST

from accounts.callers import caller
from chat.retention import temporary


@require_POST
@login_required
def visit(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """An open page of a temporary conversation says that it is there, or with `leaving` that it
    goes."""
    try:
        page = UUID(request.POST.get("visit", ""))
    except ValueError:
        return HttpResponseBadRequest()
    tell = temporary.leave if "leaving" in request.POST else temporary.enter
    tell(caller(request), conversation_id, page)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
