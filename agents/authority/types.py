"""What a decision about a call depends on besides the call, and what it says."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from agents.tools.types import Taint

VerdictKind = Literal["allow", "ask", "deny"]


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run has come upon until now.

    `taints` are of everything that its model was shown, `readers` the collections whose readers may
    see it; empty: everyone in the conversation. Of a run that is not interactive nobody waits for a
    decision: what would be asked about is refused. An `attempt` above the first is of a call that
    was begun and whose end is not known: what was approved for it is used up.
    """

    run_id: UUID
    taints: frozenset[Taint] = frozenset()
    readers: frozenset[UUID] = frozenset()
    conversation_id: UUID | None = None
    is_interactive: bool = True
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` says why, to the model and to the person; `approval_id` is what is asked about."""

    kind: VerdictKind
    reason: str = ""
    approval_id: UUID | None = None
    expires_at: str = ""  # of a question; ISO 8601
