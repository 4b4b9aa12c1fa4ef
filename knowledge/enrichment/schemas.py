"""What the JSON API says and accepts about enrichment."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field, StringConstraints

from knowledge.enrichment.estimates import Cost
from knowledge.schemas import AT, ID, example
from security.schemas import WriteSchema

MODEL = "gpt-4.1-mini"
ModelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class EnrichmentQuery(Schema):
    model: str = Field("", max_length=120, description="Say what enriching with it would take.")


class EnrichmentIn(WriteSchema):
    model: ModelName

    model_config = example(model=MODEL)


class EnrichmentCostOut(Schema):
    model: str
    documents: int
    passages: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: str | None = Field(description="null: the endpoint has no price.")
    currency: str
    seconds: float | None = Field(description="null: this model has not written here before.")

    @staticmethod
    def resolve_cost(found: Cost) -> str | None:
        return None if found.cost is None else f"{found.cost:f}"


class EnrichmentOut(Schema):
    model: str = Field(description="Which one writes; empty: it is off.")
    by: str | None = Field(description="Who switched it on, and pays.")
    documents: int
    enriched: int
    working: int
    failed: int = Field(description="Indexed without it; `reason` says why the last one was.")
    reason: str
    models: list[str] = Field(description="That could be chosen.")
    estimate: EnrichmentCostOut | None = Field(description="Where a `model` was asked about.")

    model_config = example(
        model="", by=None, documents=120, enriched=0, working=0, failed=0, reason="",
        models=[MODEL],
        estimate={
            "model": MODEL, "documents": 120, "passages": 2400, "requests": 420,
            "prompt_tokens": 610_000, "completion_tokens": 246_000, "cost": "0.637600",
            "currency": "USD", "seconds": None,
        },
    )  # fmt: skip


class WrittenOut(Schema):
    """What a model wrote about a document. It is searched with it, and never quoted."""

    document_id: UUID
    title: str
    summary: str
    key_phrases: list[str]
    model: str
    prompt: str = Field(description="The version of the prompt.")
    made_at: datetime
    passages: list["WrittenPassageOut"]

    model_config = example(
        document_id=ID, title="Rules for business travel", summary="How we travel, and who pays.",
        key_phrases=["business travel", "train"], model=MODEL, prompt="1", made_at=AT,
        passages=[{"position": 0, "chunk_id": ID, "context": "The opening, on means of travel."}],
    )  # fmt: skip


class WrittenPassageOut(Schema):
    position: int
    chunk_id: UUID
    context: str = Field(description="All that was written about it, a line each.")


def shown(state: Any, models: list[str], found: Cost | None) -> dict[str, Any]:
    names = ("model", "documents", "enriched", "working", "failed", "reason")
    by = state.by.get_short_name() if state.by else None
    told = {name: getattr(state, name) for name in names}
    return {**told, "by": by, "models": models, "estimate": found}
