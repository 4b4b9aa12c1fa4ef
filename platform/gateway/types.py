"""The values that go into the gateway and come out of it. No Django here."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from gateway.controls import Capability, Controls

if TYPE_CHECKING:
    from gateway.budget import Budget

OFFLINE = "offline"  # the name of the model that quotes and never calls anybody

Role = Literal["system", "user", "assistant"]
AS_IT_IS = Controls()
RawMessage = Mapping[str, Any]  # a message of the OpenAI protocol, sent on as it is


@dataclass(frozen=True, slots=True)
class PromptImage:
    """An image for a model that sees; PNG or JPEG."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PromptMessage:
    role: Role
    content: str
    images: tuple[PromptImage, ...] = ()


Purpose = Literal[
    "chat",
    "title",
    "memory",
    "complexity",
    "embedding",
    "rerank",
    "rewriting",
    "enrichment",
    "guardrail",
    "api",
    "probe",
    "other",
]


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose account a call is made, and what for.

    `team_ids` are the person's teams at that time: whoever loads the person reads them along, so
    that a call needs no query to know who pays. `purpose` is `api` where a program called.
    `budget` is asked before every call; None: the call is free to make.
    """

    account_id: UUID | None = None
    agent_id: UUID | None = None
    token_id: UUID | None = None
    team_ids: tuple[UUID, ...] = ()
    purpose: Purpose = "chat"
    budget: "Budget | None" = field(default=None, compare=False, repr=False)


NOBODY = Payer()


@dataclass(frozen=True, slots=True)
class PassageText:
    """A numbered passage of the prompt, given apart so that the offline answerer can quote it."""

    n: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a model. An empty model name means the default model.

    `question` is what the person asked, without passages or history, and `image_count` how many
    images came with it; only the offline answerer reads them. `turn_id` and `payer` are noted
    on usage rows; the account is also whose place in the queue it is. The endpoint that answers
    has every one of `required_labels`, also after a fallback. `extra` are fields of the protocol
    that Parley does not know, sent on as they are. With `wants_chunks` the stream is of `Chunk`s.
    `continues` is the beginning of the answer, said before: what is streamed goes on behind it.
    With a `cache_key` everything before the last message comes again with the next question of the
    same key.
    """

    model: str
    messages: tuple[PromptMessage | RawMessage, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    controls: Controls = AS_IT_IS
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    required_labels: frozenset[str] = frozenset()
    wants_chunks: bool = False
    continues: str = ""
    cache_key: str = ""
    passages: tuple[PassageText, ...] = ()
    question: str = ""
    image_count: int = 0
    turn_id: UUID | None = None
    payer: Payer = NOBODY

    @property
    def account_id(self) -> UUID | None:
        return self.payer.account_id


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What the server says it counted; None where it said nothing."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole call: `arguments` is complete JSON text. What was cut in half never becomes one."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """What the model wants to be called before it goes on; once, after its last word."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of the protocol, decoded, as the endpoint sent it (but for id and model name);
    `text` is its content, which a continuation counts."""

    payload: dict[str, Any]
    text: str = ""


@dataclass(frozen=True, slots=True)
class EndpointSwitched:
    """An endpoint failed; `switched_to` answers instead, or goes on behind `after` characters.

    `reason` is the stable type of the error, `detail` the sentence to show, `model` the cheaper one
    that answers where a budget has named it.
    """

    failed: str
    switched_to: str
    reason: str
    detail: str
    after: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Completed:
    """The last item of every stream that did not raise.

    `why` says in one sentence for whom the choice fell, `attempts` how many calls it took, `costs`
    what these cost by currency, None where a price is not known.
    """

    finish_reason: str
    usage: TokenUsage
    model: str
    endpoint: str
    first_token_ms: int
    total_ms: int
    why: str = ""
    attempts: int = 1
    costs: Mapping[str, float | None] = field(default_factory=dict, compare=False)

    @property
    def is_offline(self) -> bool:
        return self.model == OFFLINE


StreamItem = TextDelta | ReasoningDelta | ToolCalls | Chunk | EndpointSwitched | Completed


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, until the first word, between two reads, and for everything."""

    connect: float = 5.0
    first_token: float = 60.0
    idle: float = 30.0
    total: float = 1800.0


@dataclass(frozen=True, slots=True)
class Route:
    """A deployment with all that a call needs, read from the database once."""

    model: str
    upstream_name: str
    endpoint: str
    base_url: str
    api_key: str = field(default="", repr=False)
    timeouts: Timeouts = Timeouts()
    max_concurrency: int = 0  # 0 = no limit
    has_vision: bool = False
    deployment_id: UUID | None = None
    endpoint_id: UUID | None = None
    strategy: str = "priority"
    priority: int = 10
    weight: int = 1
    prompt_price: Decimal | None = None  # per million tokens
    completion_price: Decimal | None = None
    cached_price: Decimal | None = None
    cache_write_price: Decimal | None = None
    request_price: Decimal | None = None
    currency: str = ""
    token_ratios: Mapping[str, float] = field(default_factory=dict)  # tokens a character, by script
    context_length: int = 0  # tokens, 0 = unknown
    capabilities: frozenset[Capability] = frozenset()
    lacks: frozenset[Capability] = frozenset()  # what it is known not to do; the rest is untried
    labels: frozenset[str] = frozenset()
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    server: str = ""  # whose dialect it speaks (gateway.upstream.servers), as the test found
    queue_timeout: float = 30.0  # seconds that a request may wait for one of the parallel ones
    alias: str = ""  # the name that was asked for, where it stands for several models …
    tier: str = ""  # … and for which questions this one is there: simple, medium or hard

    def url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """The tokens of a prompt before anybody has counted them, and who says so; the characters that
    its ratio can be learned from, and their script (`gateway.metering.estimates`)."""

    tokens: int
    by: Literal["vocabulary", "measured", "length"] = "length"
    characters: int = 0
    script: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One upstream call, successful or not, for metering. `outcome` is `completed`, `cancelled`,
    `interrupted` when its runner died, or the type of the error. `heard` are the tokens that were
    said, as estimated; None where nothing came of it. `route` has the prices of that time."""

    turn_id: UUID | None
    payer: Payer
    model: str
    endpoint: str
    usage: TokenUsage
    outcome: str
    first_token_ms: int | None
    total_ms: int | None
    deployment_id: UUID | None = None
    attempt: int = 1
    why: str = ""  # this deployment was chosen
    detail: str = ""  # of its failure
    id: UUID | None = None  # of its row; None: a new one
    route: Route | None = None
    estimate: Estimate | None = None
    heard: int | None = None

    @property
    def account_id(self) -> UUID | None:
        return self.payer.account_id


FindRoutes = Callable[[str], Awaitable[tuple[Route, ...]]]
Chat = Callable[[ChatRequest], AsyncGenerator[StreamItem, None]]
RecordCall = Callable[[CallRecord], Awaitable[None]]
