"""Complexity routing: an alias with its regret and rules, a box to try questions, past choices."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from gateway.admin.base import RoutesAdmin
from gateway.complexity import report
from gateway.complexity.aliases import as_rule, forget_aliases
from gateway.complexity.corrections import correct, take_up
from gateway.complexity.features import complete
from gateway.complexity.models import RoutingAlias, RoutingChoice, RoutingRule
from gateway.complexity.rules import suggest
from gateway.complexity.score import TIERS, score
from gateway.complexity.wording import TIER_NAMES, VOTERS
from gateway.models import Model
from security.lists import AgeFilter, KnownValues
from security.records import LogAdmin

QUESTION = 8000  # characters that may be tried


class _Remembered(RoutesAdmin):
    """Every change takes effect with the next question."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        forget_aliases()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        forget_aliases()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        forget_aliases()


@admin.register(RoutingAlias)
class RoutingAliasAdmin(_Remembered):
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


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        widgets = {"conditions": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})}


@admin.register(RoutingRule)
class RoutingRuleAdmin(_Remembered):
    form = RuleForm
    change_form_template = "admin/gateway/rule.html"
    list_display = ("said", "alias", "position", "is_enabled")
    list_editable = ("position", "is_enabled")
    list_filter = ("is_enabled",)
    list_select_related = ("alias__model",)
    actions = ("enable", "disable")
    fields = ("alias", "conditions", "tier", "position", "is_enabled")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)
        forget_aliases()
        return answer

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """From a correction: its strongest features are the conditions."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        choice = _choice(initial.pop("choice", ""))
        if choice is None:
            return initial
        found = score(complete(choice.features), choice.alias.settings)
        tier = choice.corrected_tier or choice.tier
        return {**initial, "alias": choice.alias_id, "tier": tier, "conditions": suggest(found)}

    @admin.display(description=gettext_lazy("rule"))
    def said(self, row: RoutingRule) -> str:
        return str(as_rule(row) or row)


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


def _choice(text: str) -> RoutingChoice | None:
    try:
        pk = UUID(text)
    except ValueError:
        return None
    found: RoutingChoice | None = (
        RoutingChoice.objects.select_related("alias").filter(pk=pk).first()
    )
    return found
