"""What is done on the pages of the admin, in the audit log."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from security import audit
from security.acts import Act


class AuditedAdmin:
    """Mixed into every page of the admin: what is done there is in the audit log too."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        audit.record(Act.ADMIN_ADDED, obj)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Names the fields, never what was or is in them."""
        audit.record(Act.ADMIN_CHANGED, obj, fields=_fields(message))
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            audit.record(Act.ADMIN_DELETED, obj)
        logged = super().log_deletions(request, queryset)  # type: ignore[misc]
        for obj in queryset:
            if obj._meta.model_name in audit.UNNAMED:  # Django's own log has written the title down
                kind = ContentType.objects.get_for_model(obj)
                entries = LogEntry.objects.filter(content_type=kind, object_id=str(obj.pk))
                entries.update(object_repr=str(obj.pk))
        return logged

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Deleting a selection is one transaction with its entries."""
        answer = super().response_action  # type: ignore[misc]
        if "delete_selected" not in request.POST.getlist("action"):
            return answer(request, queryset)  # type: ignore[no-any-return]
        with transaction.atomic():
            return answer(request, queryset)  # type: ignore[no-any-return]


def _fields(message: Any) -> list[str]:
    changes = message if isinstance(message, list) else []
    return sorted({str(name) for change in changes for part in change.values()
                   for name in part.get("fields", [])})  # fmt: skip
