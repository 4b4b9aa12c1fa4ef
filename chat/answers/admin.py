"""What people said about answers, for whoever evaluates them: lists to filter and to take away."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chat.answers.feedback import Reason
from chat.models import Feedback, Preference
from gateway.models import Model
from security import audit
from security.acts import Act
from security.lists import AgeFilter
from security.records import RecordAdmin
from security.tables import csv_lines

MOST = 50_000  # rows of one export; a filter by date leads to the others
COLUMNS = ("updated_at", "rating", "model", "agent", "reasons", "comment", "message_id", "person")
PREFERRED = ("created_at", "preferred_model", "other_models", "message_id", "person")


class ModelFilter(admin.SimpleListFilter):
    """By the models that are known, without looking through all rows for their names."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Model.objects.filter(kind=Model.Kind.CHAT).values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model_name=self.value()) if self.value() else queryset


class OpinionAdmin(RecordAdmin):
    """Rows that leave as a table whose cells no spreadsheet takes for formulas."""

    list_select_related = ("person",)
    exact_fields = ("message",)
    search_fields = ("person__email",)
    search_help_text = _("The id of an answer, or an e-mail address.")
    sortable_by = ()  # any order but the latest first would have to look at all of them
    actions = ("export",)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.action(description=_("Export as CSV"), permissions=["export"])
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        rows = list(queryset.select_related(*self.list_select_related)[:MOST])
        audit.record(Act.FEEDBACK_EXPORTED, rows=len(rows))
        lines = csv_lines(self.table(rows))
        response = HttpResponse("\ufeff" + "".join(lines), content_type="text/csv; charset=utf-8")
        name = f"{self.opts.model_name}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def table(self, rows: list[Any]) -> Iterator[tuple[object, ...]]:
        raise NotImplementedError


@admin.register(Feedback)
class FeedbackAdmin(OpinionAdmin):
    list_display = ("updated_at", "rating", "said", "comment", "model_name", "agent", "person")
    list_filter = ("rating", ModelFilter, "agent", "updated_at")
    list_select_related = ("person", "agent")  # type: ignore[assignment]

    @admin.display(description=_("reasons"))
    def said(self, feedback: Feedback) -> str:
        return ", ".join(str(Reason(code).label) for code in feedback.reasons if code in Reason)

    def table(self, rows: list[Feedback]) -> Iterator[tuple[object, ...]]:
        yield COLUMNS
        for row in rows:
            agent = row.agent.name if row.agent else ""
            rating = Feedback.Rating(row.rating).name.lower()
            yield (
                row.updated_at.isoformat(), rating, row.model_name, agent, " ".join(row.reasons),
                row.comment, row.message_id, row.person.email,
            )  # fmt: skip


@admin.register(Preference)
class PreferenceAdmin(OpinionAdmin):
    list_display = ("created_at", "model_name", "not_chosen", "person")
    list_filter = (ModelFilter, AgeFilter)
    ordering = ("-pk",)

    @admin.display(description=_("other models"))
    def not_chosen(self, preference: Preference) -> str:
        return ", ".join(preference.others)

    def table(self, rows: list[Preference]) -> Iterator[tuple[object, ...]]:
        yield PREFERRED
        for row in rows:
            others = " ".join(row.others)
            at = row.created_at.isoformat()
            yield at, row.model_name, others, row.message_id, row.person.email
