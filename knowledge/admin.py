from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Length
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from knowledge import services
from knowledge.models import (
    Chunk,
    Collection,
    Document,
    DocumentText,
    DocumentVersion,
    Embedding,
    EmbeddingVersion,
    Source,
    Stage,
    StorageMeasurement,
    SyncRun,
)
from knowledge.rows import LANGUAGES, TYPE_NAMES
from security.lists import AgeFilter, KnownValues
from security.records import DeletedWhole, LogAdmin, RecordAdmin, RecordInline

OF_A_DOCUMENT = _("The id of a document.")


class TypeFilter(KnownValues):
    title = _("type")
    parameter_name = field = "media_type"

    def known(self) -> list[tuple[str, Any]]:
        return list(TYPE_NAMES.items())


class LanguageFilter(KnownValues):
    title = _("language")
    parameter_name = field = "language"

    def known(self) -> list[tuple[str, Any]]:
        return list(LANGUAGES.items())


class SourceInline(RecordInline):
    model = Source
    fields = ("name", "kind", "schedule", "is_paused", "next_run_at")
    readonly_fields = fields
    show_change_link = True


class StageInline(RecordInline):
    model = Stage
    fields = ("name", "status", "done", "total", "reason", "started_at", "finished_at")
    readonly_fields = fields
    show_change_link = False


@admin.register(Collection)
class CollectionAdmin(DeletedWhole, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "owner", "document_count", "updated_at")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    exact_fields = ("id", "owner")
    search_fields = ("name", "description", "owner__email")
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "created_at", "updated_at")
    inlines = (SourceInline,)
    actions = ("reindex",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        collections: QuerySet[Collection] = super().get_queryset(request).filter(is_shelf=False)
        counted: Any = Document.objects.filter(collection=OuterRef("pk")).order_by()
        counted = counted.values("collection").annotate(n=Count("pk")).values("n")
        return collections.annotate(document_count=Coalesce(Subquery(counted), 0))

    def delete_model(self, request: HttpRequest, obj: Collection) -> None:
        services.delete_collection(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Collection]) -> None:
        for collection in queryset:
            services.delete_collection(collection)

    @admin.display(description=_("documents"))
    def document_count(self, collection: Any) -> int:
        count: int = collection.document_count
        return count

    @admin.action(description=_("Index all documents again"), permissions=["change"])
    def reindex(self, request: HttpRequest, queryset: QuerySet[Collection]) -> None:
        documents = Document.objects.filter(collection__in=queryset.values("pk"))
        _queue(self, request, documents, services.reindex_document)


@admin.register(Source)
class SourceAdmin(LogAdmin):
    """Sources are set up on the pages of their collection, where their settings are checked."""

    list_display = (
        "name", "kind", "collection", "schedule", "is_paused", "next_run_at", "created_at",
    )  # fmt: skip
    list_filter = ("kind", "schedule", "is_paused")
    list_select_related = ("collection",)
    exact_fields = ("id", "collection")
    search_fields = ("name", "collection__name")
    exclude = ("secret",)


@admin.register(SyncRun)
class SyncRunAdmin(LogAdmin):
    list_display = (
        "source", "status", "added", "changed", "unchanged", "removed", "failed", "created_at",
        "finished_at",
    )  # fmt: skip
    list_filter = ("status", "is_preview", "is_scheduled", AgeFilter)
    list_select_related = ("source",)
    exact_fields = ("id", "source", "job_id")
    search_fields = ("source__name",)


