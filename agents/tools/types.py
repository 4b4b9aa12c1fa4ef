"""What a tool is, in which call it runs, and what it gives back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.utils.functional import Promise

from accounts.models import User
from agents.types import AgentTask, PackedPassage
from gateway.labels import Demand
from knowledge.types import SearchResult

if TYPE_CHECKING:
    from agents.running.within import Within

RESULT_CHARS = 8_000  # of a result that the model reads; the whole is kept
TIMEOUT = 20.0  # seconds


class Effect(StrEnum):
    """The most that a call of this tool can do; by it the policy decides."""

    NONE = "none"  # it computes
    READS = "reads"  # it reads what the person may read
    CHANGES = "changes"  # it changes something that stays
    SENDS = "sends"  # it talks to somebody outside


class Taint(StrEnum):
    """What is known of a text that came into a run; texts that are put together have both."""

    UNTRUSTED = "untrusted"  # nobody answers for it: documents, pages, tools of others
    PRIVATE = "private"  # not everybody may read it


class TellProgress(Protocol):
    """Says to whoever watches how far a call is. Everybody in the conversation may read it, as they
    may read its arguments; a model never does."""

    def __call__(
        self, text: str = "", done: float | None = None, total: float | None = None
    ) -> None: ...


def untold(text: str = "", done: float | None = None, total: float | None = None) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class ToolCalling:
    """One call as a tool sees it: for whom, in which run, and under which id."""

    task: AgentTask
    call_id: str
    passages_so_far: int = 0  # numbers of citations that are taken
    tell: TellProgress = untold
    asks: str = ""  # why the person has to be asked, whatever the policy says
    within: "Within | None" = None  # the run, for tools that begin another one in it

    @property
    def user(self) -> User:
        return self.task.user


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool gives back.

    The model reads `text`, between fences unless the tool only computes; `data` is what the card in
    the chat draws, JSON alone. `passages` may be cited. `taints` and `readers` (the collections
    whose readers may see it; empty: everyone in the conversation) go with it into the run, and
    `demands` of the endpoint that reads it. `documents` are those that `text` quotes besides
    passages: when one is deleted, the words that are kept go with it. `found` is the search behind
    it, without its passages, for whoever asks why.
    """

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    passages: tuple[PackedPassage, ...] = ()
    taints: frozenset[Taint] = frozenset()
    readers: frozenset[UUID] = frozenset()
    demands: tuple[Demand, ...] = ()
    documents: frozenset[UUID] = frozenset()
    found: SearchResult | None = field(default=None, repr=False, compare=False)


class ToolWaits(Exception):
    """What a tool began waits for the person, who was asked; it goes on when the call is made
    again."""


class ToolRefused(Exception):
    """A call that cannot be answered; the text says why and what to do, to the model and on the
    card. Raised by tools, for whatever the model can put right.

    A text that has words of others in it (names, messages of a parser) comes as an `output`, so
    that it is quoted like every other, with what goes with it into the run.
    """

    def __init__(self, text: str, output: ToolOutput | None = None) -> None:
        super().__init__(text)
        self.output = output


Run = Callable[[ToolCalling, Mapping[str, Any]], Awaitable[ToolOutput]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool under the name by which models call it (`^[a-zA-Z0-9_-]{1,64}$`).

    `parameters` is the JSON Schema of its arguments; `run` takes them validated. `title` is for
    people, lazily translated; `description` for models, and shown in full to who builds the agent.
    `is_there` says whether this installation has what it needs, `may_use` whether this person may.
    """

    name: str
    title: str | Promise
    description: str
    effect: Effect
    parameters: Mapping[str, Any]
    run: Run
    result_chars: int = RESULT_CHARS
    timeout: float = TIMEOUT
    icon: str = "tool"
    is_there: Callable[[], bool] = lambda: True
    may_use: Callable[[User], bool] = lambda user: user.is_active
    # Of a tool of others, the server that has it; it is shown with every call.
    server: str = ""
    # Whether the person has what lets them in there; they are asked for it before anything else.
    is_let_in: Callable[[User], Awaitable[bool]] | None = None
    # Whether another agent goes on in place of this one once it was called.
    hands_over: bool = False
    # Whether what it is given reaches a model or an endpoint: words hidden from these stay so.
    keeps_masks: bool = False

    @property
    def is_reading(self) -> bool:
        """Whether calls may run side by side, and again after a crash."""
        return self.effect in {Effect.NONE, Effect.READS}

    def as_function(self) -> dict[str, Any]:
        """As the protocol names it."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}
