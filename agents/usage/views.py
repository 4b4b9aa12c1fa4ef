"""The settings pages of usage: one's own, that of teams one owns, everybody's."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.budgets.selectors import (
    Quota,
    quotas_of,
    quotas_of_installation,
    quotas_of_team,
)
from accounts.callers import caller
from accounts.models import User
from agents.usage.audience import Whose, may_see_all, mine, of_everybody, of_team, owned_teams
from agents.usage.charts import charts
from agents.usage.estimates import compare_estimates
from agents.usage.overview import Overview, read_overview
from agents.usage.selectors import Part
from agents.usage.spans import PERIODS, period_of


@require_GET
@never_cache
@login_required
def show_mine(request: HttpRequest) -> HttpResponse:
    return _page(request, mine(caller(request)))


@require_GET
@never_cache
@login_required
def show_team(request: HttpRequest, team_id: UUID) -> HttpResponse:
    return _page(request, of_team(caller(request), team_id))


@require_GET
@never_cache
@login_required
def show_everybody(request: HttpRequest) -> HttpResponse:
    return _page(request, of_everybody(caller(request)))


def _page(request: HttpRequest, whose: Whose) -> HttpResponse:
    period = period_of(request.GET.get("days", ""))
    found = read_overview(whose, period)
    context = {
        "whose": whose,
        "usage": found,
        "charts": charts(found.daily, found.span),
        "tables": _tables(found),
        "tabs": tabs_of(whose.viewer),
        "periods": PERIODS,
        "period": period,
        "export": _export(whose, period),
        "quotas": _quotas(whose),
        "estimates": compare_estimates(whose, found.span) if whose.kind == "all" else [],
    }
    return render(request, "usage/page.html", context)


def tabs_of(user: User) -> list[tuple[str, str]]:
    """Only where there is more to see than one's own."""
    teams = [
        (reverse("usage:team", args=[team.pk]), team.name)
        for team in owned_teams(user).order_by("name")
    ]
    others = list(teams)
    if may_see_all(user):
        others += [(reverse("usage:all"), _("Everyone")), (reverse("usage:caches"), _("Caches"))]
    return [(reverse("usage:mine"), _("Mine")), *others] if others else []


def _tables(found: Overview) -> list[tuple[str, str, list[Part]]]:
    titles = {
        "person": _("By person"),
        "model": _("By model"),
        "agent": _("By agent"),
        "team": _("By team"),
        "purpose": _("What for"),
        "token": _("By API token"),
        "endpoint": _("By endpoint"),
    }
    return [
        (name, titles[name], parts)
        for name, parts in found.parts.items()
        if parts and not (name == "token" and all(part.key is None for part in parts))
    ]


def _quotas(whose: Whose) -> list[Quota]:
    """The nearest to its limit first; each person's own are on their own page alone."""
    if whose.team_id:
        found = quotas_of_team(whose.team_id)
    else:
        found = quotas_of(whose.viewer) if whose.kind == "me" else quotas_of_installation()
    return sorted(found, key=lambda quota: (-quota.share, quota.budget.name))


def _export(whose: Whose, period: int) -> str:
    names = {
        "me": "api:export_my_usage",
        "team": "api:export_team_usage",
        "all": "api:export_usage",
    }
    args = [whose.team_id] if whose.team_id else []
    return f"{reverse(names[whose.kind], args=args)}?days={period}"
