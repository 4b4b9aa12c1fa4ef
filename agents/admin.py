from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.callers import caller
from agents.authority.admin import PolicyRuleAdmin
from agents.building.publishing import keep_current, record_edit
from agents.guardrails.admin import InstalledGuardrailAdmin
from agents.mcp_client.admin import McpServerAdmin
from agents.models import Agent, SavedPrompt
from agents.reuse.admin import MeasurementAdmin
from agents.services import keep_limit
from agents.tools.admin import ToolExecutionAdmin

__all__ = [
    "AgentAdmin",
    "InstalledGuardrailAdmin",
    "McpServerAdmin",
    "MeasurementAdmin",
    "PolicyRuleAdmin",
    "SavedPromptAdmin",
    "ToolExecutionAdmin",
]


@admin.register(Agent)
class AgentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("name", "slug", "owner", "model_name", "is_builtin", "version", "updated_at")
    list_filter = ("is_builtin", "updated_at")
    list_select_related = ("owner",)
    exact_fields = ("id",)
    search_fields = ("name", "slug", "description", "owner__email")
    autocomplete_fields = ("owner", "collections")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("id", "is_builtin", "version", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "slug", "emoji", "description", "owner")}),
        (
            _("Behaviour"),
            {
                "fields": (
                    "instructions",
                    "model_name",
                    "temperature",
                    "reasoning_effort",
                    "starters",
                )
            },
        ),
        (_("Tools"), {"fields": ("tools",)}),
        (_("Understanding questions"), {"fields": ("understanding",)}),
        (
            _("Knowledge and limits"),
            {
                "fields": (
                    "collections",
                    "is_limited",
                    "required_labels",
                    "max_passages",
                    "context_tokens",
                    "max_answer_tokens",
                )
            },
        ),
        (
            _("Reused answers"),
            {"fields": ("reuse", "reuse_seconds", "reuses_similar", "similarity")},
        ),
        (_("State"), {"fields": ("id", "is_builtin", "version", "created_at", "updated_at")}),
    )

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        if change:
            keep_current(Agent.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        keep_limit(form.instance)
        agent = form.instance
        # A draft is asked too, also by who opened it before.
        Agent.drafts.filter(draft_of=agent.pk).update(required_labels=agent.required_labels)
        if change and form.changed_data and agent.version:  # else nobody uses it yet
            record_edit(Agent.objects.get(pk=agent.pk), caller(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The built-in agent answers where no other is chosen."""
        return super().has_delete_permission(request, obj) and not (obj and obj.is_builtin)


@admin.register(SavedPrompt)
class SavedPromptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("name", "owner", "updated_at")
    list_filter = ("updated_at",)
    list_select_related = ("owner",)
    exact_fields = ("id",)
    search_fields = ("name", "owner__email")
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "created_at", "updated_at", "deleted_at")
    fieldsets = (
        (None, {"fields": ("name", "text", "owner")}),
        (_("State"), {"fields": readonly_fields}),
    )
