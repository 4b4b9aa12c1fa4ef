from django.urls import path

from knowledge.views import access, bulk, collections, documents, reader, search, viewing

app_name = "knowledge"
urlpatterns = [
    path("", collections.home, name="home"),
    path("search/", search.search, name="search"),
    path("<uuid:collection_id>/", collections.collection, name="collection"),
    path("<uuid:collection_id>/documents", collections.documents, name="documents"),
    path("<uuid:collection_id>/progress", collections.progress, name="progress"),
    path("<uuid:collection_id>/upload", documents.upload, name="upload"),
    path("<uuid:collection_id>/access/", access.access, name="access"),
    path("<uuid:collection_id>/access/<uuid:grant_id>/revoke", access.revoke, name="revoke"),
    path("<uuid:collection_id>/view-as/", viewing.view_as, name="view_as"),
    path("<uuid:collection_id>/bulk", bulk.change, name="bulk"),
    path("<uuid:collection_id>/settings/", collections.collection_settings, name="settings"),
    path("<uuid:collection_id>/delete", collections.delete_collection, name="delete"),
    path("documents/<uuid:document_id>/", reader.document, name="document"),
    path("documents/<uuid:document_id>/passages", reader.passages, name="passages"),
    path("documents/<uuid:document_id>/places", reader.places, name="places"),
    path("documents/<uuid:document_id>/status", documents.status, name="document_status"),
    path("documents/<uuid:document_id>/preview", documents.preview, name="preview"),
    path("documents/<uuid:document_id>/reindex", documents.reindex, name="reindex"),
    path("documents/<uuid:document_id>/delete", documents.delete, name="delete_document"),
]
