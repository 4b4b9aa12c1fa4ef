"""Embeddings from an OpenAI-compatible endpoint."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gateway.errors import GatewayError, UpstreamFailed
from gateway.types import Route
from gateway.upstream.sdk import open_client, typed_error

if TYPE_CHECKING:
    from gateway.models import Model

# Texts in one request: well below the 2,048 the protocol allows, so that a retry stays cheap.
REQUEST_TEXTS = 64
TIMEOUT_SECONDS = 120.0
TRIES = 2


class RemoteEmbedder:
    """An embedding model of the gateway; its routes are asked in their order of priority.

    Holds no connection between calls: safe to use from many threads.
    """

    def __init__(self, model: "Model", routes: Sequence[Route]) -> None:
        self.name = model.name
        self.is_multilingual = model.is_multilingual
        self._dimensions = model.dimensions
        self._routes = tuple(routes)

    @property
    def dimensions(self) -> int:
        """The model's own number; asked of the endpoint once where nobody entered it."""
        if self._dimensions is None:
            self._dimensions = int(self.embed(["dimensions"]).shape[1])
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector for each text; raise `GatewayError` when no endpoint answers."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        parts = [
            self._embed_part(texts[start : start + REQUEST_TEXTS])
            for start in range(0, len(texts), REQUEST_TEXTS)
        ]
        return np.concatenate(parts)

    def _embed_part(self, texts: Sequence[str]) -> NDArray[np.float32]:
        failure: GatewayError = UpstreamFailed("No enabled endpoint offers this embedding model.")
        for route in self._routes:
            for _ in range(TRIES):
                try:
                    return _request(route, texts, self._dimensions)
                except GatewayError as error:
                    failure = error
                    if not error.is_transient:
                        break
            if not failure.may_switch:
                break
        raise failure


def _request(route: Route, texts: Sequence[str], dimensions: int | None) -> NDArray[np.float32]:
    try:
        with open_client(route, TIMEOUT_SECONDS) as client:
            # An empty text is refused by some servers; a space means as little.
            answer = client.embeddings.create(
                model=route.upstream_name,
                input=[text if text.strip() else " " for text in texts],
                encoding_format="float",
            )
    except Exception as error:
        raise typed_error(error) from error
    return _to_unit_vectors(answer.data, len(texts), dimensions)


def _to_unit_vectors(
    data: Sequence[Any], expected: int, dimensions: int | None
) -> NDArray[np.float32]:
    rows = sorted(data, key=lambda row: row.index)
    if len(rows) != expected:
        raise UpstreamFailed(f"It returned {len(rows)} vectors for {expected} texts.")
    vectors = np.vstack([_decode(row.embedding) for row in rows])
    if dimensions not in {None, vectors.shape[1]}:
        raise UpstreamFailed(f"Its vectors have {vectors.shape[1]} dimensions, not {dimensions}.")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def _decode(embedding: list[float] | str) -> NDArray[np.float32]:
    """Some servers answer base64 whatever was asked for."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), np.float32)
    return np.asarray(embedding, np.float32)
