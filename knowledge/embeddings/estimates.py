"""What filling a version would take, before anybody begins: passages, tokens, money and time."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Avg

from gateway.embedding.embedder import LOCAL_NAME
from gateway.metering.prices import cost_of
from gateway.models import Model
from gateway.routing.routes import list_routes
from gateway.types import TokenUsage
from knowledge.embeddings.filling import count_vectors
from knowledge.models import Chunk, EmbeddingVersion, StorageMeasurement

SAMPLE = 2_000  # passages whose length stands for that of all


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of what is still to be embedded. `cost` is None where no price is known; the embedded model
    costs nothing. `seconds` is None where nobody has measured how fast the model is."""

    passages: int
    tokens: int
    cost: Decimal | None
    currency: str
    seconds: float | None


def estimate(version: EmbeddingVersion) -> Estimate:
    """For a version that is there, or for one that has not been saved."""
    done, total = count_vectors(version)
    missing = 0 if _is_taken_over(version) else total - done
    tokens = round(missing * _tokens_each())
    cost, currency = _cost(version.model, tokens)
    rate = version.rate or _measured_rate(version.model)
    return Estimate(missing, tokens, cost, currency, missing / rate if rate else None)


def _is_taken_over(version: EmbeddingVersion) -> bool:
    """Another version of the model has the vectors, in a form that this one can use."""
    siblings = EmbeddingVersion.objects.filter(
        model=version.model, state__in=[EmbeddingVersion.State.ACTIVE, EmbeddingVersion.State.READY]
    ).exclude(pk=version.pk)
    if version.storage == EmbeddingVersion.Storage.FLOAT:
        siblings = siblings.filter(storage=EmbeddingVersion.Storage.FLOAT)
    return version._state.adding and siblings.exists()


def _tokens_each() -> float:
    """Four bytes of English are a token, and so are not quite three of Chinese."""
    newest = Chunk.objects.order_by("-pk").values("pk")[:SAMPLE]
    with connection.cursor() as cursor:
        sql, values = newest.query.sql_with_params()
        cursor.execute(
            "select coalesce(avg("  # noqa: S608
            "octet_length(text) + octet_length(head) + octet_length(context)), 0) / 4.0"
            f" from knowledge_chunk where id in ({sql})",
            values,
        )
        (each,) = cursor.fetchone() or (0,)
    return float(each)


def _cost(model: str, tokens: int) -> tuple[Decimal | None, str]:
    """By the dearest of the endpoints that may be asked; nothing for the embedded model."""
    if model == LOCAL_NAME:
        return Decimal(), ""
    routes = [one for one in list_routes(model, Model.Kind.EMBEDDING) if one.model == model]
    costs = [cost_of(route, TokenUsage(tokens, 0)) for route in routes]
    if not costs or any(cost.amount is None for cost in costs):
        return None, costs[0].currency if costs else ""
    dearest = max(costs, key=lambda cost: cost.amount or Decimal())
    return dearest.amount, dearest.currency


def _measured_rate(model: str) -> float | None:
    """Passages a second, from filling or measuring this model before."""
    filled = EmbeddingVersion.objects.filter(model=model).aggregate(rate=Avg("rate"))["rate"]
    if filled:
        return float(filled)
    measured = StorageMeasurement.objects.filter(model=model).exclude(rate=None).first()
    return measured.rate if measured else None
