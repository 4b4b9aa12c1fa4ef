"""Tables of the app and who may see their rows."""

from knowledge.models.collections import Collection
from knowledge.models.contents import DocumentText, Figure, Picture
from knowledge.models.documents import DeletedDocument, Document, Stage
from knowledge.models.passages import Chunk, Embedding, EmbeddingVersion
from knowledge.models.versions import DocumentVersion, Reading, VersionText
from knowledge.models.sources import Source, SourceItem, SyncRun

__all__ = [
    "Chunk",
    "Collection",
    "DeletedDocument",
    "Document",
    "DocumentText",
    "DocumentVersion",
    "Embedding",
    "EmbeddingVersion",
    "Figure",
    "Picture",
    "Reading",
    "Source",
    "SourceItem",
    "Stage",
    "VersionText",
    "SyncRun",
]
