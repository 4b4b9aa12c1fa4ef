"""Vectors of passages that a curator made: computed before anything is locked."""

from collections.abc import Sequence

from accounts.models import User
from accounts.payers import payer_of
from gateway.embedding.embedder import (
    LOCAL_NAME,
    Embedder,
    EmbedderUnavailable,
    Vectors,
    get_embedder,
)
from gateway.errors import BudgetExhausted, GatewayError
from gateway.labels import LabelUnmet
from knowledge.analyzer import is_cjk
from knowledge.chunking import index_text
from knowledge.curation.errors import EditRefused
from knowledge.labels import embedding_demands
from knowledge.models import Document, EmbeddingVersion
from knowledge.types import ChunkDraft

AWAY = "The embedding model did not answer. Nothing was changed; try again."


def embed(
    user: User, document: Document, drafts: Sequence[ChunkDraft], version: EmbeddingVersion
) -> dict[str, Vectors]:
    """By the text of the passage, on the account of `user`. Raises `EditRefused` where the model
    may not see the document or does not answer, and `BudgetExhausted`."""
    if not drafts:
        return {}
    try:
        embedder = _embedder(user, document, version.model)
        wanted = [d for d in drafts if embedder.is_multilingual or not is_cjk(d.text)]
        texts = [
            index_text(document.title, d.heading_path, d.text, d.head, d.context) for d in wanted
        ]
        vectors: Sequence[Vectors] = list(embedder.embed(texts)) if texts else []
    except LabelUnmet as error:
        raise EditRefused(str(error)) from error
    except BudgetExhausted:
        raise
    except (EmbedderUnavailable, GatewayError) as error:
        raise EditRefused(AWAY) from error
    return {draft.text: vector for draft, vector in zip(wanted, vectors, strict=True)}


def _embedder(user: User, document: Document, model: str) -> Embedder:
    if model == LOCAL_NAME:
        return get_embedder(model)
    demands = embedding_demands(model, [document.collection_id])
    return get_embedder(model, demands, payer=payer_of(user, "embedding"), remember=False)
