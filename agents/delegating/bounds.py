"""How far agents may call agents, and what they are told beyond that."""

from uuid import UUID

from agents.types import AgentTask

DEEPEST = 2  # calls above a run: three agents below each other
HANDS = 3  # times that one answer is handed over
RUNS = 12  # of agents that were asked, in one run and all below it

UNUSABLE = "This agent cannot be called now. Go on without it."
AGAIN = "This agent is at work on this question already: it may not be called once more from here."
TOO_DEEP = "Agents are asked at most two below each other. Answer with what you have."
TOO_MANY = f"At most {RUNS} agents are asked in one run. Answer with what you have."
NO_ROOM = "What is left of the limits of this run is not enough to ask another agent. Answer now."
ENOUGH = f"A question is handed over {HANDS} times at most. Answer it yourself."


def agents_above(task: AgentTask) -> tuple[UUID, ...]:
    """Those at work on the question, this one last."""
    above = task.caller.agents if task.caller else ()
    return (*above, task.agent.id) if task.agent.id else above


def depth_of(task: AgentTask) -> int:
    return task.caller.depth if task.caller else 0


def hands_of(task: AgentTask) -> int:
    return task.caller.hands if task.caller else 0


def steps_before(task: AgentTask) -> int:
    return task.caller.steps if task.caller else 0
