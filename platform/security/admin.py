from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from security import audit
from security.models import AuditEntry
from security.records import RecordAdmin

SHOWN = 10_000  # entries that pages lead to; filters and the search lead to older ones


class ShortPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than it shows: a million rows are counted as fast as ten thousand."""

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        return int(found.order_by()[:SHOWN].count())


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    list_display = ("at", "act", "actor_email", "kind", "title", "object_id", "address", "token_id")
    list_filter = ("at", "act")
    search_fields = ("actor_email",)  # for the box to be there: see `get_search_results`
    search_help_text = _("An e-mail address, the id of a person, thing or token, or an IP address.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = ShortPaginator

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Exact matches only, each by an index."""
        term = search_term.strip().lower()
        return (queryset.filter(_matching(term)) if term else queryset), False


def _matching(term: str) -> Q:
    if "@" in term:
        return Q(actor_email=term)
    try:
        return Q(actor_id=UUID(term)) | Q(object_id=term) | Q(token_id=UUID(term))
    except ValueError:
        pass
    address = audit.parse_address(term)
    return Q(address=address) if address else Q(object_id=term)
