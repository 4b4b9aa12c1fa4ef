from django.urls import path

from knowledge.embeddings import views as embeddings
from knowledge.enrichment import views as enrichment
from knowledge.views import (
    access,
    bulk,
    collections,
    control,
    curation,
    documents,
    reader,
    search,
    sources,
    trials,
    understanding,
    versions,
    viewing,
)

app_name = "knowledge"
urlpatterns = [
    path("", collections.home, name="home"),
    path("search/", search.search, name="search"),
    path("search/compare/", trials.compare, name="compare"),
    path("search/golden", trials.save_golden, name="save_golden"),
    path("search-index/", embeddings.search_index, name="search_index"),
    path("search-index/act", embeddings.act, name="search_index_act"),
    path("<uuid:collection_id>/", collections.collection, name="collection"),
    path("<uuid:collection_id>/documents", collections.documents, name="documents"),
    path("<uuid:collection_id>/progress", collections.progress, name="progress"),
    path("<uuid:collection_id>/upload", documents.upload, name="upload"),
    path("<uuid:collection_id>/access/", access.access, name="access"),
    path("<uuid:collection_id>/access/<uuid:grant_id>/revoke", access.revoke, name="revoke"),
    path("<uuid:collection_id>/view-as/", viewing.view_as, name="view_as"),
    path("<uuid:collection_id>/bulk", bulk.change, name="bulk"),
    path("<uuid:collection_id>/settings/", collections.collection_settings, name="settings"),
    path(
        "<uuid:collection_id>/search-index/", embeddings.collection_index, name="collection_index"
    ),
    path("<uuid:collection_id>/enrichment/", enrichment.enrichment, name="enrichment"),
    path("<uuid:collection_id>/enrichment/switch", enrichment.switch, name="switch_enrichment"),
    path("<uuid:collection_id>/understanding/", understanding.understanding, name="understanding"),
    path("<uuid:collection_id>/understanding/switches", understanding.switch, name="switch"),
    path("<uuid:collection_id>/glossary", understanding.add_entry, name="add_entry"),
    path(
        "<uuid:collection_id>/glossary/import", understanding.import_entries, name="import_entries"
    ),
    path("<uuid:collection_id>/glossary.csv", understanding.export_entries, name="export_entries"),
    path("glossary/<uuid:entry_id>", understanding.change_entry, name="change_entry"),
    path("<uuid:collection_id>/delete", collections.delete_collection, name="delete"),
    path("<uuid:collection_id>/sources/", sources.sources, name="sources"),
    path("<uuid:collection_id>/sources/new/<slug:kind>/", sources.add, name="add_source"),
    path("sources/<uuid:source_id>/", sources.source, name="source"),
    path("sources/<uuid:source_id>/progress", sources.progress, name="source_progress"),
    path("sources/<uuid:source_id>/settings/", sources.edit, name="edit_source"),
    path("sources/<uuid:source_id>/act", sources.act, name="source_act"),
    path("sources/<uuid:source_id>/delete", sources.delete, name="delete_source"),
    path("documents/<uuid:document_id>/", reader.document, name="document"),
    path("documents/<uuid:document_id>/passages", reader.passages, name="passages"),
    path("documents/<uuid:document_id>/places", reader.places, name="places"),
    path("documents/<uuid:document_id>/curation/", curation.curation, name="curation"),
    path("documents/<uuid:document_id>/edit", curation.edit, name="edit_passage"),
    path("edits/<uuid:edit_id>/undo", curation.undo, name="undo_edit"),
    path("documents/<uuid:document_id>/versions/", versions.versions, name="versions"),
    path("documents/<uuid:document_id>/versions/upload", versions.upload, name="upload_version"),
    path("documents/<uuid:document_id>/versions/<int:number>/", versions.version, name="version"),
    path(
        "documents/<uuid:document_id>/versions/<int:number>/restore",
        versions.restore,
        name="restore_version",
    ),
    path("documents/<uuid:document_id>/order", control.order_one, name="order_document"),
    path("<uuid:collection_id>/order", control.order, name="order"),
    path("documents/<uuid:document_id>/status", documents.status, name="document_status"),
    path("documents/<uuid:document_id>/preview", documents.preview, name="preview"),
    path("documents/<uuid:document_id>/reindex", documents.reindex, name="reindex"),
    path("documents/<uuid:document_id>/delete", documents.delete, name="delete_document"),
]
