"""The agents a person may talk to."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.callers import caller
from agents.selectors import list_agents


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    agents = list_agents(caller(request)).annotate(collection_count=Count("collections"))
    return render(request, "agents/home.html", {"agents": agents.select_related("owner")})
