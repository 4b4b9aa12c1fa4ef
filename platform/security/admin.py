from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from security import audit
from security.models import AuditEntry
from security.records import RecordAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    list_display = ("at", "act", "actor_email", "thing", "address", "token")
    list_filter = ("at", "act")
    search_fields = ("actor_email",)  # for the box to be there: see `get_search_results`
    search_help_text = _("An e-mail address, the id of a person, thing or token, or an IP address.")
    ordering = ("-id",)
    sortable_by = ()

    @admin.display(description=_("object"))
    def thing(self, entry: AuditEntry) -> str:
        """Its kind, and its name or the beginning of its id."""
        name = entry.title or _short(entry.object_id)
        return format_html("{} {}", _kind(entry.kind), name)

    @admin.display(description=_("API token"))
    def token(self, entry: AuditEntry) -> str:
        return _short(str(entry.token_id or ""))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Exact matches only, each by an index."""
        term = search_term.strip().lower()
        return (queryset.filter(_matching(term)) if term else queryset), False


def _kind(model_name: str) -> str:
    """What people call it; the code itself for what the product does not have any more."""
    names = (model._meta for model in apps.get_models())
    found = (meta.verbose_name for meta in names if meta.model_name == model_name)
    return str(next(found, model_name))


def _short(pk: str) -> str:
    """Ids made in the same minute begin alike; the whole of it is in the tooltip."""
    shown = f"…{pk[-8:]}" if len(pk) > 12 else pk
    return format_html('<code title="{}">{}</code>', pk, shown) if pk else ""


def _matching(term: str) -> Q:
    if "@" in term:
        return Q(actor_email=term)
    try:
        return Q(actor_id=UUID(term)) | Q(object_id=term) | Q(token_id=UUID(term))
    except ValueError:
        pass
    address = audit.parse_address(term)
    return Q(address=address) if address else Q(object_id=term)
