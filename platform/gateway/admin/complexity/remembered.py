"""What every process remembers of complexity routing is read anew after a change."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from gateway.admin.base import RoutesAdmin
from gateway.complexity.aliases import forget_aliases


class Remembered(RoutesAdmin):
    """Every change takes effect with the next question."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        forget_aliases()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        forget_aliases()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        forget_aliases()
