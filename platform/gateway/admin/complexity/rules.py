"""Rules of an alias; one may begin as the correction of a choice."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from gateway.admin.complexity.remembered import Remembered
from gateway.complexity.aliases import as_rule, forget_aliases
from gateway.complexity.features import complete
from gateway.complexity.models import RoutingChoice, RoutingRule
from gateway.complexity.rules import suggest
from gateway.complexity.score import score


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        widgets = {"conditions": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})}


@admin.register(RoutingRule)
class RoutingRuleAdmin(Remembered):
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


def _choice(text: str) -> RoutingChoice | None:
    try:
        pk = UUID(text)
    except ValueError:
        return None
    found: RoutingChoice | None = (
        RoutingChoice.objects.select_related("alias").filter(pk=pk).first()
    )
    return found
