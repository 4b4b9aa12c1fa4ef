"""The agents a person may talk to, and those that they are making."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.callers import caller
from agents.building.making import may_build
from agents.models import Agent


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    user = caller(request)
    found = Agent.objects.visible_to(user) | Agent.objects.editable_by(user)
    agents = found.annotate_role(user).annotate(collection_count=Count("collections"))
    context = {"agents": agents.select_related("owner"), "may_build": may_build(user)}
    return render(request, "agents/home.html", context)
