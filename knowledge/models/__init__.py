"""Tables of the app and who may see their rows."""

from knowledge.models.collections import Collection, is_collected, known_parts, spaces_of
from knowledge.models.contents import DocumentText, Figure, Picture
from knowledge.models.documents import DeletedDocument, Document, Stage
from knowledge.models.edits import PassageEdit
from knowledge.models.enrichments import DocumentEnrichment, PassageEnrichment
from knowledge.models.glossary import GlossaryEntry
from knowledge.models.golden import ExpectedPassage, GoldenQuestion
from knowledge.models.passages import Chunk, Embedding, EmbeddingVersion, StorageMeasurement
from knowledge.models.quality import (
    ApprovedAnswer,
    ApprovedSource,
    ApprovedWording,
    QualityPlan,
    QualityResult,
    QualityRun,
    QualityTuning,
    SearchWeights,
)
from knowledge.models.sources import Source, SourceItem, SyncRun
from knowledge.models.sums import ContentSum, DocumentCount
from knowledge.models.versions import DocumentVersion, Reading, VersionText

__all__ = [
    "ApprovedAnswer",
    "ApprovedSource",
    "ApprovedWording",
    "Chunk",
    "Collection",
    "ContentSum",
    "DeletedDocument",
    "Document",
    "DocumentCount",
    "DocumentEnrichment",
    "DocumentText",
    "DocumentVersion",
    "Embedding",
    "EmbeddingVersion",
    "ExpectedPassage",
    "Figure",
    "GlossaryEntry",
    "GoldenQuestion",
    "PassageEdit",
    "PassageEnrichment",
    "Picture",
    "QualityPlan",
    "QualityResult",
    "QualityRun",
    "QualityTuning",
    "Reading",
    "SearchWeights",
    "Source",
    "SourceItem",
    "Stage",
    "StorageMeasurement",
    "SyncRun",
    "VersionText",
    "is_collected",
    "known_parts",
    "spaces_of",
]
