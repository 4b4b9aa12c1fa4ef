"""Tables of the app and who may see their rows."""

from knowledge.models.collections import Collection, Source
from knowledge.models.contents import DocumentText, Figure, Picture
from knowledge.models.documents import DeletedDocument, Document, Stage
from knowledge.models.passages import Chunk, Embedding, EmbeddingVersion

__all__ = [
    "Chunk",
    "Collection",
    "DeletedDocument",
    "Document",
    "DocumentText",
    "Embedding",
    "EmbeddingVersion",
    "Figure",
    "Picture",
    "Source",
    "Stage",
]
