"""The values a turn is made of on its way through the runner."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents.types import AgentTask, CitationAdded
from chat.models import Turn
from chat.turns.carried import handed_over_to
from events.types import Claim, Payload
from gateway.types import OFFLINE
from security.sentences import Stored


@dataclass(frozen=True, slots=True)
class TurnWork:
    """A claimed turn with all that running it needs, so that nothing is queried while streaming."""

    claim: Claim
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    task: AgentTask
    must_stop: bool
    earlier: "Answer"  # as far as a holder that is gone had brought it
    wants_title: bool = False

    @property
    def started(self) -> Payload:
        return {
            "turn_id": str(self.claim.stream_id),
            "conversation_id": str(self.conversation_id),
            "question_id": str(self.question_id),
            "message_id": str(self.answer_id),
            "agent": {"slug": self.task.agent.slug, "name": self.task.agent.name},
            "model": self.task.agent.model_name,
            "takes_notes": self.task.agent.may_call,
        }


@dataclass(slots=True)
class Answer:
    """An answer as far as it has come."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    citations: list[CitationAdded] = field(default_factory=list)
    steps: list[Payload] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)  # demanded of whoever answered
    usage: Payload | None = None
    model: str = ""
    is_offline: bool = False
    notice: str = ""
    is_finished: bool = False  # its agent has said that this is all
    waits_for: set[str] = field(default_factory=set)  # calls that the person is asked about
    settled: tuple[int, int] = (0, 0)  # parts of text and thoughts that a step of its run is behind
    # What the question was understood as, by the call in which the answer was handed over: told
    # again by whoever takes it up (`chat.turns.retelling`).
    understood: dict[str, list[Payload]] = field(default_factory=dict)
    reasoning_since: float | None = None  # on the monotonic clock, while the model thinks

    @property
    def claims(self) -> int | None:
        """Sentences that make a claim; None where nobody judged it."""
        return self._judged.get("claims")

    @property
    def supported(self) -> int | None:
        """Those of them that a source stands behind."""
        return self._judged.get("supported")

    @property
    def _judged(self) -> Payload:
        found = [step["data"] for step in self.steps if step["kind"] == "support_checked"]
        return found[-1] if found else {}

    @property
    def handed_to(self) -> str | None:
        """Id of the agent that went on in place of the one that was asked."""
        return handed_over_to(self.steps)

    def is_longer_than(self, other: "Answer") -> bool:
        """Whether it has words or steps that the other one lacks."""
        mine, theirs = (sum(map(len, one.text)) for one in (self, other))
        return mine > theirs or (mine == theirs and len(self.steps) > len(other.steps))

    @property
    def has_words(self) -> bool:
        return bool(self.text or self.reasoning)

    @property
    def has_loose_words(self) -> bool:
        """Words that whoever takes the turn over could not say again."""
        return (len(self.text), len(self.reasoning)) != self.settled

    @property
    def loose_words(self) -> str:
        """Without thoughts."""
        return "".join(self.text[self.settled[0] :])

    @property
    def open_calls(self) -> list[str]:
        """Those that were begun and of whose end nobody was told."""
        called = [s["data"]["call_id"] for s in self.steps if s["kind"] == "tool_called"]
        ended = {s["data"]["call_id"] for s in self.steps if s["kind"] == "tool_completed"}
        return [one for one in dict.fromkeys(called) if one not in ended]

    def settle(self) -> None:
        """What was said so far is kept with a step of its run."""
        self.settled = (len(self.text), len(self.reasoning))

    @property
    def is_by_stand_in(self) -> bool:
        """Whether the offline answerer took over from a model that was out of order."""
        switches = [step["data"] for step in self.steps if step["kind"] == "endpoint_switched"]
        return bool(switches) and switches[-1]["switched_to"] == OFFLINE


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended and the event that tells it."""

    status: Turn.Status
    kind: str
    payload: dict[str, Any]
    error: Payload | None = None
    is_title_due: bool = False

    @property
    def reason(self) -> Stored:
        """Why the answer ends early, for the reader; empty when it does not or `error` says it."""
        return self.payload.get("reason", "")
