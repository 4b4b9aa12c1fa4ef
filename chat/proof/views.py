"""The settings pages of supported sentences: of one's own answers, and of everybody's."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.callers import caller
from agents.usage.audience import Whose, may_see_all, mine, of_everybody
from agents.usage.selectors import zone_of
from agents.usage.spans import PERIODS, last_days, period_of
from chat.proof.charts import chart_of
from chat.proof.rates import read_proof


@require_GET
@never_cache
@login_required
def show_mine(request: HttpRequest) -> HttpResponse:
    return _page(request, mine(caller(request)))


@require_GET
@never_cache
@login_required
def show_everybody(request: HttpRequest) -> HttpResponse:
    return _page(request, of_everybody(caller(request)))


def _page(request: HttpRequest, whose: Whose) -> HttpResponse:
    period = period_of(request.GET.get("days", ""))
    found = read_proof(whose, last_days(period, zone_of(whose, timezone.get_current_timezone())))
    tabs = [(reverse("chat:proof"), _("Mine")), (reverse("chat:proof_everyone"), _("Everyone"))]
    context = {
        "whose": whose,
        "proof": found,
        "chart": chart_of(found),
        "tables": [
            ("agent", _("By agent"), found.agents),
            ("model", _("By model"), found.models),
        ],
        "tabs": tabs if may_see_all(whose.viewer) else [],
        "periods": PERIODS,
        "period": period,
    }
    return render(request, "chat/proof.html", context)
