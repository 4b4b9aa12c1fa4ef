"""What happens in a run, step by step, and what its steps are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from gateway.labels import Demand
from gateway.types import EndpointSwitched, PromptImage, ReasoningDelta, TextDelta
from knowledge.types import Passage, SearchResult

if TYPE_CHECKING:
    from knowledge.retrieval.types import Query
    from knowledge.retrieval.understanding import Recognised


@dataclass(frozen=True, slots=True)
class PackedPassage:
    """What stands in the prompt under number `n`: one chunk, or neighbours of one document."""

    n: int
    parts: tuple[Passage, ...]
    # Its label and text as models are told them, where a guardrail hides something of them.
    told: tuple[str, str] | None = None

    @property
    def label(self) -> str:
        return " › ".join([self.title, *self.first.heading_path])

    @property
    def told_label(self) -> str:
        return self.told[0] if self.told else self.label

    @property
    def told_text(self) -> str:
        return self.told[1] if self.told else self.text

    @property
    def first(self) -> Passage:
        return self.parts[0]

    @property
    def title(self) -> str:
        return self.first.title

    @property
    def text(self) -> str:
        """The chunks in order, below the names of their columns; where they overlap, once."""
        text = f"{self.first.head}\n{self.first.text}" if self.first.head else self.first.text
        for before, part in zip(self.parts, self.parts[1:], strict=False):
            overlap = before.end - part.start
            text += part.text[overlap:] if overlap > 0 else f"\n{part.text}"
        return text

    @property
    def lines(self) -> tuple[int, int] | None:
        """Of a program: the first and the last line of the file that it is from."""
        first, last = self.first.lines, self.parts[-1].lines
        return (first[0], last[1]) if first and last else None

    @property
    def score(self) -> float:
        return max(part.score for part in self.parts)


@dataclass(frozen=True, slots=True)
class RetrievalCompleted:
    """What was searched and what of it the model is shown; `found` is the whole search, as it was
    before anything was packed."""

    query: str
    passages: tuple[PackedPassage, ...]
    took_ms: float
    found: SearchResult | None = field(default=None, repr=False, compare=False)

    @property
    def demands(self) -> tuple[Demand, ...]:
        """What the collections of the found passages demand of whoever reads them."""
        return self.found.demands if self.found else ()


@dataclass(frozen=True, slots=True)
class QuerySearched:
    """One of several queries has ended while others still search: how many passages it found, and
    the first of them."""

    query: str
    way: str
    count: int
    took_ms: float
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class PassagesReranked:
    """The first `depth` of what was found were put in a better order; or, with `trouble`, stand in
    the order of the fusion. `way` is the kind of reranker, `model` its name where it has one."""

    way: str
    model: str
    depth: int
    took_ms: float
    trouble: "Trouble" = ""


BlockKind = Literal["rules", "instructions", "history", "memory", "passage", "images", "question"]


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """A part of the prompt and about how many tokens it costs; `n` is the number of a passage, of
    all other kinds how many there are."""

    kind: BlockKind
    tokens: int
    n: int = 1


@dataclass(frozen=True, slots=True)
class PromptAssembled:
    """What the prompt is made of; `budget` is what documents may take of it, in tokens."""

    blocks: tuple[PromptBlock, ...]
    budget: int


Trouble = Literal["", "late", "nonsense", "unavailable"]


@dataclass(frozen=True, slots=True)
class QueryRewritten:
    """What is searched for beside the question or instead of it, and what the search is narrowed
    to. `model` wrote some of the queries, unless there was `trouble`; without either, rules did.
    """

    queries: tuple["Query", ...]
    recognised: tuple["Recognised", ...]
    took_ms: float
    model: str = ""
    trouble: Trouble = ""


Use = Literal["whole", "searched", "seen", "unseen", "unread"]


@dataclass(frozen=True, slots=True)
class AttachmentUse:
    """How an attachment was used; `reason` says why it was not, in words for the person."""

    document_id: UUID
    name: str
    how: Use
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AttachmentsRead:
    """What the model is shown of the attachments: passages of documents, images besides."""

    uses: tuple[AttachmentUse, ...]
    passages: tuple[PackedPassage, ...]
    took_ms: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Attachments as they go into the prompt; what they cost of its budget in tokens."""

    uses: tuple[AttachmentUse, ...] = ()
    passages: tuple[PackedPassage, ...] = ()
    images: tuple[PromptImage, ...] = ()
    tokens: int = 0
    took_ms: float = 0.0
    is_enough: bool = False  # the question is about them: nothing else is searched

    @property
    def unseen(self) -> int:
        return sum(use.how == "unseen" for use in self.uses)


