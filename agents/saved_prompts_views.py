"""The page of saved prompts."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.callers import caller
from agents import saved_prompts
from agents.saved_prompt_examples import list_examples
from security.text import storable


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Everything the person may use; htmx asks for the list alone."""
    user = caller(request)
    query = storable(request.GET.get("q", "")).strip()[:200]
    rows = saved_prompts.list_prompts(user).filter(saved_prompts.matching(query))
    prompts = list(rows.select_related("owner").order_by("name", "pk"))
    context = {
        "prompts": prompts,
        "query": query,
        "examples": [] if prompts or query else list_examples(),
        "teams": saved_prompts.list_teams(user),
    }
    is_partial = "HX-Request" in request.headers
    return render(request, "agents/_prompts.html" if is_partial else "agents/prompts.html", context)
