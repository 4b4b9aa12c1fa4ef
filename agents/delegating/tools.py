"""The tools by which an agent calls others: one for each that its author named."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from agents.delegating.asking import ask
from agents.delegating.finding import Reachable, reachable_for
from agents.delegating.handing import offer
from agents.tools.registry import OWN
from agents.tools.schema import arguments_of, check_arguments, schema_of
from agents.tools.types import Effect, Tool, ToolCalling, ToolOutput
from agents.types import AgentTask
from observability.patience import run_patiently
from security.sentences import Sentence

Function = Callable[..., Awaitable[ToolOutput]]

RESULT_CHARS = 12_000
NAME = 60  # characters

Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]

ASKING = (
    "Ask another agent, which works with instructions, documents and tools of its own. It knows "
    "nothing of this conversation: write all that it needs into the question. You are told its "
    "answer; the passages that it cites you may cite by their numbers."
)
HANDING = (
    "Hand the conversation over to another agent, which answers the person from now on. Say "
    "nothing behind it."
)


async def provide(task: AgentTask) -> Sequence[Tool]:
    """Those that the person may use now; one query, none where the agent has no helpers."""
    helpers = task.agent.helpers
    if task.caller is not None and not task.caller.is_handed:  # it was asked: it answers
        helpers = tuple(one for one in helpers if one.way == "ask")
    if not helpers:
        return ()
    found = await run_patiently(reachable_for, task.user, helpers)
    return apart([tool_for(one, task.agent.limits.seconds) for one in found])


def tool_for(one: Reachable, seconds: float) -> Tool:
    """Its description is the author's alone: whoever has the other agent may name it as they like,
    and models are not told that name."""
    is_asked = one.helper.way == "ask"
    about, when = ASKING if is_asked else HANDING, one.helper.when.strip()
    function = _asks(one.agent.pk) if is_asked else _hands(one.agent.pk)
    arguments = arguments_of(function)

    async def run(calling: ToolCalling, given: Mapping[str, Any]) -> ToolOutput:
        return await function(calling, **check_arguments(arguments, given))

    slug = re.sub("_+", "-", one.agent.slug)
    return Tool(
        name=f"{'ask' if is_asked else 'hand_over_to'}_{slug}"[:NAME],
        title=Sentence("ask_agent" if is_asked else "hand_over_to_agent", name=one.agent.name),
        description=f"{about}\n\nWhen: {when}" if when else about,
        effect=Effect.READS,
        parameters=schema_of(arguments),
        run=run,
        result_chars=RESULT_CHARS,
        timeout=float(seconds),
        icon="agent" if is_asked else "hand",
        hands_over=not is_asked,
        keeps_masks=True,
    )


def apart(tools: Sequence[Tool]) -> list[Tool]:
    """Under names that no two of them have."""
    found: dict[str, Tool] = {}
    for one in tools:
        name, n = one.name, 2
        while name in found:
            name, n = f"{one.name}-{n}", n + 1
        found[name] = replace(one, name=name)
    return list(found.values())


def _asks(agent_id: UUID) -> Function:
    async def ask_agent(calling: ToolCalling, question: Question) -> ToolOutput:
        return await ask(calling, agent_id, question)

    return ask_agent


def _hands(agent_id: UUID) -> Function:
    async def hand_over(calling: ToolCalling, reason: Reason) -> ToolOutput:
        return await offer(calling, agent_id, reason)

    return hand_over


def register() -> None:
    if provide not in OWN:
        OWN.append(provide)
