"""The request explorer: every call to an endpoint, how it ended and why it was made. No prompts."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gateway import errors
from gateway.metering.writing import LOST
from gateway.models import Deployment, Endpoint, Model, Usage
from security.lists import AgeFilter, KnownValues
from security.records import LogAdmin
from security.sentences import said_text


class UsedModel(KnownValues):
    title = _("model")
    parameter_name = field = "model_name"

    def known(self) -> list[tuple[str, Any]]:
        return [(name, name) for name in Model.objects.values_list("name", flat=True)]


class UsedEndpoint(KnownValues):
    title = _("endpoint")
    parameter_name = field = "endpoint_name"

    def known(self) -> list[tuple[str, Any]]:
        return [(name, name) for name in Endpoint.objects.values_list("name", flat=True)]


SAID = {
    "completed": _("completed"),
    "cancelled": _("cancelled"),
    LOST: _("interrupted"),
}  # errors go by their types, as in the API and in the log


class OutcomeFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        ends = [("completed", _("completed")), ("other", _("not completed"))]
        return [*ends, *((name, SAID.get(name, name)) for name in known_outcomes())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Usage]) -> QuerySet[Usage]:
        value = self.value()
        if value == "other":
            return queryset.exclude(outcome="completed")
        return queryset.filter(outcome=value) if value else queryset


def known_outcomes() -> list[str]:
    """How a call may end but well: stopped, lost with its runner, or with one of the errors."""
    kinds = [errors.GatewayError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return ["cancelled", LOST, *sorted({kind.type for kind in kinds[1:]})]


class RepeatFilter(admin.SimpleListFilter):
    """Fallbacks: calls that were made because another one had failed."""

    title = _("attempt")
    parameter_name = "attempt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("more", _("the second and later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Usage]) -> QuerySet[Usage]:
        return queryset.filter(attempt__gt=1) if self.value() == "more" else queryset


@admin.register(Usage)
class UsageAdmin(LogAdmin):
    change_list_template = "admin/gateway/usage.html"
    list_display = ("created_at", "attempts_of_turn", "called", "ended", "took", "tokens", "money")
    list_filter = (RepeatFilter, UsedModel, UsedEndpoint, AgeFilter, OutcomeFilter)
    exact_fields = ("id", "turn_id", "account_id", "agent_id", "token_id")
    search_fields = ("id",)  # for what is no id to come to `get_search_results`
    search_help_text = _("The id of a turn or of a person, or a person's e-mail address.")
    fieldsets = (
        (None, {"fields": ("created_at", "attempts_of_turn", "ended")}),
        (_("Who pays"), {"fields": ("person", "used_for", "agent_id", "token_id", "teams")}),
        (_("Who answered"), {"fields": ("model_name", "endpoint_name", "deployment", "attempt",
            "reason")}),
        (_("Time and tokens"), {"fields": ("first_token_ms", "total_ms", "prompt_tokens",
            "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens",
            "accepted_prediction_tokens", "rejected_prediction_tokens",
            "estimated_prompt_tokens", "estimated_completion_tokens", "estimated_by")}),
        (_("What it cost"), {"fields": ("money", "is_estimated", "prompt_price",
            "completion_price", "cached_price", "cache_write_price", "request_price")}),
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Usage], search_term: str
    ) -> tuple[QuerySet[Usage], bool]:
        """What is no id is the address of a person, whose id is looked for then."""
        if "@" in search_term:
            people = get_user_model().objects.filter(email__iexact=search_term.strip())
            return queryset.filter(account_id__in=list(people.values_list("pk", flat=True))), False
        return (queryset.none() if search_term else queryset), False

    @admin.display(description=_("turn"))
    def attempts_of_turn(self, usage: Usage) -> str:
        """Leads to every attempt of the turn."""
        if usage.turn_id is None:
            return "–"
        place = reverse("admin:gateway_usage_changelist") + f"?q={usage.turn_id}"
        number = _("attempt %(n)s") % {"n": usage.attempt}
        return format_html('<a href="{}">{}</a>', place, number)

    @admin.display(description=_("outcome"), ordering=None)
    def ended(self, usage: Usage) -> str:
        colour = "ok" if usage.outcome == "completed" else "bad"
        colour = "off" if usage.outcome in {"cancelled", LOST} else colour
        said = SAID.get(usage.outcome, usage.outcome)
        return format_html(
            '<span class="badge {}">{}</span><small class="quiet">{}</small>',
            colour, said, said_text(usage.detail),
        )  # fmt: skip

    @admin.display(description=_("called"))
    def called(self, usage: Usage) -> str:
        place = f"{usage.model_name} @ {usage.endpoint_name}" if usage.endpoint_name else usage
        return format_html('{}<small class="quiet">{}</small>', place, said_text(usage.why))

    @admin.display(description=pgettext_lazy("field", "reason for the choice"))
    def reason(self, usage: Usage) -> str:
        return said_text(usage.why) or "–"

    @admin.display(description=_("first word, whole call"))
    def took(self, usage: Usage) -> str:
        times = (usage.first_token_ms, usage.total_ms)
        first, total = ("–" if ms is None else f"{intcomma(ms)} ms" for ms in times)
        return f"{first}, {total}"

    @admin.display(description=_("tokens"))
    def tokens(self, usage: Usage) -> str:
        counts = (usage.prompt_tokens, usage.completion_tokens)
        return " + ".join("?" if count is None else str(count) for count in counts)

    @admin.display(description=_("cost"))
    def money(self, usage: Usage) -> str:
        """“?” where it is not known; “≈” where tokens were said that nobody counted."""
        if usage.cost is None:
            return "?"
        amount = format(usage.cost.normalize(), "f")
        return f"{'≈ ' if usage.is_estimated else ''}{amount} {usage.currency}".strip()

    @admin.display(description=_("person"))
    def person(self, usage: Usage) -> str:
        found = get_user_model().objects.filter(pk__in=[usage.account_id]).first()
        if found is None:
            return str(usage.account_id or "–")
        place = reverse("admin:accounts_user_change", args=[found.pk])
        return format_html('<a href="{}">{}</a>', place, found.email)

    @admin.display(description=_("purpose"))
    def used_for(self, usage: Usage) -> str:
        return str(usage.get_purpose_display())

    @admin.display(description=_("teams"))
    def teams(self, usage: Usage) -> str:
        return ", ".join(map(str, usage.team_ids)) or "–"

    @admin.display(description=_("deployment"))
    def deployment(self, usage: Usage) -> str:
        found = Deployment.objects.select_related("model", "endpoint").filter(
            pk__in=[usage.deployment_id]
        ).first()  # fmt: skip
        if found is None:
            return "–"
        place = reverse("admin:gateway_deployment_change", args=[found.pk])
        return format_html('<a href="{}">{}</a>', place, found)
