"""A question as both legs of a search need it: its terms, and its vector."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from threading import Lock
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.payers import payer_of
from gateway.embedding.embedder import LOCAL_NAME, WORKERS, Embedder, get_embedder
from gateway.labels import Demand
from gateway.types import Payer
from knowledge.analyzer import analyze, term_id
from knowledge.labels import embedding_demands
from knowledge.models import EmbeddingVersion
from knowledge.retrieval.fusion import choose_alpha
from knowledge.retrieval.types import Least

log = logging.getLogger(__name__)

LONGEST_QUESTION = 4_000  # characters
ANY = Least()

EmbedderFor = Callable[[str], Embedder]  # by the name of a model
Vectors = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Question:
    """A question as both legs need it; `vector` is None until it is embedded, and where the
    dense leg has no weight."""

    text: str
    counts: Mapping[int, int]
    words: Mapping[int, str]
    alpha: float
    vector: str | None
    version: EmbeddingVersion
    least: Least = ANY


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


class Prepared:
    """Questions whose words are ready, while their vectors may still be on the way; how long they
    were waited for is in `waited_ms`."""

    def __init__(self, words: Sequence[Question], vectors: Callable[[], Vectors]) -> None:
        self.words = words
        self.waited_ms = 0.0
        self._vectors = vectors
        self._whole: list[Question] = []
        self._lock = Lock()  # one waits for the vectors of all, and what it waited counts once

    def whole(self) -> list[Question]:
        """With their vectors; raises what the embedder raises."""
        with self._lock:
            if not self._whole:
                began = time.perf_counter()
                vectors = self._vectors()
                self.waited_ms += (time.perf_counter() - began) * 1000
                self._whole = [
                    replace(one, vector=vector, alpha=one.alpha if vector else 0.0)
                    for one, vector in zip(self.words, vectors, strict=True)
                ]
            return self._whole

    def of(self, n: int) -> "Prepared":
        """One of them by itself."""
        part = slice(n, n + 1)
        return Prepared(self.words[part], lambda: [one.vector for one in self.whole()[part]])


def prepare(
    queries: Sequence[str],
    embedder_for: EmbedderFor,
    version: EmbeddingVersion,
    shares: Sequence[float | None] = (),
    least: Sequence[Least] = (),
) -> Prepared:
    """Each query ready for both legs, embedded in one batch where the dense leg counts; `shares`
    are its weights for each instead of the measured one, `least` the likenesses from which a
    passage may answer. Of a longer query only the beginning is used.

    The embedder in this process makes the vectors in a thread meanwhile; for another one all wait
    here, so that no transaction is held while a call is answered.
    """
    queries = [query[:LONGEST_QUESTION] for query in queries]
    alphas = [
        choose_alpha(query, version.model, is_multilingual=version.is_multilingual)
        if share is None
        else share
        for query, share in zip(queries, shares or [None] * len(queries), strict=True)
    ]
    embed = partial(_embedded, queries, alphas, embedder_for, version)
    is_beside = version.model == LOCAL_NAME and any(alphas)
    vectors = _embedding().submit(embed).result if is_beside else embed
    words = [
        _question(query, alpha, version, one)
        for query, alpha, one in zip(queries, alphas, least or [ANY] * len(queries), strict=True)
    ]
    prepared = Prepared(words, vectors)
    if not is_beside:
        prepared.whole()
    return prepared


@cache
def _embedding() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, "question")


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


def _question(query: str, alpha: float, version: EmbeddingVersion, least: Least) -> Question:
    counted = Counter(analyze(query))
    return Question(
        text=query,
        counts={term_id(term): count for term, count in counted.items()},
        words={term_id(term): term for term in counted},
        alpha=alpha,
        vector=None,
        version=version,
        least=least,
    )
