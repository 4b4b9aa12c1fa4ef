"""Embeddings from the endpoints of a model: routed like chat, sent together, remembered."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gateway.embedding.background import run
from gateway.embedding.batching import REQUEST_CHARACTERS, REQUEST_TEXTS, Record
from gateway.embedding.cache import MOST_TEXTS, recalled, revision_of
from gateway.embedding.exchange import current_exchange
from gateway.embedding.wire import Vectors
from gateway.errors import UpstreamFailed
from gateway.metering.recording import record_shared_call
from gateway.routing.errand import Trip, run_errand
from gateway.routing.needs import needs_of_texts
from gateway.types import NOBODY, Payer, Route
from security.sentences import Sentence

if TYPE_CHECKING:
    from gateway.models import Model

AT_ONCE = 4  # requests of one caller; the texts of several callers go together anyway

__all__ = ["REQUEST_TEXTS", "RemoteEmbedder"]


class RemoteEmbedder:
    """An embedding model of the gateway for one payer: safe to use from any thread and loop.

    With `remember` off nothing of the texts is kept: those of documents have their vectors as rows,
    and what is said in a temporary chat leaves nothing.
    """

    def __init__(
        self,
        model: "Model",
        routes: Sequence[Route],
        *,
        payer: Payer = NOBODY,
        remember: bool = True,
        record: Record = record_shared_call,
    ) -> None:
        self.name = model.name
        self.is_multilingual = model.is_multilingual
        self._dimensions = model.dimensions
        self._routes = tuple(routes)
        self._payer = payer
        self._remembers = remember
        self._record = record
        self._revision = revision_of(model.name, model.dimensions, routes)

    @property
    def dimensions(self) -> int:
        """The model's own number; asked of the endpoint once where nobody entered it."""
        if self._dimensions is None:
            self._dimensions = int(self.embed(["dimensions"]).shape[1])
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector for each text; raise `GatewayError` when no endpoint answers.

        For threads; on an event loop `embed_async` is what waits without holding it up.
        """
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        return run(self.embed_async(texts))

    async def embed_async(self, texts: Sequence[str]) -> Vectors:
        """The same for at least one text. Equal texts are sent once."""
        distinct = list(dict.fromkeys(texts))
        if self._remembers and len(distinct) <= MOST_TEXTS:
            known = await recalled(self._revision, distinct, self._ask)
        else:
            known = dict(zip(distinct, await self._ask(distinct), strict=True))
        vectors = [known[text] for text in texts]
        self._check({len(vector) for vector in vectors})
        return np.stack(vectors)

    async def _ask(self, texts: Sequence[str]) -> list[Vectors]:
        """From the endpoints, a few requests at a time."""
        parts = list(_parts(texts))
        found: list[Vectors] = []
        for start in range(0, len(parts), AT_ONCE):
            some = parts[start : start + AT_ONCE]
            asked = [asyncio.ensure_future(self._ask_part(part)) for part in some]
            try:
                for vectors in await asyncio.gather(*asked):
                    found.extend(vectors)
            finally:
                for one in asked:
                    one.cancel()
        return found

    async def _ask_part(self, texts: Sequence[str]) -> Vectors:
        exchange = current_exchange()

        async def go(trip: Trip) -> Vectors:
            batcher = exchange.batcher(trip.route)
            vectors = await batcher.embed(trip, texts, self._payer, self._record)
            self._check({vectors.shape[1]})
            return vectors

        return await run_errand(self._routes, needs_of_texts(texts), go, exchange.speeds)

    def _check(self, sizes: set[int]) -> None:
        if self._dimensions is not None:
            sizes = sizes | {self._dimensions}
        if len(sizes) > 1:
            raise UpstreamFailed(Sentence("dimensions_differ", found=sorted(sizes)))


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Requests of bounded size."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and (len(part) == REQUEST_TEXTS or size + len(text) > REQUEST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
