"""The values of an agent's run; nothing here asks the database."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from accounts.budgets.keeper import BUDGETS
from gateway.controls import Controls
from gateway.labels import Demand
from gateway.types import (
    AS_IT_IS,
    ChatRequest,
    EndpointSwitched,
    Payer,
    PromptImage,
    Purpose,
    ReasoningDelta,
    StreamItem,
    TextDelta,
)
from knowledge.types import Passage, SearchResult

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from accounts.models import User

__all__ = [
    "AgentSpec",
    "AgentTask",
    "AnswerReused",
    "AttachedFile",
    "AttachmentUse",
    "AttachmentsRead",
    "CitationAdded",
    "EndpointSwitched",
    "Finished",
    "GoingOn",
    "LabelsDemanded",
    "MemoriesSaved",
    "MemoriesUsed",
    "PackedPassage",
    "PastMessage",
    "Reading",
    "ReasoningDelta",
    "Recollection",
    "RetrievalCompleted",
    "Step",
    "SupportChecked",
    "TextDelta",
    "UsageRecorded",
]


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An Agent row as a run sees it: read once, so that nothing is queried while streaming."""

    slug: str = "documents"
    name: str = "Documents"
    instructions: str = ""
    model_name: str = ""
    collections: tuple[UUID, ...] = ()  # empty: everything the person may see, unless …
    is_limited: bool = False  # … it had collections that are deleted: then nothing
    max_passages: int = 8
    context_tokens: int = 6000
    max_answer_tokens: int = 2000
    temperature: float = 0.2
    id: UUID | None = None
    reuse: str = "off"  # to whom an answer may be given again: "person", "shared" or "off"
    reuse_seconds: int = 86_400
    similarity: int = 0  # percent from which a question means the same; 0 = never


@dataclass(frozen=True, slots=True)
class PastMessage:
    """An earlier message of the conversation's path, oldest first.

    `is_quoted` marks an answer that holds words of documents only: no model wrote it.
    """

    role: Literal["user", "assistant"]
    text: str
    is_quoted: bool = False
    attachments: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file attached to the question (`is_new`) or to an earlier one; `shelf_id` is searched."""

    document_id: UUID
    shelf_id: UUID
    name: str
    is_image: bool = False
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Recollection:
    """One thing that is remembered about the person who asks."""

    id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class GoingOn:
    """An answer that broke off after `text`, whose marks mean the passages that begin at `places`:
    by number, the document and where in it."""

    text: str
    places: Mapping[int, tuple[UUID, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentTask:
    """One question to an agent. `collections` narrows the search; empty means no narrowing,
    unless `is_limited`: then those chosen are gone and nothing may be searched. `demands` are known
    before anything is searched: whoever is shown any of this has these labels."""

    agent: AgentSpec
    user: "User"
    question: str
    history: tuple[PastMessage, ...] = ()
    collections: tuple[UUID, ...] = ()
    is_limited: bool = False
    turn_id: UUID | None = None
    attachments: tuple[AttachedFile, ...] = ()  # the question's own first, then the latest
    # Whether the person is remembered in this conversation, and also by what they only mention.
    has_memory: bool = False
    may_notice: bool = False
    memories: tuple[Recollection, ...] = ()
    demands: tuple[Demand, ...] = ()
    goes_on: GoingOn | None = None
    conversation_id: UUID | None = None
    is_temporary: bool = False  # nothing that is said in it is kept
    is_anew: bool = False  # it was answered before, and another answer is wanted
    controls: Controls = AS_IT_IS
    extra: Mapping[str, Any] = field(default_factory=dict)
    team_ids: tuple[UUID, ...] = ()  # the person's
    token_id: UUID | None = None  # by which they asked
    purpose: Purpose = "chat"

    def payer(self, purpose: Purpose | None = None) -> Payer:
        """On whose account this is answered, and what serves the answer."""
        return Payer(
            self.user.pk,
            self.agent.id,
            self.token_id,
            self.team_ids,
            purpose or self.purpose,
            BUDGETS,
        )

    @property
    def has_lost_its_collections(self) -> bool:
        return any(side.is_limited and not side.collections for side in (self, self.agent))


@dataclass(frozen=True, slots=True)
class PackedPassage:
    """What stands in the prompt under number `n`: one chunk, or neighbours of one document."""

    n: int
    parts: tuple[Passage, ...]

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
    """What was searched and what of it the model is shown."""

    query: str
    passages: tuple[PackedPassage, ...]
    took_ms: float


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
    """Evidence for a sentence: the document's text from `start` to `end` equals `quote`."""

    n: int
    document_id: UUID
    chunk_id: UUID
    title: str
    heading_path: tuple[str, ...]
    quote: str
    start: int
    end: int
    page: int | None


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
class SupportChecked:
    """The sentences of an answer with sources that no source stands behind."""

    sentences: tuple[str, ...]


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
class Finished:
    """The last step; `text` is everything that was streamed as text."""

    text: str
    model: str
    is_offline: bool
    notice: str = ""


Step = (
    AttachmentsRead
    | RetrievalCompleted
    | TextDelta
    | ReasoningDelta
    | EndpointSwitched
    | CitationAdded
    | LabelsDemanded
    | AnswerReused
    | SupportChecked
    | UsageRecorded
    | MemoriesUsed
    | MemoriesSaved
    | Finished
)

# What a run needs from outside; defaults in agents.asking, agents.evidence; tests give own.
Search = Callable[
    ..., Awaitable[SearchResult]
]  # person, query, collections, limit[, demands], payer=, remember=
Chat = Callable[[ChatRequest], "AsyncGenerator[StreamItem, None]"]
Read = Callable[[AgentTask, str, int], Awaitable[Reading]]
Verify = Callable[[list[CitationAdded]], Awaitable[list[bool]]]
