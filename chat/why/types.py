"""Why an answer is as it is, as one reader may know it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a candidate stood after a stage, the first by 1; `query` is a number, where several
    were searched for."""

    stage: str
    rank: int
    score: float
    query: int | None = None


@dataclass(frozen=True, slots=True)
class SeenPassage:
    """A passage as its reader may see it now; `text` and `heading` are empty where the document was
    split anew since."""

    document_id: UUID
    title: str
    heading: str = ""
    text: str = ""
    page: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """`seen` is None for what the reader may not see, or what is gone; `n` is its number in the
    prompt; `fate` is `cited`, `given`, one of `knowledge.retrieval.types.Drop`, or `left`."""

    place: int
    seen: SeenPassage | None
    ranks: tuple[Rank, ...]
    fate: str
    n: int | None = None

    def at(self, stage: str) -> Rank | None:
        """Its best place at a stage: that of one query, where there were several."""
        found = [rank for rank in self.ranks if rank.stage == stage]
        return min(found, key=lambda rank: rank.rank, default=None)

    @property
    def lexical(self) -> Rank | None:
        return self.at("lexical")

    @property
    def dense(self) -> Rank | None:
        return self.at("dense")

    @property
    def fused(self) -> Rank | None:
        return self.at("fused") or self.at("query")

    @property
    def reranked(self) -> Rank | None:
        return self.at("reranked")


@dataclass(frozen=True, slots=True)
class Searched:
    """One query of the search and how it came to be (`knowledge.retrieval.types.Way`)."""

    text: str
    way: str = "original"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class CalledSearch:
    """What a tool searched for and looked at while the answer was written."""

    query: str
    candidates: tuple[ShownCandidate, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Words of the question that narrowed the search; they do not count where the person asked to
    leave that out. `kind` is one of `knowledge.retrieval.understanding.filters.Narrowing`."""

    kind: str
    words: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Reranking:
    """Who put the first `depth` passages in a better order: `way` is one of
    `knowledge.retrieval.reranking.types.Way`, `model` its name where it has one. With `trouble`
    nobody did."""

    way: str
    model: str
    depth: int
    took_ms: float
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the prompt; `share` of all its tokens, `offset` of those before it."""

    kind: str
    tokens: int
    n: int
    share: float
    offset: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """How long something took; `is_part` of the stage before it."""

    name: str
    ms: float
    share: float = 0.0
    offset: float = 0.0
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to an endpoint for this answer."""

    purpose: str
    model: str
    endpoint: str
    attempt: int
    outcome: str
    is_completed: bool
    why: str
    detail: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    first_token_ms: int | None
    total_ms: int | None
    cost: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Why:
    """`is_kept` is whether the search and the prompt were kept: not for older answers, copies and
    those that nothing was searched for. `attempts` are for who asked, and administrators."""

    message_id: UUID
    conversation_id: UUID
    conversation_title: str
    question: str
    asked_at: datetime
    status: str
    agent: str
    model: str
    notice: str
    usage: dict[str, Any] | None
    queries: tuple[Searched, ...] = ()
    filters: tuple[Narrowed, ...] = ()
    written_by: str = ""
    trouble: str = ""
    reranking: Reranking | None = None
    candidates: tuple[ShownCandidate, ...] = ()
    more: int = 0
    weight: float | None = None
    calls: tuple[CalledSearch, ...] = ()
    blocks: tuple[Block, ...] = ()
    budget: int = 0
    stages: tuple[Stage, ...] = ()
    total_ms: float | None = None
    attempts: tuple[Attempt, ...] = ()
    switches: tuple[dict[str, Any], ...] = ()
    costs: tuple[tuple[Decimal, str], ...] = ()
    cited: int = 0
    unsupported: tuple[str, ...] = ()
    is_kept: bool = False
    is_reused: bool = False
    stage_names: frozenset[str] = field(default_factory=frozenset)

    @property
    def given(self) -> int:
        """How many passages the model was shown."""
        return sum(block.kind == "passage" for block in self.blocks)

    @property
    def looked_at(self) -> int:
        return len(self.candidates) + self.more

    @property
    def weight_of_words(self) -> float:
        return 1 - (self.weight or 0.0)

    @property
    def hidden(self) -> int:
        return sum(one.seen is None for one in self.candidates)

    @property
    def prompt_tokens(self) -> int:
        """Of the prompt, estimated; what the server counted is in `usage`."""
        return sum(block.tokens for block in self.blocks)

    @property
    def is_reranked(self) -> bool:
        return "reranked" in self.stage_names

    @property
    def has_several(self) -> bool:
        return len(self.queries) > 1
