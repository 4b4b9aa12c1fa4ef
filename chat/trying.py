"""Where an agent's draft is tried: a chat in a frame beside its form.

It is a temporary conversation like any other; only who is asked is a draft, which nobody but its
editors may ask (`agents.selectors.may_use`).
"""

from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from accounts.callers import caller
from agents.building.drafts import find_draft
from agents.models import Agent
from chat.answers.feedback import BLAME, PRAISE


@gzip_page
@require_GET
@login_required
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})  # type: ignore[arg-type]  # it says less than it takes
def try_agent(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    user = caller(request)
    agent = get_object_or_404(Agent.objects.editable_by(user), pk=agent_id)
    draft = find_draft(user, agent.pk)
    context = {
        "agents": [draft],
        "chosen_agent": draft.slug,
        "is_trial": True,
        "praise": PRAISE,
        "blame": BLAME,
        "temporary_hours": settings.PARLEY_TEMPORARY_HOURS,
    }
    return render(request, "chat/try.html", context)
