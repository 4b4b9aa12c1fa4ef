"""Budgets in the administration."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.budgets.forms import NAMED_BY, BudgetForm
from accounts.budgets.models import Budget, BudgetBalance
from accounts.budgets.rules import remembered
from accounts.budgets.selectors import quotas_of_budget
from accounts.budgets.services import renew_secret
from accounts.budgets.subjects import AgentFacts, agents_by_id
from accounts.budgets.wording import amount

EACH = {
    Budget.Scope.USER: _("each person"),
    Budget.Scope.TEAM: _("each team"),
    Budget.Scope.AGENT: _("each agent"),
    Budget.Scope.TOKEN: _("each API token"),
}


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BudgetForm
    change_form_template = "admin/accounts/budget.html"
    list_display = ("name", "whom", "how_much", "most_used", "is_hard", "is_enabled")
    list_filter = ("scope", "unit", "period", "is_hard", "is_enabled")
    list_select_related = ("user", "team", "token")
    search_fields = ("name", "user__email", "user__name", "team__name", "token__name")
    autocomplete_fields = ("user", "team", "token")
    actions = ("enable", "disable")
    fieldsets = (
        (None, {"fields": ("name", "is_enabled")}),
        (_("For whom"), {"fields": ("scope", "user", "team", "agent_id", "token")}),
        (_("How much"), {"fields": ("limit", "unit", "currency", "period")}),
        (_("At the limit"), {
            "fields": ("is_hard", "allows_unpriced", "falls_back", "fall_back_to"),
        }),
        (_("Who hears of it"), {"fields": ("warn_at", "emails", "webhook")}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        budgets: QuerySet[Budget] = super().get_queryset(request)
        now = BudgetBalance.objects.filter(budget=OuterRef("pk"), ends_at__gt=timezone.now())
        grouped: Any = now.order_by().values("budget").annotate(most=Max("settled"), n=Count("pk"))
        return budgets.annotate(
            most=Subquery(grouped.values("most")), subjects=Subquery(grouped.values("n"))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What it counts stays: a balance of tokens is none of money."""
        fixed = ("scope", "user", "team", "agent_id", "token", "unit", "currency", "period")
        return fixed if obj is not None else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of one that is there only what belongs to its scope and its unit."""
        if obj is None:
            return self.fieldsets
        away = {field for scope, field in NAMED_BY.items() if scope != obj.scope}
        if obj.unit != Budget.Unit.MONEY:
            away |= {"currency", "allows_unpriced", "falls_back", "fall_back_to"}
        return [
            (title, {"fields": tuple(name for name in part["fields"] if name not in away)})
            for title, part in self.fieldsets
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Agents are named by one query for the whole page."""
        page = super().get_changelist_instance(request)
        ids: set[UUID] = {row.agent_id for row in page.result_list if row.agent_id}
        known = agents_by_id(ids)
        for row in page.result_list:
            row.agent_name = known.get(row.agent_id, AgentFacts("–")).name
        return page

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        if "webhook" in form.changed_data:
            obj.secret = None
        secret = renew_secret(obj)
        super().save_model(request, obj, form, change)
        remembered.forget()
        if secret:
            text = _("The webhook is signed with this secret, shown this once: %(secret)s")
            self.message_user(request, text % {"secret": secret}, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        super().delete_model(request, obj)
        remembered.forget()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Budget]) -> None:
        super().delete_queryset(request, queryset)
        remembered.forget()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Its balances go along; nobody has a right to delete those by hand."""
        _named, counts, lacking, protected = super().get_deleted_objects(objs, request)
        own = {self.opts.verbose_name}
        return [str(obj) for obj in objs], counts, set(lacking) & own, protected

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> Any:
        if (budget := options.get("obj")) is not None:
            context["quotas"] = [
                {
                    "quota": quota,
                    "used": amount(budget.unit, quota.used, budget.currency),
                    "left": amount(budget.unit, quota.left, budget.currency),
                    "percent": min(100, round(quota.share * 100)),
                }
                for quota in quotas_of_budget(budget)[:50]
            ]
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description=_("for"), ordering="scope")
    def whom(self, budget: Any) -> str:
        if budget.scope == Budget.Scope.INSTALLATION:
            return str(budget.get_scope_display())
        if budget.agent_id:
            return str(budget.agent_name)
        named = budget.user or budget.team or budget.token
        return str(named or EACH[Budget.Scope(budget.scope)])

    @admin.display(description=_("limit"), ordering="limit")
    def how_much(self, budget: Budget) -> str:
        limit = amount(budget.unit, budget.limit, budget.currency)
        if budget.period == Budget.Period.EVER:
            return limit
        return _("%(limit)s per %(period)s") % {
            "limit": limit, "period": budget.get_period_display()
        }  # fmt: skip

    @admin.display(description=_("used at most"))
    def most_used(self, budget: Any) -> str:
        """By the subject that has used the most of it."""
        if budget.most is None:
            return "–"
        percent = round(budget.most / budget.limit * 100) if budget.limit else 100
        used = amount(budget.unit, budget.most, budget.currency)
        return f"{used} · {percent} %"

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Budget]) -> None:
        self._switch(request, queryset, _("%(count)s enabled."), is_enabled=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Budget]) -> None:
        self._switch(request, queryset, _("%(count)s disabled."), is_enabled=False)

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Any], said: Any, *, is_enabled: bool
    ) -> None:
        count = queryset.update(is_enabled=is_enabled, updated_at=timezone.now())
        remembered.forget()
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
