"""Lists of the admin that open as fast over a million rows as over ten.

No list counts everything, draws a hierarchy of all dates, or asks for every value a column has.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from security.ids import first_id_at

SHOWN = 10_000  # rows that pages lead to; filters and the search lead to the others


class ShortPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than it shows: a million rows are counted as fast as ten thousand."""

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        return int(found.order_by()[:SHOWN].count())


class ShortList(ChangeList):
    """Where the count found nothing, nothing is looked for a second time."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:
            self.result_list = self.queryset.none()


class FastList:
    """Mixed into every list of the admin.

    `exact_fields` are searched for the whole of what was typed, each by its index; only what is
    none of them, nor the whole address of a person, is looked for in `search_fields`.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = ShortPaginator

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        own: type[ChangeList] = super().get_changelist(request, **options)  # type: ignore[misc]
        return ShortList if own is ChangeList else own

    def get_search_fields(self, request: HttpRequest) -> Any:
        return super().get_search_fields(request) or self._exact_fields()  # type: ignore[misc]

    def _exact_fields(self) -> tuple[str, ...]:
        fields: tuple[str, ...] = getattr(self, "exact_fields", ())
        return fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if term and (fields := self._exact_fields()):
            exact = Q()
            for name, value in _readings(queryset.model, fields, term):
                exact |= Q(**{name: value})
            if exact:
                return queryset.filter(exact), False
            if not self.search_fields:  # type: ignore[attr-defined]
                return queryset.none(), False
        if "@" in term and (people := self._whose(queryset.model, term)):
            return queryset.filter(people), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(  # type: ignore[misc]
            request, queryset, search_term
        )
        return found

    def _whose(self, model: type[Model], address: str) -> Q:
        """The rows of whoever has this whole address, by the keys of these people: as part of
        other addresses it would be looked for in all of them. Nothing where nobody has it."""
        found = Q()
        for name in self.search_fields:  # type: ignore[attr-defined]
            relation, is_of_person, _rest = name.rpartition("__email")
            if is_of_person:
                people: Any = model._meta.get_field(relation).related_model
                ids = people.objects.filter(email__iexact=address).values_list("pk", flat=True)
                found |= Q(**{f"{relation}__in": list(ids)}) if ids else Q()
        return found


class AgeFilter(admin.SimpleListFilter):
    """When a row was made, by its id: ids are in the order of time, so their index answers."""

    title = _("age")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1", _("the last day")),
            ("7", _("the last 7 days")),
            ("30", _("the last 30 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value()
        if days not in {"1", "7", "30"}:
            return queryset
        return queryset.filter(pk__gte=first_id_at(timezone.now() - timedelta(days=int(days))))


class KnownValues(admin.SimpleListFilter):
    """By values that are known beforehand, without looking through all rows for them."""

    field: str

    def known(self) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return self.known()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


def _readings(model: type[Model], names: tuple[str, ...], term: str) -> Iterator[tuple[str, Any]]:
    """What the term means as a value of each field; nothing where it cannot be one."""
    for name in names:
        field: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
        try:
            yield name, _target(field).to_python(term)
        except (ValidationError, ValueError):
            continue


def _target(field: Any) -> "Field[Any, Any]":
    """A key to another row is read as that row's key."""
    while field.remote_field is not None:
        field = field.target_field
    found: Field[Any, Any] = field
    return found
