"""A question as both legs of a search need it: its terms, and its vector."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.payers import payer_of
from gateway.embedding.embedder import LOCAL_NAME, Embedder, get_embedder
from gateway.labels import Demand
from gateway.types import Payer
from knowledge.analyzer import analyze, term_id
from knowledge.labels import embedding_demands
from knowledge.models import EmbeddingVersion
from knowledge.retrieval.fusion import choose_alpha

log = logging.getLogger(__name__)

LONGEST_QUESTION = 4_000  # characters

EmbedderFor = Callable[[str], Embedder]  # by the name of a model


@dataclass(frozen=True, slots=True)
class Question:
    """A question as both legs need it; `vector` is None where the dense leg has no weight."""

    text: str
    counts: Mapping[int, int]
    words: Mapping[int, str]
    alpha: float
    vector: str | None
    version: EmbeddingVersion
    least: float = 0.0  # the likeness from which a passage may answer it (`thresholds`)


def embed_for(
    collections: Sequence[UUID] | None,
    demands: Sequence[Demand],
    user: User | AnonymousUser | None = None,
    payer: Payer | None = None,
    *,
    remember: bool = True,
) -> EmbedderFor:
    """Gives the embedder of a model that may see a question asked of these collections, on the
    account of `payer`, else of `user`."""

    def find(model: str) -> Embedder:
        if model == LOCAL_NAME:
            return get_embedder(model)
        pays = payer or payer_of(user, "embedding")
        demanded = embedding_demands(model, collections, demands)
        return get_embedder(model, demanded, payer=pays, remember=remember)

    return find


def prepare(
    queries: Sequence[str],
    embedder_for: EmbedderFor,
    version: EmbeddingVersion,
    shares: Sequence[float | None] = (),
) -> list[Question]:
    """Each query ready for both legs, embedded in one batch where the dense leg counts; `shares`
    are its weights for each instead of the measured one. Of a longer query only the beginning is
    used."""
    queries = [query[:LONGEST_QUESTION] for query in queries]
    alphas = [
        choose_alpha(query, version.model, is_multilingual=version.is_multilingual)
        if share is None
        else share
        for query, share in zip(queries, shares or [None] * len(queries), strict=True)
    ]
    vectors = _embedded(queries, alphas, embedder_for, version)
    return [
        _question(query, share if vector or share == 0 else 0.0, vector, version)
        for query, share, vector in zip(queries, alphas, vectors, strict=True)
    ]


def _embedded(
    queries: Sequence[str],
    alphas: Sequence[float],
    embedder_for: EmbedderFor,
    version: EmbeddingVersion,
) -> list[str | None]:
    """A vector as Postgres reads it for each query that needs one."""
    wanted = [n for n, query in enumerate(queries) if alphas[n] > 0 and query.strip()]
    found: list[str | None] = [None] * len(queries)
    if not wanted:
        return found
    rows = embedder_for(version.model).embed([queries[n] for n in wanted])
    for n, row in zip(wanted, rows, strict=True):
        if len(row) == version.dimensions:
            found[n] = "[" + ",".join(f"{value:.5g}" for value in row) + "]"
        else:  # somebody changed the model behind its name: words alone, rather than chance
            log.warning("vectors of %s have %d dimensions now", version.model, len(row))
    return found


def _question(query: str, alpha: float, vector: str | None, version: EmbeddingVersion) -> Question:
    counted = Counter(analyze(query))
    return Question(
        text=query,
        counts={term_id(term): count for term, count in counted.items()},
        words={term_id(term): term for term in counted},
        alpha=alpha,
        vector=vector,
        version=version,
    )
