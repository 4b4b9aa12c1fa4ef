"""What the JSON API says of why an answer is as it is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from chat.schemas import AT, ID, example
from chat.why.types import Attempt

PASSAGE = {
    "document_id": ID, "title": "Travel policy", "heading": "Means",
    "text": "Trains are preferred to planes below 600 km.", "page": 2, "start": 1204, "end": 1249,
}  # fmt: skip
RANK = {"stage": "lexical", "rank": 1, "score": 7.2, "query": 0}


class RankOut(Schema):
    stage: str = Field(
        description="`lexical` and `dense` of a query, `query` (both together), `fused` (all "
        "queries), `reranked`."
    )
    rank: int = Field(description="The first is 1.")
    score: float
    query: int | None = Field(description="Which of `queries`; null where all are one.")

    model_config = example(**RANK)


class SeenPassageOut(Schema):
    document_id: UUID
    title: str
    heading: str
    text: str = Field(description="Its beginning; empty if the document was split anew since.")
    page: int | None
    start: int | None
    end: int | None

    model_config = example(**PASSAGE)


class CandidateOut(Schema):
    place: int
    passage: SeenPassageOut | None = Field(
        validation_alias="seen", description="Null: you may not see it, or it is gone."
    )
    ranks: list[RankOut]
    fate: str = Field(
        description="`cited` or `given` to the model, else why it was left out: `threshold`, "
        "`duplicate`, `diversity`, `budget`, `limit`, `rule` (a guardrail's), or `left`."
    )
    n: int | None = Field(description="Its number in the prompt.")

    model_config = example(place=1, passage=PASSAGE, ranks=[RANK], fate="cited", n=1)


class SearchedOut(Schema):
    text: str
    way: str = Field(description="How it came to be: `original`, `standalone`, `rewrite`, …")
    weight: float

    model_config = example(text="May I fly to Munich?", way="original", weight=1.0)


class CalledSearchOut(Schema):
    query: str = Field(description="As the model wrote it.")
    candidates: list[CandidateOut]
    more: int

    model_config = example(query="train tickets", candidates=[], more=0)


class NarrowedOut(Schema):
    kind: str
    words: str = Field(description="Of the question.")
    counts: bool = Field(description="False where the person asked to leave it out.")

    model_config = example(kind="file_type", words="PDFs", counts=True)


class RerankingOut(Schema):
    way: str = Field(description="`endpoint`, `cross_encoder`, `listwise` or `features`.")
    model: str = Field(description="Empty where it has no name.")
    depth: int = Field(description="How many passages it read.")
    took_ms: float
    trouble: str = Field(
        description="`late`, `nonsense` or `unavailable`: then the order is that of the search."
    )

    model_config = example(way="endpoint", model="ranker", depth=30, took_ms=120.5, trouble="")


class BlockOut(Schema):
    kind: str = Field(
        description="`rules`, `instructions`, `history`, `memory`, `passage`, `images`, `question`."
    )
    tokens: int = Field(description="An estimate.")
    n: int = Field(description="Of a passage its number, of others how many there are.")

    model_config = example(kind="passage", tokens=212, n=1)


class StageOut(Schema):
    name: str
    ms: float
    is_part: bool = Field(description="Of the stage before it, that is none itself.")

    model_config = example(name="searched", ms=14.2, is_part=False)


class AttemptOut(Schema):
    purpose: str
    model: str
    endpoint: str
    attempt: int
    outcome: str
    why: str
    detail: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    first_token_ms: int | None
    total_ms: int | None
    cost: str | None = Field(description="Exact, as a decimal number.")
    currency: str

    model_config = example(
        purpose="answers", model="house-model", endpoint="first", attempt=1, outcome="completed",
        why="", detail="", prompt_tokens=1904, completion_tokens=212, cached_tokens=None,
        first_token_ms=210, total_ms=1900, cost="0.0031", currency="USD",
    )  # fmt: skip

    @staticmethod
    def resolve_cost(attempt: Attempt) -> str | None:
        return None if attempt.cost is None else f"{attempt.cost:f}"


class WhyOut(Schema):
    message_id: UUID
    conversation_id: UUID
    question: str
    asked_at: datetime
    status: str
    agent: str = Field(description="Empty where you may not see it.")
    model: str
    usage: dict[str, Any] | None
    queries: list[SearchedOut]
    filters: list[NarrowedOut]
    written_by: str = Field(description="The model that wrote some of the queries.")
    trouble: str = Field(description="Why it wrote none, as a code.")
    weight: float | None = Field(description="Of meaning; the rest is that of words.")
    reranking: RerankingOut | None = Field(description="None where nothing was reranked.")
    candidates: list[CandidateOut]
    more: int = Field(description="Candidates behind the last of these.")
    calls: list[CalledSearchOut] = Field(description="Searches of tools, in their order.")
    blocks: list[BlockOut]
    budget: int = Field(description="Tokens that documents might take of the prompt.")
    stages: list[StageOut]
    total_ms: float | None
    attempts: list[AttemptOut] = Field(
        description="Every call to an endpoint; for who asked, and administrators."
    )
    cited: int
    unsupported: list[str] = Field(description="Sentences that no source stands behind.")
    is_kept: bool = Field(
        description="Whether search and prompt were kept; not of older answers and of copies."
    )
    is_reused: bool

    model_config = example(
        message_id=ID, conversation_id=ID, question="May I fly to Munich?", asked_at=AT,
        status="complete", agent="Documents", model="house-model", usage=None,
        queries=[{"text": "May I fly to Munich?", "way": "original", "weight": 1.0}], filters=[],
        written_by="", trouble="", weight=0.5, reranking=None, candidates=[], more=0, calls=[],
        blocks=[{"kind": "passage", "tokens": 212, "n": 1}],
        budget=3400, stages=[{"name": "searched", "ms": 14.2, "is_part": False}], total_ms=2304.0,
        attempts=[], cited=1, unsupported=[], is_kept=True, is_reused=False,
    )  # fmt: skip