@admin.register(Document)
class DocumentAdmin(DeletedWhole, LogAdmin):
    """Documents come in by upload; here they are indexed again and deleted."""

    list_display = (
        "title", "collection", "status", "media_type", "size", "page_count", "chunk_count",
        "added_by", "created_at",
    )  # fmt: skip
    list_filter = ("status", TypeFilter, LanguageFilter, AgeFilter)
    list_select_related = ("collection", "added_by")
    exact_fields = ("id", "collection", "job_id")
    search_fields = ("title", "file_name")
    search_help_text = _("A part of the title or file name; or the id of a document, a collection "
        "or a job.")  # fmt: skip
    inlines = (StageInline,)
    actions = ("retry", "reindex")

    def has_index_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("knowledge.change_document")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("knowledge.delete_document")

    def delete_model(self, request: HttpRequest, obj: Document) -> None:
        services.delete_document(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        for document in queryset:
            services.delete_document(document)

    @admin.action(description=_("Try again those that failed"), permissions=["index"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        failed = queryset.filter(status=Document.Status.FAILED)
        _queue(self, request, failed, services.retry_document)

    @admin.action(description=_("Index again"), permissions=["index"])
    def reindex(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        _queue(self, request, queryset, services.reindex_document)


@admin.register(DocumentText)
class DocumentTextAdmin(LogAdmin):
    list_display = ("document", "characters")
    list_select_related = ("document",)
    exact_fields = ("document",)
    search_help_text = OF_A_DOCUMENT

    def get_queryset(self, request: HttpRequest) -> QuerySet[DocumentText]:
        texts: QuerySet[DocumentText] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and str(match.url_name).endswith("changelist")
        if not is_list:
            return texts
        return texts.defer("text", "layout").annotate(length=Length("text"))

    @admin.display(description=_("characters"))
    def characters(self, text: Any) -> int:
        length: int = text.length
        return length


@admin.register(DocumentVersion)
class DocumentVersionAdmin(LogAdmin):
    list_display = (
        "document", "number", "state", "media_type", "size", "source", "added_by", "made_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("document", "source", "added_by")
    exact_fields = ("document",)
    search_help_text = OF_A_DOCUMENT


@admin.register(Stage)
class StageAdmin(LogAdmin):
    list_display = ("document", "name", "status", "done", "total", "reason", "finished_at")
    list_filter = ("name", "status")
    list_select_related = ("document",)
    exact_fields = ("document",)
    search_help_text = OF_A_DOCUMENT


@admin.register(Chunk)
class ChunkAdmin(LogAdmin):
    list_display = ("document", "position", "beginning", "page", "script", "length", "version")
    list_filter = ("script",)
    list_select_related = ("document",)
    exact_fields = ("id", "document")
    search_help_text = _("The id of a passage or of a document.")
    exclude = ("terms", "bm25")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chunk]:
        chunks: QuerySet[Chunk] = super().get_queryset(request)
        return chunks.defer("terms", "bm25")

    @admin.display(description=_("text"))
    def beginning(self, chunk: Chunk) -> str:
        return Truncator(chunk.text).chars(80)


@admin.register(EmbeddingVersion)
class EmbeddingVersionAdmin(RecordAdmin):
    list_display = (
        "id",
        "model",
        "dimensions",
        "storage",
        "state",
        "is_multilingual",
        "created_at",
    )
    list_filter = ("state", "storage")
    exclude = ("probe",)
    search_fields = ("model",)


@admin.register(StorageMeasurement)
class StorageMeasurementAdmin(LogAdmin):
    list_display = ("id", "model", "dimensions", "sample", "rate", "measured_at")


@admin.register(Embedding)
class EmbeddingAdmin(LogAdmin):
    list_display = ("id", "chunk_id", "version", "script")
    list_filter = ("version", "script")
    list_select_related = ("version",)
    exact_fields = ("chunk",)
    search_help_text = _("The id of a passage.")
    exclude = ("vector", "precise")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Embedding]:
        embeddings: QuerySet[Embedding] = super().get_queryset(request)
        return embeddings.defer("vector", "precise")


def _queue(
    page: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    documents: QuerySet[Document],
    service: Callable[[Document], None],
) -> None:
    found = list(documents)
    for document in found:
        service(document)
    text = _("%(count)s documents are waiting to be indexed.") % {"count": len(found)}
    page.message_user(request, text, messages.SUCCESS)
