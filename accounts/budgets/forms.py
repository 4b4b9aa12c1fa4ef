"""The form of a budget: for whom, how much, what happens at the limit, who hears of it."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.budgets.models import Budget
from accounts.budgets.services import tidy
from accounts.budgets.subjects import agents_by_id

Scope, Unit = Budget.Scope, Budget.Unit
NAMED_BY = {Scope.USER: "user", Scope.TEAM: "team", Scope.AGENT: "agent_id", Scope.TOKEN: "token"}
MEGABYTE = 1_000_000


def _agents() -> list[tuple[str, Any]]:
    known = agents_by_id(None)
    named = sorted((facts.name, str(pk)) for pk, facts in known.items())
    return [("", _("each agent")), *((pk, name) for name, pk in named)]


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    agent_id = forms.TypedChoiceField(
        label=capfirst(_("agent")), required=False, choices=_agents, empty_value=None
    )

    class Meta:
        model = Budget
        fields = (
            "name", "scope", "user", "team", "agent_id", "token", "limit", "unit", "currency",
            "period", "is_hard", "warn_at", "allows_unpriced", "falls_back", "fall_back_to",
            "emails", "webhook", "is_enabled",
        )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        limit = self.fields.get("limit")
        if limit is not None:
            limit.help_text = _("Tokens, requests, an amount of money, or bytes.")
            if self.instance.pk and self.initial.get("limit") is not None:
                self.initial["limit"] = f"{self.initial['limit'].normalize():f}"

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        scope = data.get("scope")
        for named, field in NAMED_BY.items():
            if named != scope:
                data[field] = None
        if data.get("unit") == Unit.MONEY and not data.get("currency"):
            self.add_error("currency", _("Three letters, as USD, EUR or CNY."))
        if data.get("unit") == Unit.STORAGE and scope in {Scope.AGENT, Scope.TOKEN}:
            self.add_error("unit", _("Agents and tokens have no files."))
        return data

    def _post_clean(self) -> None:
        """What means nothing for the unit is emptied before the database would refuse it."""
        for name in ("currency", "period", "unit"):
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])
        tidy(self.instance)
        for name in ("currency", "period"):
            self.cleaned_data[name] = getattr(self.instance, name)
        if self.instance.unit != Unit.MONEY:
            self.cleaned_data |= {"allows_unpriced": False, "falls_back": False, "fall_back_to": ""}
        elif self.cleaned_data.get("fall_back_to"):
            self.cleaned_data["falls_back"] = True
        super()._post_clean()  # type: ignore[misc]
