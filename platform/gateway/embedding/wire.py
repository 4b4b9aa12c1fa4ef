"""One request for vectors, as the OpenAI protocol has it."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.errors import UpstreamFailed
from gateway.types import Route, TokenUsage
from gateway.upstream.asking import ask
from gateway.upstream.payloads import input_usage
from gateway.upstream.session import current_pool
from security.sentences import Sentence

Vectors: TypeAlias = NDArray[np.float32]

LARGEST_ANSWER = 32 * 1024 * 1024  # bytes: 64 vectors of 16,000 dimensions as text
SECONDS_EACH = 1.0  # of patience for each text, on top of what a first word may take


async def request_vectors(route: Route, texts: Sequence[str]) -> tuple[Vectors, TokenUsage]:
    """A unit vector for each text, in their order; raises GatewayError."""
    body = {
        **route.extra_body,
        "model": route.upstream_name,
        # An empty text is refused by some servers; a space means as little.
        "input": [text if text.strip() else " " for text in texts],
        "encoding_format": "float",
    }
    patience = route.timeouts.first_token + SECONDS_EACH * len(texts)
    answer = await ask(
        current_pool(),
        route,
        route.url("embeddings"),
        body,
        seconds=min(patience, route.timeouts.total),
        largest=LARGEST_ANSWER,
    )
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])
        vectors = [_decode(row["embedding"]) for row in rows]
        usage = input_usage(answer.get("usage"))
    except (LookupError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise UpstreamFailed(Sentence("no_vectors")) from error
    return _to_unit(vectors, len(texts)), usage


def _to_unit(vectors: Sequence[Vectors], expected: int) -> Vectors:
    if len(vectors) != expected:
        raise UpstreamFailed(Sentence("vectors_amiss", count=len(vectors), expected=expected))
    if len({vector.shape for vector in vectors}) != 1 or vectors[0].ndim != 1:
        raise UpstreamFailed(Sentence("vectors_differ"))
    matrix = np.vstack(vectors)
    if not np.isfinite(matrix).all():
        raise UpstreamFailed(Sentence("vectors_unreal"))
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Vectors = (matrix / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def _decode(embedding: Any) -> Vectors:
    """Some servers answer base64 whatever was asked for."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), "<f4").astype(np.float32)
    return np.asarray(embedding, np.float32)
