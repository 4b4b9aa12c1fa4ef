"""Enrichment for programs; for those who may edit the collection."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Query, Router, Status

from accounts.access import require_editable
from accounts.callers import READ, WRITE, caller
from knowledge.enrichment import services
from knowledge.enrichment.asking import EnrichmentFailed
from knowledge.enrichment.estimates import estimate
from knowledge.enrichment.schemas import (
    EnrichmentIn,
    EnrichmentOut,
    EnrichmentQuery,
    WrittenOut,
    shown,
)
from knowledge.models import Chunk, Collection, Document, DocumentEnrichment

router = Router(tags=["Enrichment"])
MOST = 2_000  # passages in an answer


@router.get(
    "/collections/{uuid:collection_id}/enrichment", response=EnrichmentOut, auth=READ,
    summary="Read the enrichment of a collection", operation_id="get_enrichment",
)  # fmt: skip
def get_enrichment(request: HttpRequest, collection_id: UUID, asked: Query[EnrichmentQuery]) -> Any:
    """Whether a model writes about what is in it, how far that is, and, with `model`, what it would
    take. Needs the role editor."""
    collection = require_editable(Collection.objects, caller(request), collection_id)
    try:
        found = estimate(collection, asked.model) if asked.model else None
    except EnrichmentFailed:
        raise Http404 from None
    return shown(services.find_state(collection), services.list_models(), found)


@router.put(
    "/collections/{uuid:collection_id}/enrichment", response={202: EnrichmentOut}, auth=WRITE,
    summary="Switch enrichment on", operation_id="switch_enrichment_on",
)  # fmt: skip
def switch_on(request: HttpRequest, collection_id: UUID, body: EnrichmentIn) -> Any:
    """With this model, on your account, held to your budgets; what it takes says
    `GET …/enrichment?model=`. Sent again it enriches what is missing. Needs the role editor."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    services.switch_on(user, collection, body.model)
    return Status(202, shown(services.find_state(collection), services.list_models(), None))


@router.delete(
    "/collections/{uuid:collection_id}/enrichment", response={204: None}, auth=WRITE,
    summary="Switch enrichment off", operation_id="switch_enrichment_off",
)  # fmt: skip
def switch_off(request: HttpRequest, collection_id: UUID) -> Any:
    """What was written leaves the index. Twice is once. Needs the role editor."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    services.switch_off(user, collection)
    return Status(204, None)


@router.get(
    "/documents/{uuid:document_id}/enrichment", response=WrittenOut, auth=READ,
    summary="Read what a model wrote about a document", operation_id="get_document_enrichment",
)  # fmt: skip
def read_written(request: HttpRequest, document_id: UUID) -> Any:
    """404 where nothing was written. Needs the role editor."""
    user = caller(request)
    document = require_editable(Document.objects, user, document_id)
    about = DocumentEnrichment.objects.visible_to(user).filter(document=document).first()
    if about is None:
        raise Http404
    chunks = Chunk.objects.editable_by(user).filter(document=document).exclude(context="")
    rows = chunks.order_by("position").values_list("position", "pk", "context")[:MOST]
    names = ("document_id", "title", "summary", "key_phrases", "model", "prompt", "made_at")
    return {name: getattr(about, name) for name in names} | {
        "passages": [
            {"position": position, "chunk_id": pk, "context": context}
            for position, pk, context in rows
        ]
    }
