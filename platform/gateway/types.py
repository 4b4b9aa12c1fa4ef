"""The values that go into the gateway and come out of it. No Django here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

OFFLINE = "offline"  # the name of the model that quotes and never calls anybody

Role = Literal["system", "user", "assistant"]


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
    images came with it; only the offline answerer reads them. `turn_id` and `account_id` are noted
    on usage rows and mean nothing else here.
    """

    model: str
    messages: tuple[PromptMessage, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    passages: tuple[PassageText, ...] = ()
    question: str = ""
    image_count: int = 0
    turn_id: UUID | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What the server says it counted; None where it said nothing."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class EndpointSwitched:
    """An endpoint failed before it said anything; `switched_to` answers instead.

    `reason` is the stable type of the error, `detail` the sentence to show.
    """

    failed: str
    switched_to: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The last item of every stream that did not raise."""

    finish_reason: str
    usage: TokenUsage
    model: str
    endpoint: str
    first_token_ms: int
    total_ms: int

    @property
    def is_offline(self) -> bool:
        return self.model == OFFLINE


StreamItem = TextDelta | ReasoningDelta | EndpointSwitched | Completed


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

    def url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path}"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One upstream call, successful or not, for metering. `outcome` is `completed`, `cancelled`,
    `interrupted` when its runner died, or the type of the error."""

    turn_id: UUID | None
    account_id: UUID | None
    model: str
    endpoint: str
    usage: TokenUsage
    outcome: str
    first_token_ms: int | None
    total_ms: int | None


FindRoutes = Callable[[str], Awaitable[tuple[Route, ...]]]
RecordCall = Callable[[CallRecord], Awaitable[None]]
