"""What the pages of endpoints, models and deployments have in common."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from gateway.routing.routes import forget_routes


class RoutesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Every change takes effect with the next request to a model."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        forget_routes()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        forget_routes()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        forget_routes()

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, _("%(count)s enabled."), is_enabled=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, _("%(count)s disabled."), is_enabled=False)

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Any], said: Any, **change: bool
    ) -> None:
        count = queryset.update(**change)
        forget_routes()
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
