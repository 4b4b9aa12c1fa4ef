"""Admin pages of rows that the product writes and people only read."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list and pages to read; nothing is added, changed or deleted by hand."""

    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LogAdmin(RecordAdmin):
    """Of rows that may be millions: newest first by their key, which is the one order that is fast.

    Every key here is made in the order of time.
    """

    ordering = ("-pk",)
    sortable_by: ClassVar[Any] = ()


class RecordInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows of a record shown with what they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class DeletedWhole:
    """Mixed into pages whose rows are deleted by a service with all that hangs on them.

    Django would ask for the right to delete each of those by hand, which nobody has, and would name
    them on the page, where titles of conversations do not belong.
    """

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        _named, counts, lacking, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        own = {self.opts.verbose_name}  # type: ignore[attr-defined]
        return [str(obj) for obj in objs], counts, set(lacking) & own, protected
