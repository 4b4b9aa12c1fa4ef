"""What an agent is asked, by whom, and what goes along with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from accounts.budgets.keeper import BUDGETS
from agents.types.limits import Limits
from gateway.controls import Controls
from gateway.labels import Demand
from gateway.types import AS_IT_IS, Payer, Purpose
from knowledge.switches import Switch, switched_on

if TYPE_CHECKING:
    from accounts.models import User
    from agents.guardrails.guard import Guard
    from agents.running.spending import Spending
    from agents.tools.types import Taint


Way = Literal["ask", "hand_over"]


@dataclass(frozen=True, slots=True)
class Helper:
    """Another agent that this one may ask, or hand over to; `when` is for its model."""

    agent_id: UUID
    way: Way
    when: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """The run of another agent in which this one was called, by the call `call_id`: to be told an
    answer, or, where it `is_handed`, to go on in its place.

    `agents` are those above, the first one first. What that run had come upon until then (`taints`,
    `readers`) this one knows too: `words` were written by its model. `spending` is what both take
    from; `said` how the answer began that is gone on with, `notes` what the person said meanwhile,
    `steps` how many were taken by then.
    """

    run_id: UUID
    call_id: str
    agents: tuple[UUID, ...]
    name: str = ""
    words: str = ""
    taints: frozenset["Taint"] = frozenset()
    readers: frozenset[UUID] = frozenset()
    spending: "Spending | None" = field(default=None, compare=False)
    is_handed: bool = False
    said: str = ""
    notes: tuple[str, ...] = ()
    steps: int = 0
    numbers_taken: int = 0  # of citations
    depth: int = 0  # how many agents wait for an answer above
    hands: int = 0  # how often the question was handed over


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
    tools: tuple[str, ...] = ()  # by name (`agents.tools.registry`)
    helpers: tuple[Helper, ...] = ()
    temperature: float = 0.2
    reasoning_effort: str = ""  # as the model does by itself
    controls: Controls = AS_IT_IS
    id: UUID | None = None
    reuse: str = "off"  # to whom an answer may be given again: "person", "shared" or "off"
    reuse_seconds: int = 86_400
    similarity: int = 0  # percent from which a question means the same; 0 = never
    # What it says of the ways of understanding (`knowledge.switches`), and what its collections do.
    understanding: Mapping[str, bool] = field(default_factory=dict)
    said_by_collections: tuple[Mapping[str, bool], ...] = ()
    limits: Limits = field(default_factory=Limits)  # of a run with tools
    guardrails: tuple[Mapping[str, Any], ...] = ()  # as they are stored (`agents.guardrails.rules`)

    @property
    def may_call(self) -> bool:
        """Whether anything is called in its runs, so that they have steps."""
        return bool(self.tools or self.helpers)


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
    by number, the document and where in it; with their chunk and where they `end`, where that is
    known."""

    text: str
    places: Mapping[int, tuple[UUID, int]] = field(default_factory=dict)
    ends: Mapping[int, tuple[UUID, int]] = field(default_factory=dict)


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
    # What the collections that are searched alone say of the ways of understanding, where these
    # are not the agent's; and whether there is a glossary anywhere.
    said_by_collections: tuple[Mapping[str, bool], ...] = ()
    has_glossary: bool = False
    without: tuple[str, ...] = ()  # narrowings that the person does not want
    # Words of a program that asks, which stand in the instructions; and the rules of this run.
    orders: tuple[str, ...] = ()
    guard: "Guard | None" = field(default=None, compare=False, repr=False)
    caller: Caller | None = None  # none: the person
    # Of the claim under which it runs; whether somebody may have begun it before; and the run that
    # a limit ended and that this one goes on from.
    fence: int | None = None
    is_taken_up: bool = False
    after: UUID | None = None

    @property
    def switches(self) -> frozenset[Switch]:
        said = self.said_by_collections or self.agent.said_by_collections
        return switched_on(self.agent.understanding, said)

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
    def numbers_taken(self) -> int:
        """Of citations, by who wrote the answer before."""
        return self.caller.numbers_taken if self.caller else 0

    @property
    def has_lost_its_collections(self) -> bool:
        return any(side.is_limited and not side.collections for side in (self, self.agent))
