"""Another agent goes on in place of the one that was asked: with its own instructions, tools and
documents, for the same question, knowing what was come upon until then."""

from dataclasses import replace
from uuid import UUID

from agents.asking import Asked
from agents.building.variables import with_variables
from agents.delegating.bounds import (
    AGAIN,
    ENOUGH,
    HANDS,
    UNUSABLE,
    agents_above,
    hands_of,
    steps_before,
)
from agents.delegating.finding import find_reachable
from agents.guardrails.admitting import admitted
from agents.models import Agent
from agents.openai.demands import demands_on
from agents.selectors import agent_spec
from agents.tools.types import ToolCalling, ToolOutput, ToolRefused
from agents.types import AgentSpec, AgentTask, Caller, HandedOver
from gateway.labels import Demand
from observability.patience import run_patiently


async def offer(calling: ToolCalling, agent_id: UUID, reason: str) -> ToolOutput:
    """That it may; the run itself goes over once this call has ended. Raises ToolRefused."""
    task = calling.task
    if await run_patiently(_found, task, agent_id) is None:
        raise ToolRefused(UNUSABLE)
    if agent_id in agents_above(task):
        raise ToolRefused(AGAIN)
    if hands_of(task) >= HANDS:
        raise ToolRefused(ENOUGH)
    data = {"kind": "hand_over", "agent": str(agent_id), "reason": reason}
    return ToolOutput("It answers from here.", data)


async def handed_over(
    task: AgentTask, asked: Asked, said: str, taken: int
) -> tuple[AgentTask, HandedOver] | None:
    """The task of who goes on, and what readers are told; None where they may not use it any more.
    `said` is how the answer begins, `taken` how many numbers its passages have."""
    handed, state = asked.handed, asked.state
    assert handed is not None
    assert state is not None
    found = await run_patiently(_found, task, UUID(handed.data["agent"]))
    if found is None:
        return None
    agent, spec, demands = found
    reason = str(handed.data["reason"])
    caller = Caller(
        run_id=state.run_id,
        call_id=handed.call_id,
        agents=agents_above(task),
        name=task.agent.name,
        words=reason,
        taints=state.taints,
        readers=state.readers,
        is_handed=True,
        said=said,
        notes=(*(task.caller.notes if task.caller else ()), *asked.notes),
        steps=steps_before(task) + len(asked.done),
        numbers_taken=taken,
        hands=hands_of(task) + 1,
    )
    after = replace(
        task,
        agent=spec,
        demands=tuple(dict.fromkeys((*asked.demands, *demands))),
        said_by_collections=(),
        goes_on=None,
        caller=caller,
    )
    told = HandedOver(
        call_id=handed.call_id,
        agent_id=agent.pk,
        slug=agent.slug,
        name=agent.name,
        emoji=agent.emoji,
        picture=str(agent.picture or ""),
        reason=reason,
        from_slug=task.agent.slug,
        from_name=task.agent.name,
    )
    return await admitted(await with_variables(after)), told


def _found(task: AgentTask, agent_id: UUID) -> tuple[Agent, AgentSpec, tuple[Demand, ...]] | None:
    """Not one that has lost its collections: it would search everything."""
    agent = find_reachable(task.user, agent_id)
    if agent is None:
        return None
    spec = agent_spec(agent)
    if spec.is_limited and not spec.collections:
        return None
    return agent, spec, demands_on(task.user, agent)
