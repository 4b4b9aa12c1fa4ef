"""Past choices, and what would have been right."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from gateway.complexity import report
from gateway.complexity.corrections import correct
from gateway.complexity.models import RoutingAlias, RoutingChoice
from gateway.complexity.wording import TIER_NAMES, VOTERS
from security.lists import AgeFilter, KnownValues
from security.records import LogAdmin


class OfAlias(KnownValues):
    title = gettext_lazy("alias")
    parameter_name = field = "alias"

    def known(self) -> list[tuple[str, Any]]:
        rows = RoutingAlias.objects.values_list("pk", "model__name")
        return [(str(pk), name) for pk, name in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = dict(self.known())
        return queryset.filter(alias=self.value()) if self.value() in known else queryset


class OfTier(KnownValues):
    title = gettext_lazy("tier")
    parameter_name = field = "tier"

    def known(self) -> list[tuple[str, Any]]:
        return list(TIER_NAMES.items())


class ByVoter(KnownValues):
    title = gettext_lazy("decided by")
    parameter_name = field = "voted_by"

    def known(self) -> list[tuple[str, Any]]:
        return list(VOTERS.items())


class Corrected(admin.SimpleListFilter):
    title = gettext_lazy("correction")
    parameter_name = "corrected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("corrected")), ("no", gettext_lazy("not corrected"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.exclude(corrected_tier="")
        return queryset.filter(corrected_tier="") if self.value() == "no" else queryset


@admin.register(RoutingChoice)
class RoutingChoiceAdmin(LogAdmin):
    change_list_template = "admin/gateway/choices.html"
    list_display = ("created_at", "alias", "picked", "seen", "points", "voted_by", "right")
    list_display_links = None
    list_filter = (OfAlias, OfTier, Corrected, ByVoter, AgeFilter)
    list_select_related = ("alias__model",)
    exact_fields = ("id", "turn_id")
    search_help_text = gettext_lazy("The id of a turn.")
    exclude = ("fingerprint", "account_id", "corrected_by_id")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.correct_view))
        return [
            path("<uuid:pk>/correct/", view, name="gateway_routingchoice_correct"),
            *super().get_urls(),
        ]

    def correct_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The right tier, from a button or a key; the one it has already takes it back."""
        if not self.may_correct(request):
            raise PermissionDenied
        choice = get_object_or_404(RoutingChoice.objects.select_related("alias__model"), pk=pk)
        tier = request.POST.get("tier", "")
        correct(choice, "" if tier == choice.corrected_tier else tier, request.user.pk)
        self.log_change(request, choice, [{"changed": {"fields": ["corrected_tier"]}}])
        if request.headers.get("X-Requested-With") == "fetch":
            return JsonResponse({"html": _correction(choice)})
        back = request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()})
        return redirect(back if is_ours else reverse("admin:gateway_routingchoice_changelist"))

    def may_correct(self, request: HttpRequest) -> bool:
        """Rows are read only; this one mark has a right of its own."""
        return bool(request.user.has_perm("gateway.change_routingchoice"))

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return shown if self.may_correct(request) else [*shown[:-1], "corrected_tier"]

    @admin.display(description=gettext_lazy("picked"))
    def picked(self, choice: RoutingChoice) -> str:
        return format_html(
            '<span class="badge tier-{}">{}</span><small class="quiet">{}</small>',
            choice.tier, TIER_NAMES[choice.tier], choice.target,
        )  # fmt: skip

    @admin.display(description=gettext_lazy("what was seen"))
    def seen(self, choice: RoutingChoice) -> str:
        (row,) = report.with_shares([choice])
        return render_to_string("admin/gateway/_seen.html", {"choice": row})

    @admin.display(description=gettext_lazy("points"))
    def points(self, choice: RoutingChoice) -> str:
        return f"{choice.score:.1f}"

    @admin.display(description=gettext_lazy("right would be"))
    def right(self, choice: RoutingChoice) -> str:
        return _correction(choice)


def _correction(choice: RoutingChoice) -> str:
    shown = {"choice": choice, "tiers": TIER_NAMES.items()}
    return render_to_string("admin/gateway/_correction.html", shown)
