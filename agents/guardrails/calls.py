"""Calls of tools and what comes of them, as rules let them through."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from agents.guardrails.guard import Guard
from agents.guardrails.types import Place
from agents.guardrails.vault import masked, put
from agents.tools.results import Result
from agents.tools.types import Effect, Tool, ToolOutput
from agents.types import AgentTask
from gateway.labels import Demand
from gateway.types import ToolCall


@dataclass(frozen=True, slots=True)
class Checked:
    """A call as it may be made; with a `result` it is not made, with `asks` only if the person says
    so."""

    call: ToolCall
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Result | None = None
    asks: str = ""


async def checked(
    task: AgentTask, tool: Tool, call: ToolCall, arguments: Mapping[str, Any]
) -> Checked:
    """What was hidden from the model is put back for tools of this installation that tell nobody
    outside and no model. Those that send, those of other people's servers, search and other agents
    get the placeholders."""
    guard = task.guard
    if guard is None:
        return Checked(call, arguments)
    given = arguments
    if not (tool.server or tool.keeps_masks or tool.effect == Effect.SENDS):
        given = each_string(arguments, guard.vault.open)
    given, result, asks = await _looked_at(guard, given)
    if given != arguments:
        call = replace(call, arguments=orjson.dumps(given).decode())
    return Checked(call, given, result, asks)


async def _looked_at(
    guard: Guard, arguments: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Result | None, str]:
    if not guard.at(Place.TOOL_CALL):
        return arguments, None, ""
    whole = await guard.look("\n".join(strings_in(arguments)), Place.TOOL_CALL)
    if whole.blocked:
        return arguments, Result("denied", text=whole.blocked), ""
    if not whole.spans:
        return arguments, None, whole.asks
    hidden = {
        text: await _hidden(guard, text) for text in dict.fromkeys(strings_in(arguments)) if text
    }
    return each_string(arguments, lambda text: hidden.get(text, text)), None, whole.asks


async def _hidden(guard: Guard, text: str) -> str:
    """What is masked here nobody puts back: the tool must not have it."""
    looked = await guard.look(text, Place.TOOL_CALL, is_told=False)
    return put(text, ((span, masked(span)) for span in looked.spans))


async def received(
    task: AgentTask, result: Result, demands: Sequence[Demand]
) -> tuple[Result, Result]:
    """The result as it is kept and shown to the person, and as the model may read it; `demands` are
    those of all that was read until now."""
    guard = task.guard
    if guard is None:
        return result, result
    guard.demand(demands)
    if result.output is None:
        said = await guard.hidden(result.text, Place.TOOL_RESULT)
        text = said.blocked or guard.vault.hide_again(said.text)
        return result, replace(result, text=text)
    output: ToolOutput = result.output
    passages = await guard.passages(output.passages)
    looked = await guard.hidden(output.text, Place.TOOL_RESULT)
    if looked.blocked:
        denied = Result("denied", text=looked.blocked)
        return denied, denied
    kept = replace(output, passages=passages)
    text = guard.vault.hide_again(looked.text)  # a tool was given it, and may say it again
    return replace(result, output=kept), replace(result, output=replace(kept, text=text))


def strings_in(value: Any) -> Iterable[str]:
    """All texts in what JSON holds, names of fields and numbers as well."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from strings_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings_in(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def each_string(value: Any, change: Callable[[str], str]) -> Any:
    """The same with every text of it changed, but for names of fields. A number that is changed
    becomes a text."""
    if isinstance(value, Mapping):
        return {name: each_string(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [each_string(one, change) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    changed = change(str(value))
    return changed if isinstance(value, str) or changed != str(value) else value
