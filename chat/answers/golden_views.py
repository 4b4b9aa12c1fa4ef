"""The form that keeps an answer as a golden question, on the page "Why this answer"."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.callers import caller
from chat.answers.golden import keep_as_golden
from knowledge.models import GoldenQuestion
from knowledge.quality.errors import QuestionRefused


@require_POST
@login_required
def keep(request: HttpRequest, message_id: UUID) -> HttpResponse:
    try:
        collection = UUID(request.POST.get("collection", ""))
    except ValueError as error:
        raise Http404 from error
    try:
        made = keep_as_golden(caller(request), message_id, collection)
    except QuestionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        is_counted = made.state == GoldenQuestion.State.ACCEPTED
        kept = _("Kept as a golden question.")
        messages.success(request, kept if is_counted else _("Proposed as a golden question."))
    return redirect("chat:why", message_id)
