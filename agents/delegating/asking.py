"""A run of another agent in a call of this one: its own steps, tools and prompt, never more rights.

It is asked with what the caller's model wrote, knows what that one had come upon, and takes from
what is left to it. Whoever takes the run up again finds its steps under the caller's call.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, replace
from uuid import UUID

from agents.asking import Asked, prepare, searched_collections
from agents.authority.markers import markers_beside
from agents.authority.watching import has_canary, watched
from agents.building.variables import with_variables
from agents.citations import CitationGate
from agents.delegating.bounds import (
    AGAIN,
    DEEPEST,
    NO_ROOM,
    RUNS,
    TOO_DEEP,
    TOO_MANY,
    UNUSABLE,
    agents_above,
    depth_of,
    hands_of,
)
from agents.delegating.finding import find_reachable
from agents.finding import search_documents
from agents.guardrails.admitting import admitted
from agents.guardrails.answering import heard
from agents.models import Agent
from agents.openai.demands import demands_on
from agents.reading import read_attachments
from agents.running.talking import talk
from agents.running.within import Within
from agents.selectors import agent_spec
from agents.tools.results import ANSWER
from agents.tools.types import ToolCalling, ToolOutput, ToolRefused, ToolWaits
from agents.types import (
    AgentSpec,
    AgentTask,
    Caller,
    PackedPassage,
    Step,
    TextDelta,
    ToolApprovalRequested,
    ToolCalled,
    ToolCompleted,
    ToolProgressed,
)
from gateway.chat import stream_chat
from gateway.errors import GatewayError
from gateway.labels import Demand
from gateway.routing.routes import find_routes
from gateway.types import Completed, StreamItem
from observability.patience import run_patiently


async def ask(calling: ToolCalling, agent_id: UUID, question: str) -> ToolOutput:
    """Its answer, whose marks mean the passages that it cites. Raises ToolRefused with why it was
    not asked, and ToolWaits where one of its own calls waits for the person."""
    within = calling.within
    assert within is not None
    agent, spec, demands = await run_patiently(_found, calling.task, agent_id)
    task = await admitted(await with_variables(_task(calling, within, spec, question, demands)))
    if task.guard is not None and task.guard.blocked:
        raise ToolRefused(task.guard.blocked)
    if within.spending.runs >= RUNS:  # with nothing awaited until it counts: they run side by side
        raise ToolRefused(TOO_MANY)
    if not within.spending.has_room():
        raise ToolRefused(NO_ROOM)
    with within.spending.run_within():
        try:
            return await _Child(task, calling, within).answer(agent)
        except GatewayError as error:
            raise ToolRefused(f"The agent could not answer. {error}") from None


def _found(task: AgentTask, agent_id: UUID) -> tuple[Agent, AgentSpec, tuple[Demand, ...]]:
    """Checked at every call: what was offered when the run began may not be theirs any more."""
    agent = find_reachable(task.user, agent_id)
    if agent is None:
        raise ToolRefused(UNUSABLE)
    if agent.pk in agents_above(task):
        raise ToolRefused(AGAIN)
    if depth_of(task) >= DEEPEST:
        raise ToolRefused(TOO_DEEP)
    spec = agent_spec(agent)
    if spec.is_limited and not spec.collections:
        raise ToolRefused(UNUSABLE)
    return agent, spec, demands_on(task.user, agent)


def _task(
    calling: ToolCalling,
    within: Within,
    spec: AgentSpec,
    question: str,
    demands: tuple[Demand, ...],
) -> AgentTask:
    """It may search what both may. The conversation, its files and what is remembered of the person
    are not for it."""
    task, state = calling.task, within.state
    reach = [] if task.has_lost_its_collections else searched_collections(task)
    if reach == []:
        spec = replace(spec, max_passages=0)
    return AgentTask(
        agent=spec,
        user=task.user,
        question=question,
        collections=tuple(reach or ()),
        is_limited=reach is not None,
        turn_id=task.turn_id,
        conversation_id=task.conversation_id,
        is_temporary=task.is_temporary,
        demands=tuple(dict.fromkeys((*within.demands, *demands))),
        team_ids=task.team_ids,
        token_id=task.token_id,
        purpose=task.purpose,
        has_glossary=task.has_glossary,
        guard=task.guard,
        caller=Caller(
            run_id=state.run_id,
            call_id=calling.call_id,
            agents=agents_above(task),
            name=task.agent.name,
            taints=state.taints,
            readers=state.readers,
            spending=within.spending,
            depth=depth_of(task) + 1,
            hands=hands_of(task),
        ),
    )


class _Child:
    """One run of the other agent; what it calls is told to the readers of the caller's run."""

    def __init__(self, task: AgentTask, calling: ToolCalling, within: Within) -> None:
        self._task = task
        self._call_id = calling.call_id
        self._tell = within.step
        self._asked = Asked()
        self._passages: dict[int, PackedPassage] = {}

    async def answer(self, agent: Agent) -> ToolOutput:
        task, asked = self._task, self._asked
        preparing = prepare(
            task, asked, search_documents, read_attachments, routes=find_routes, chat=stream_chat
        )
        async with aclosing(preparing) as steps:
            async for _step in steps:
                pass
        gate = CitationGate(())
        self._may_cite(gate, asked.passages)
        is_done = False
        # What was hidden from its model is hidden from the other one, too.
        async with aclosing(heard(task, self._spoken(), opens=False)) as items:
            async for item in items:
                match item:
                    case TextDelta(text):
                        gate.feed(text)
                    case ToolCompleted():
                        if not item.parent:
                            self._may_cite(gate, item.passages)
                        self._tell(replace(item, passages=(), parent=item.parent or self._call_id))
                    case ToolCalled() | ToolApprovalRequested():
                        self._tell(replace(item, parent=item.parent or self._call_id))
                    case ToolProgressed():
                        self._tell(item)
                    case Completed():
                        is_done = True
        if not is_done:
            raise ToolWaits
        gate.close()
        return self._output(agent, gate)

    def _may_cite(self, gate: CitationGate, passages: tuple[PackedPassage, ...]) -> None:
        self._passages |= {one.n: one for one in passages}
        gate.admit([one.n for one in passages])

    def _spoken(self) -> AsyncGenerator[StreamItem | Step, None]:
        asked = self._asked
        talking = talk(self._task, asked, stream_chat, find_routes)
        if not (has_canary(self._task, asked.tools) or markers_beside(asked.passages)):
            return talking
        return watched(self._task, talking, asked.notices, asked.passages)

    def _output(self, agent: Agent, gate: CitationGate) -> ToolOutput:
        """With all that it had come upon: its answer may repeat any of it."""
        asked = self._asked
        assert asked.state is not None
        assert asked.spending is not None
        cited = dict.fromkeys(claim.n for claim in gate.take_claims())
        spent = asked.spending.spent
        said = "\n\n".join(filter(None, [gate.text.strip(), *map(str, asked.notices)]))
        return ToolOutput(
            said or "It said nothing.",
            {
                "kind": ANSWER,
                "agent": {"slug": agent.slug, "name": agent.name},
                "spent": asdict(replace(spent, runs=spent.runs + 1)),
            },
            tuple(self._passages[n] for n in cited),
            asked.state.taints,
            asked.state.readers,
            asked.demands,
        )
