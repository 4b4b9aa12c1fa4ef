"""The page of caches, for administrators."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.selectors import find_user
from agents.models import Agent
from agents.usage import caches
from agents.usage.audience import of_everybody
from agents.usage.savings import cached_prompts, reused_answers
from agents.usage.selectors import zone_of
from agents.usage.spans import PERIODS, last_days, period_of
from agents.usage.views import tabs_of
from caching.figures import MOST_DAYS


@require_GET
@never_cache
@login_required
def show_caches(request: HttpRequest) -> HttpResponse:
    user = caller(request)
    whose = of_everybody(user)
    periods = [days for days in PERIODS if days <= MOST_DAYS]
    period = min(period_of(request.GET.get("days", "")), max(periods))
    span = last_days(period, zone_of(whose))
    context: dict[str, Any] = {
        "held": caches.list_caches(user, period),
        "prompts": cached_prompts(whose, span),
        "reused": reused_answers(whose, span),
        "may_flush": caches.may_flush(user),
        "agents": Agent.objects.exclude(reuse=Agent.Reuse.OFF).order_by("name"),
        "tabs": tabs_of(user),
        "periods": periods,
        "period": period,
    }
    return render(request, "usage/caches.html", context)


@require_POST
@login_required
def flush(request: HttpRequest) -> HttpResponse:
    """`cache`: all that it holds; `agent` (an id) or `person` (an address): what is theirs."""
    user = caller(request)
    if not caches.may_flush(user):
        raise Http404
    if name := request.POST.get("cache"):
        is_told = caches.flush_cache(user, name)
    elif agent := request.POST.get("agent"):
        is_told = caches.flush_agent(user, _uuid(agent))
    else:
        person = find_user(request.POST.get("person", ""))
        if person is None:
            messages.error(request, _("Nobody here has this address."))
            return redirect("usage:caches")
        is_told = caches.flush_person(user, person.pk)
    if is_told:
        messages.success(request, _("Forgotten. What is asked next is made anew."))
    else:
        messages.error(request, _("Redis could not be told: try again when it is there."))
    return redirect("usage:caches")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
