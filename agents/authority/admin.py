"""The administration's pages of the policy: the table, a case tried, and the rules."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.authority.models import PolicyRule
from agents.authority.page import CaseForm, lines, outcome
from agents.authority.ruleset import forget_rules, list_rules


@admin.register(PolicyRule)
class PolicyRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Who changes a rule is in the audit log, as with every page of the administration."""

    change_list_template = "admin/agents/policy_rules.html"
    list_display = ("__str__", "kind", "tool", "server", "effect", "read", "readers", "is_enabled",
        "updated_at")  # fmt: skip
    list_filter = ("kind", "effect", "is_enabled")
    exact_fields = ("id",)
    search_fields = ("tool", "server", "reason")
    readonly_fields = ("id", "created_at", "updated_at")
    fieldsets = (
        (gettext_lazy("Which calls"), {"fields": ("tool", "server", "effect", "read", "readers")}),
        (None, {"fields": ("kind", "reason", "is_enabled")}),
        (gettext_lazy("State"), {"fields": readonly_fields}),
    )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        table = path("table/", wrap(self.table_view), name="agents_policyrule_table")
        return [table, *super().get_urls()]

    def table_view(self, request: HttpRequest) -> HttpResponse:
        """The whole table with the rules in it, and what would happen to one call."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rules = list_rules()
        form = CaseForm(request.GET if "read" in request.GET else None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What agents may do"),
            "lines": lines(rules),
            "audiences": [one.label for one in PolicyRule.Readers],
            "form": form,
            "outcome": outcome(form.cleaned_data, rules) if form.is_valid() else None,
            "rules": len(rules),
        }
        return render(request, "admin/agents/policy.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(forget_rules)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(forget_rules)
