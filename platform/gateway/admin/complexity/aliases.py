"""An alias with its regret and rules, and a box to try questions."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from gateway.admin.complexity.remembered import Remembered
from gateway.complexity import report
from gateway.complexity.aliases import as_rule
from gateway.complexity.corrections import take_up
from gateway.complexity.models import RoutingAlias, RoutingChoice
from gateway.complexity.score import TIERS
from gateway.complexity.wording import TIER_NAMES
from gateway.models import Model

QUESTION = 8000  # characters that may be tried


@admin.register(RoutingAlias)
class RoutingAliasAdmin(Remembered):
    change_form_template = "admin/gateway/alias.html"
    list_display = ("model", "simple", "medium", "hard", "judge", "learned_at")
    list_select_related = ("model", "simple", "medium", "hard", "judge")
    search_fields = ("model__name",)
    readonly_fields = ("learned_at",)
    fieldsets = (
        (None, {"fields": ("model", *TIERS)}),
        (gettext_lazy("Thresholds"), {"fields": ("medium_from", "hard_from", "learned_at")}),
        (gettext_lazy("A judge's vote"), {"fields": ("judge", "judge_margin")}),
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """An alias itself, or a model that already answers by itself, is not offered."""
        found = Model.objects.filter(kind=Model.Kind.CHAT)
        if db_field.name != "model":
            options["queryset"] = found.filter(complexity__isnull=True)
        else:
            options["queryset"] = found.filter(deployments__isnull=True)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: RoutingAlias, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        describe(obj)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/try/", wrap(require_POST(self.try_view)),
                name="gateway_routingalias_try"),
            path("<uuid:pk>/learn/", wrap(require_POST(self.learn_view)),
                name="gateway_routingalias_learn"),
            *super().get_urls(),
        ]  # fmt: skip

    def try_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """How a question would be judged; it is stored nowhere and sent to nobody."""
        alias = self._find(request, pk)
        text = request.POST.get("question", "")[:QUESTION]
        shown = {
            "alias": alias,
            "trial": report.try_question(alias, text) if text.strip() else None,
        }
        if request.headers.get("X-Requested-With") == "fetch":
            return render(request, "admin/gateway/_trial.html", shown)
        context = {**self.admin_site.each_context(request), **shown, "title": str(alias)}
        return render(request, "admin/gateway/trial.html", context)

    def learn_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Takes up what the corrections teach, where that lowers the regret."""
        alias = self._find(request, pk)
        lesson = take_up(alias)
        if lesson is None:
            said, level = _("It knows nothing better than what it does."), messages.WARNING
        else:
            self.log_change(request, alias, [{"changed": {"fields": ["weights"]}}])
            said = _("Learned: a regret of %(then)s points a question instead of %(now)s.") % {
                "then": f"{lesson.then.points:.2f}",
                "now": f"{lesson.now.points:.2f}",
            }
            level = messages.SUCCESS
        self.message_user(request, said, level)
        return redirect(reverse("admin:gateway_routingalias_change", args=[pk]))

    def _find(self, request: HttpRequest, pk: UUID) -> RoutingAlias:
        if not self.has_change_permission(request):
            raise PermissionDenied
        rows = RoutingAlias.objects.select_related("model", "judge", *TIERS)
        alias: RoutingAlias = get_object_or_404(rows, pk=pk)
        return alias

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        if (alias := options.get("obj")) is not None:
            rows = RoutingChoice.objects.filter(alias=alias).select_related("alias")
            context["regrets"], context["lesson"] = report.regrets(alias)
            context["weights"] = report.weights(alias)
            context["choices"] = report.with_shares(rows.order_by("-id")[: report.SHOWN])
            context["rules"] = [
                (row, as_rule(row)) for row in alias.rules.order_by("position", "id")
            ]
            context["tiers"] = TIER_NAMES.items()
            context["may_correct"] = request.user.has_perm("gateway.change_routingchoice")
        return super().render_change_form(request, context, *args, **options)


def describe(alias: RoutingAlias) -> None:
    """An alias sees images when one of its models does, and reads as much as the longest."""
    targets = [target for _tier, target in alias.targets]
    alias.model.has_vision = any(target.has_vision for target in targets)
    alias.model.context_length = max(target.context_length for target in targets)
    alias.model.save(update_fields=["has_vision", "context_length"])
