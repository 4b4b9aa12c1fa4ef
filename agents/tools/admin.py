"""Which tools were called, for whom, and how that ended; never the words, which are private."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agents.tools.models import ToolExecution
from security.lists import AgeFilter
from security.records import LogAdmin


@admin.register(ToolExecution)
class ToolExecutionAdmin(LogAdmin):
    list_display = (
        "id", "tool", "server", "effect", "status", "took_ms", "owner", "agent", "parent",
        "created_at",
    )  # fmt: skip
    list_filter = (AgeFilter,)
    list_select_related = ("owner", "agent")
    exact_fields = ("id", "run_id")
    search_fields = ("owner__email",)
    search_help_text = _("The id of a call or of its run, or a person’s e-mail address.")
    fields = (
        "id", "run_id", "parent", "call_id", "owner", "agent", "tool", "server", "effect", "status",
        "input_taints", "taints", "approval_id", "attempts", "took_ms", "created_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields
