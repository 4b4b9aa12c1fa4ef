"""A rerank model that is reached through the gateway."""

from collections.abc import Sequence

from gateway.embedding.reranking import rerank
from gateway.models import Model
from knowledge.retrieval.reranking.types import Asked


def rerank_model() -> str:
    """The default rerank model, else the first that is offered; empty where none is."""
    offered = Model.objects.filter(
        kind=Model.Kind.RERANK, deployments__is_enabled=True, deployments__endpoint__is_enabled=True
    )
    return str(offered.order_by("-is_default", "name").values_list("name", flat=True).first() or "")


async def ask_endpoint(name: str, asked: Asked, texts: Sequence[str]) -> list[float]:
    """Its scores, of an endpoint with the labels that are demanded; a usage row for the payer."""
    return await rerank(name, asked.question, texts, asked.demands, asked.payer)
