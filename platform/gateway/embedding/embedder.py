"""Which embedder is in use: the embedded one, or an endpoint's where one is the default."""

from collections.abc import Sequence
from typing import Protocol

from gateway.embedding.local import (
    LOCAL_NAME,
    MAX_PIECES,
    WORKERS,
    LocalEmbedder,
    Vectors,
    count_pieces,
    local_embedder,
    piece_starts,
)
from gateway.embedding.remote import RemoteEmbedder
from gateway.labels import Demand, labels_of, require_labels
from gateway.models import Model
from gateway.routing.routes import list_routes
from gateway.types import NOBODY, Payer

__all__ = [
    "LOCAL_NAME",
    "MAX_PIECES",
    "WORKERS",
    "Embedder",
    "EmbedderUnavailable",
    "LocalEmbedder",
    "RemoteEmbedder",
    "Vectors",
    "count_pieces",
    "get_embedder",
    "piece_starts",
]


class EmbedderUnavailable(Exception):
    """The embedding model asked for is not offered by any enabled endpoint."""


class Embedder(Protocol):
    """What indexing and retrieval need to know of an embedding model."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def is_multilingual(self) -> bool: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one L2-normalised float32 row for each text, in their order."""
        ...


def get_embedder(
    name: str = "",
    demands: Sequence[Demand] = (),
    *,
    payer: Payer = NOBODY,
    remember: bool = True,
) -> Embedder:
    """Return the embedder called `name`; without a name, the default one.

    The default is the embedding model marked so in the gateway, or else the embedded model.
    Reads the database unless the embedded model is asked for by name; raises
    `EmbedderUnavailable` when a named model has no enabled deployment, and `LabelUnmet` when none
    of them has the labels that are demanded of whoever sees the texts. Calls are counted for
    `payer`; without `remember` nothing of the texts is kept for whoever asks for them next.
    """
    if name == LOCAL_NAME:
        return local_embedder()
    wanted = {"name": name} if name else {"is_default": True}
    model = Model.objects.filter(kind=Model.Kind.EMBEDDING, **wanted).first()
    if model is not None:
        routes = [
            route
            for route in list_routes(model.name, Model.Kind.EMBEDDING)
            if route.model == model.name
        ]
        if routes:
            require_labels(routes, demands)
            labels = labels_of(demands)
            allowed = [route for route in routes if labels <= route.labels]
            return RemoteEmbedder(model, allowed, payer=payer, remember=remember)
    if name:
        raise EmbedderUnavailable(f"No enabled endpoint offers the embedding model {name}.")
    return local_embedder()
