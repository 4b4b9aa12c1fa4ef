"""The tools of this installation: `@tool` makes one of a typed function and registers it.

Modules of tools are imported when the app is ready. Tools that are not the same for everybody, of
servers that are connected, come from a provider, which is asked once when a run begins.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise

from agents.tools.schema import arguments_of, check_arguments, schema_of
from agents.tools.types import RESULT_CHARS, TIMEOUT, Effect, Tool, ToolCalling, ToolOutput
from agents.types import AgentTask

Function = Callable[..., Awaitable[ToolOutput | str]]
Provider = Callable[[AgentTask], Awaitable[Sequence[Tool]]]

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

TOOLS: dict[str, Tool] = {}
PROVIDERS: list[Provider] = []
OWN: list[Provider] = []  # of what an agent has besides, that nobody switches on as a tool


def tool(
    *,
    title: str | Promise,
    effect: Effect,
    icon: str = "tool",
    result_chars: int = RESULT_CHARS,
    timeout: float = TIMEOUT,
    **limits: Any,  # `is_there`, `may_use`
) -> Callable[[Function], Function]:
    """Register an `async` function, whose first parameter is its `ToolCalling`.

    Its name, its parameters with their types, and its docstring are what models are told. Raises
    TypeError for one that models could not be told of, ValueError where the name is taken.
    """

    def register(function: Function) -> Function:
        made = tool_of(
            function, title=title, effect=effect, icon=icon, result_chars=result_chars,
            timeout=timeout, **limits,
        )  # fmt: skip
        if made.name in TOOLS:
            raise ValueError(f"There are two tools {made.name}.")
        TOOLS[made.name] = made
        return function

    return register


def tool_of(function: Function, **fields: Any) -> Tool:
    """The same without registering it."""
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"{function.__name__} is not async")
    if not NAME.fullmatch(function.__name__):
        raise TypeError(f"{function.__name__} is no name for a tool")
    description = inspect.getdoc(function)
    if not description:
        raise TypeError(f"{function.__name__} does not say what it does")
    arguments = arguments_of(function)

    async def run(calling: ToolCalling, given: Mapping[str, Any]) -> ToolOutput:
        output = await function(calling, **check_arguments(arguments, given))
        return ToolOutput(output) if isinstance(output, str) else output

    return Tool(
        name=function.__name__,
        description=description,
        parameters=schema_of(arguments),
        run=run,
        **fields,
    )


async def tools_of(task: AgentTask) -> dict[str, Tool]:
    """Those that the agent has switched on, this installation has, and the person may use."""
    wanted = task.agent.tools
    if not task.agent.may_call:
        return {}
    known = dict(TOOLS)
    for provide in PROVIDERS:
        known |= {one.name: one for one in await provide(task)}
    found = [known[name] for name in wanted if name in known]
    for provide in OWN:
        found += await provide(task)
    return {one.name: one for one in found if one.is_there() and one.may_use(task.user)}
