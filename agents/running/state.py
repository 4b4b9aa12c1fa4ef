"""What a run has come upon before it calls anything."""

from agents.asking import Asked
from agents.authority.types import RunState
from agents.tools.types import Taint
from agents.types import AgentTask
from security.ids import new_id

BOTH = frozenset(Taint)


def opening_state(task: AgentTask, asked: Asked) -> RunState:
    """Nobody answers for what documents say, nor for what was said earlier: an answer may repeat
    them, and a question may be somebody else's. Not everybody may read either, or what is
    remembered of the person. Tools of servers are described by whoever runs these. An agent that
    another one called knows by its words what that one knew; and what it is asked was written for
    another author, so that nothing counts that the person allowed it always."""
    parts = [part for passage in asked.passages for part in passage.parts]
    has_read = bool(parts or asked.reading.uses)
    has_past = bool(task.history or task.goes_on)
    taints = BOTH if has_read or has_past else frozenset[Taint]()
    if any(tool.server for tool in asked.tools.values()):
        taints |= {Taint.UNTRUSTED}
    if task.memories:
        taints |= {Taint.PRIVATE}
    readers = frozenset(part.collection_id for part in parts)
    if asked.opening is not None:  # what it had read when it began may be gone: it knew it
        taints |= frozenset(map(Taint, asked.opening.taints))
        readers |= asked.opening.readers
    caller = task.caller
    if caller is not None:
        taints, readers = taints | caller.taints, readers | caller.readers
        if not caller.is_handed:
            taints |= {Taint.UNTRUSTED}
    return RunState(
        run_id=caller.run_id if caller else task.turn_id or new_id(),
        taints=taints,
        readers=readers,
        conversation_id=task.conversation_id,
        is_interactive=task.turn_id is not None,
    )
