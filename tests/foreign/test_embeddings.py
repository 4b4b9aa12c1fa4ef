"""Vectors of a server that is not ours, through batches, cache and routes."""

import asyncio
from uuid import uuid4

import numpy as np

from caching.flushing import flush
from gateway.embedding.remote import RemoteEmbedder
from gateway.models import Model
from gateway.types import Route
from gateway.upstream.session import close_pool

TEXTS = [f"the year {n}" for n in range(1990, 2022)]


def test_llama_cpp_embeds_what_comes_at_the_same_time_together(embedding_url):
    rows = []

    async def record(call, _shares):
        rows.append(call)

    routes = [Route("tiny", "tiny", "llama", embedding_url, deployment_id=uuid4())]
    embedder = RemoteEmbedder(Model(name="tiny"), routes, record=record)

    async def ask():
        try:
            alone = await embedder.embed_async(TEXTS)
            flush("vectors")
            asked = [embedder.embed_async([text]) for text in TEXTS]
            return alone, np.concatenate(await asyncio.gather(*asked))
        finally:
            await close_pool()

    flush("vectors")
    alone, together = asyncio.run(ask())
    assert np.allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-5)
    assert np.allclose(alone, together, atol=1e-3)
    assert len(rows) < len(TEXTS) / 4
    assert {call.outcome for call in rows} == {"completed"}
    assert all(call.usage.prompt_tokens for call in rows)
