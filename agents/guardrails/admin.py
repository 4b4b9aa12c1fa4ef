"""The administration's pages of guardrails: the rules of this installation, and a text to try."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.callers import caller
from agents.guardrails.admin_form import GuardrailForm, TextForm
from agents.guardrails.forms import in_one_line
from agents.guardrails.models import InstalledGuardrail
from agents.guardrails.ruleset import forget_installed, list_installed
from agents.guardrails.trying import try_text


@admin.register(InstalledGuardrail)
class InstalledGuardrailAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Who changes a rule is in the audit log, as with every page of the administration."""

    form = GuardrailForm
    change_list_template = "admin/agents/guardrails.html"
    list_display = ("name", "about", "position", "is_enabled", "updated_at")
    list_filter = ("is_enabled",)
    exact_fields = ("id",)
    search_fields = ("name",)
    readonly_fields = ("id", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "kind", "places", "action", "on_failure", "reason", "position",
                           "is_enabled")}),
        (gettext_lazy("Data of people"), {"fields": ("data",)}),
        (gettext_lazy("A pattern"), {"fields": ("pattern", "ignores_case")}),
        (gettext_lazy("Allowed domains"), {"fields": ("allowed",)}),
        (gettext_lazy("Length"), {"fields": ("most",)}),
        (gettext_lazy("Languages"), {"fields": ("languages",)}),
        (gettext_lazy("Topic"), {"fields": ("mode", "examples", "threshold")}),
        (gettext_lazy("Moderation endpoint, or a model that judges"),
         {"fields": ("model", "categories", "criterion")}),
        (gettext_lazy("State"), {"fields": readonly_fields}),
    )  # fmt: skip

    @admin.display(description=gettext_lazy("what it does"))
    def about(self, row: InstalledGuardrail) -> str:
        return in_one_line(row.rule, is_named=False)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        trial = path("try/", wrap(self.try_view), name="agents_installedguardrail_try")
        return [trial, *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """A text, and what each rule that is on would say about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TextForm(request.POST if request.method == "POST" else None)
        said = None
        if form.is_valid():
            said = try_text(caller(request), list_installed(), form.cleaned_data["text"])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Try a text"),
            "form": form,
            "said": said,
        }
        return render(request, "admin/agents/guardrails_try.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(forget_installed)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(forget_installed)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(forget_installed)
