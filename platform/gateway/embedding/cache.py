"""Vectors of texts that were asked for lately, by what determines them.

None is used for longer than a day, since a server may get another model under the same name.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import numpy as np
import orjson

from caching.batch import Batch
from caching.cache import Cache
from gateway.embedding.wire import Vectors
from gateway.types import Route

MOST_TEXTS = 512  # of a request that is looked up; who sends more loads documents


def _vector(packed: bytes) -> Vectors:
    return np.frombuffer(packed, "<f4").astype(np.float32)


VECTORS: Cache[Vectors] = Cache(
    "vectors",
    ttl=24 * 3600,
    size=50_000,
    most_bytes=32 * 1024 * 1024,  # of 512 MB that the embedded Redis may take
    pack=lambda vector: vector.astype("<f4").tobytes(),
    unpack=_vector,
)


def revision_of(name: str, dimensions: int | None, routes: Iterable[Route]) -> bytes:
    """What a model's vectors depend on beside the text; never the same for two models, or for two
    servers."""
    served = sorted(
        orjson.dumps(
            [route.base_url, route.upstream_name, route.extra_body], option=orjson.OPT_SORT_KEYS
        ).decode()
        for route in routes
    )
    return orjson.dumps([name, dimensions, list(dict.fromkeys(served))])


async def recalled(
    revision: bytes,
    texts: Sequence[str],
    ask: Callable[[Sequence[str]], Awaitable[Sequence[Vectors]]],
) -> dict[str, Vectors]:
    """The vectors of these texts: what is remembered, and what `ask` gives for the others."""
    batch: Batch[tuple[bytes, str], Vectors] = await Batch.recall(
        VECTORS, [(revision, text) for text in texts]
    )
    known = {text: vector for (_revision, text), vector in batch.found.items()}
    if missing := [text for text in texts if text not in known]:
        fresh = dict(zip(missing, await ask(missing), strict=True))
        await batch.keep({(revision, text): vector for text, vector in fresh.items()})
        known |= fresh
    return known