@dataclass(frozen=True, slots=True)
class CitationAdded:
    """Evidence for a sentence: the document's text from `start` to `end` equals `quote`.

    `method` says how it was found (`agents.aligning`), `score` from 0 to 1 how well it agrees; `at`
    is where in the answer its mark stands, or would: one that `is_proposed` the model did not cite.
    `line` is the first one of a program's file.
    """

    n: int
    document_id: UUID
    chunk_id: UUID
    title: str
    heading_path: tuple[str, ...]
    quote: str
    start: int
    end: int
    page: int | None
    line: int | None = None
    method: str = ""
    score: float | None = None
    at: int | None = None
    is_proposed: bool = False

    @property
    def lines(self) -> tuple[int, int] | None:
        """The first and the last line of the file that the quote is from, where these are known."""
        return (self.line, self.line + self.quote.count("\n")) if self.line else None


@dataclass(frozen=True, slots=True)
class LabelsDemanded:
    """Only endpoints with these labels are asked; so is whoever goes on in the conversation."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerReused:
    """The answer that follows was written before, to the same prompt or to a similar question."""

    made_at: str  # ISO 8601
    is_similar: bool = False


@dataclass(frozen=True, slots=True)
class AnswerApproved:
    """The answer that follows is a curator's, approved for `question`; asked so, or nearly so."""

    id: UUID
    question: str
    approved_at: str  # ISO 8601
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class SupportChecked:
    """Of an answer that was given passages: how many sentences make a claim, how many of these a
    source stands behind, and those to be marked since none does."""

    sentences: tuple[str, ...]
    claims: int = 0
    supported: int = 0


@dataclass(frozen=True, slots=True)
class UsageRecorded:
    model: str
    endpoint: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    first_token_ms: int
    total_ms: int
    why: str = ""
    attempts: int = 1
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class MemoriesUsed:
    """What a model was told of the person; ids alone, since a memory can be deleted later."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class MemoriesSaved:
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool, and it begins; `arguments` is JSON as the model wrote it, `title` for
    people. `effect` is an `agents.tools.types.Effect`, empty of a tool that is not there."""

    call_id: str
    name: str
    title: str
    effect: str
    arguments: str
    server: str = ""
    icon: str = "tool"
    parent: str = ""  # the call of another agent in which it is made


@dataclass(frozen=True, slots=True)
class ToolApprovalRequested:
    """This call waits for the person; nothing of it has happened."""

    call_id: str
    approval_id: UUID
    name: str
    title: str
    effect: str
    arguments: str
    reason: str
    expires_at: str  # ISO 8601
    server: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ToolProgressed:
    """How far a call is: `done` of `total` where these are known, and words of whoever runs the
    tool, which nobody answers for. Told live and never kept."""

    call_id: str
    text: str = ""
    done: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Another agent writes from here on, and answers what is asked next. `reason` was written by
    the model of the one before it."""

    call_id: str
    agent_id: UUID
    slug: str
    name: str
    emoji: str
    picture: str
    reason: str
    from_slug: str
    from_name: str


ToolStatus = Literal["done", "refused", "failed", "late", "denied", "stopped"]


@dataclass(frozen=True, slots=True)
class ToolCompleted:
    """How a call ended. `text` is the beginning of the result, or why there is none; `chars` how
    long the whole is. `passages` are what of it may be cited, under their numbers. What
    `is_private` is for nobody but the person of the run."""

    call_id: str
    status: ToolStatus
    took_ms: int
    chars: int = 0
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    passages: tuple[PackedPassage, ...] = ()
    is_private: bool = False
    parent: str = ""  # then no passages: they have numbers in another agent's run
    found: SearchResult | None = field(default=None, repr=False, compare=False)  # behind it


@dataclass(frozen=True, slots=True)
class NoteTaken:
    """The person said something to the run, and its model knows it from here on."""

    id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class GuardrailActed:
    """A rule did something at a place (`agents.guardrails.types`); `counts` are how much of what it
    found, `said` tells it to the reader. `outcome` is `acted`, or `failed_open` and
    `failed_closed` where it could not be checked. Nothing in it is of the text."""

    rule: str
    kind: str
    place: str
    action: str
    outcome: str
    counts: Mapping[str, int]
    said: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last step; `text` is everything that was streamed as text."""

    text: str
    model: str
    is_offline: bool
    notice: str = ""


Step = (
    AttachmentsRead
    | QueryRewritten
    | QuerySearched
    | PassagesReranked
    | RetrievalCompleted
    | PromptAssembled
    | TextDelta
    | ReasoningDelta
    | EndpointSwitched
    | CitationAdded
    | LabelsDemanded
    | AnswerApproved
    | AnswerReused
    | SupportChecked
    | UsageRecorded
    | MemoriesUsed
    | MemoriesSaved
    | ToolCalled
    | ToolApprovalRequested
    | ToolProgressed
    | ToolCompleted
    | HandedOver
    | NoteTaken
    | GuardrailActed
    | Finished
)
