"""Runs the calls of a model: those that read side by side, all others one after the other.

Whatever happens to a call becomes a result that its model can read; a run never fails by a tool.
Nothing is called that `decide` does not allow at that moment.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agents.authority.types import RunState, Verdict
from agents.guardrails.calls import checked, received
from agents.running.keeping import PastCall
from agents.running.ledger import Ledger
from agents.running.spending import Spending
from agents.running.transcript import Numbers
from agents.running.within import HandOver, Within
from agents.tools.progress import Progress
from agents.tools.results import Result, fitting, numbered, told
from agents.tools.telling import asked, called, completed
from agents.tools.types import RESULT_CHARS, Taint, Tool, ToolCalling, ToolRefused, ToolWaits
from agents.types import AgentTask, Step
from events.cancelling import cancel_all
from gateway.labels import Demand, LabelUnmet, require_labels
from gateway.types import FindRoutes, ToolCall

log = logging.getLogger(__name__)

Decide = Callable[[ToolCalling, Tool, Mapping[str, Any], RunState], Awaitable[Verdict]]
Tell = Callable[[Step], None]

MAYBE_DONE = (
    "It was begun before, and then this server stopped: it may have happened or not, and was not "
    "repeated. Tell the person, who can look."
)


@dataclass(frozen=True, slots=True)
class Due:
    """A call that may be made, or that has its `result` already."""

    call: ToolCall
    tool: Tool | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Result | None = None
    took_ms: int = 0
    is_new: bool = True
    taints: frozenset[Taint] = frozenset()  # of what it is given


@dataclass(slots=True)
class Workshop:
    """The tools of one run, what it has come upon (`state`), and what the model is told of each
    call (`results`). `is_waiting`: a call waits for a person, and so does the run. `past` are calls
    of an earlier holder of the run."""

    task: AgentTask
    tools: Mapping[str, Tool]
    state: RunState
    numbers: Numbers
    demands: tuple[Demand, ...]
    routes: FindRoutes
    decide: Decide
    ledger: Ledger
    spending: Spending
    past: dict[str, PastCall] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    is_waiting: bool = False
    handed: HandOver | None = None

    async def run(self, calls: Sequence[ToolCall]) -> AsyncGenerator[Step, None]:
        """The steps of these calls as they happen; closing it ends what still runs."""
        told: asyncio.Queue[Step | None] = asyncio.Queue()
        is_reading = all(self._is_reading(call) for call in calls)
        run = self._side_by_side if is_reading else self._in_order
        work = asyncio.create_task(run(calls, told.put_nowait), name="tools")
        work.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (step := await told.get()) is not None:
                yield step
            try:
                work.result()
            except ExceptionGroup as group:  # of calls side by side: the others ended with it
                raise group.exceptions[0] from None
        finally:
            await cancel_all([work])

    def _is_reading(self, call: ToolCall) -> bool:
        tool = self.tools.get(call.name)
        return tool is None or tool.is_reading

    async def _side_by_side(self, calls: Sequence[ToolCall], tell: Tell) -> None:
        """They begin in their order and end as they do."""
        async with asyncio.TaskGroup() as group:
            for call in calls:
                if (due := await self._begin(call, tell)) is not None:
                    group.create_task(self._end(due, tell))

    async def _in_order(self, calls: Sequence[ToolCall], tell: Tell) -> None:
        """Until one of them waits: what comes after it may depend on it."""
        for call in calls:
            due = await self._begin(call, tell)
            if due is None:
                return
            await self._end(due, tell)
            if self.is_waiting:
                return

    async def _begin(self, call: ToolCall, tell: Tell) -> Due | None:
        """Decide about it and say that it begins; None where it waits for the person."""
        tool = self.tools.get(call.name)
        past = self.past.pop(call.id, None)
        if past is not None and past.result is not None:
            tell(called(call, tool))
            return Due(call, tool, result=past.result, took_ms=past.took_ms, is_new=False)
        arguments, result = _read(call, tool, self.tools)
        asks = ""
        if tool is not None and result is None and self.task.guard is not None:
            let = await checked(self.task, tool, call, arguments)
            call, arguments, result, asks = let.call, dict(let.arguments), let.result, let.asks
        if tool is not None and result is None:
            attempt = past.attempts + 1 if past else 1
            calling = ToolCalling(self.task, call.id, self.numbers.taken, asks=asks)
            verdict = await self._decided(calling, tool, arguments, attempt)
            if verdict.kind == "ask":
                self.is_waiting = True
                tell(asked(call, tool, verdict))
                return None
            if verdict.kind == "deny":
                result = Result("denied", text=verdict.reason)
            elif not tool.is_reading or verdict.approval_id is not None:
                await self.ledger.begins(
                    call, tool, attempt, verdict.approval_id, self.state.taints
                )
        tell(called(call, tool))
        return Due(call, tool, arguments, result, taints=self.state.taints)

    async def _decided(
        self, calling: ToolCalling, tool: Tool, arguments: Mapping[str, Any], attempt: int
    ) -> Verdict:
        """What was begun and may have happened is done again only if the person says so now."""
        state = replace(self.state, attempt=attempt)
        verdict = await self.decide(calling, tool, arguments, state)
        is_asked = verdict.approval_id is not None
        if verdict.kind == "ask" and not (is_asked and state.is_interactive):
            return replace(verdict, kind="deny")
        if verdict.kind == "allow" and attempt > 1 and not (is_asked or tool.is_reading):
            return Verdict("deny", MAYBE_DONE)
        return verdict

    async def _end(self, due: Due, tell: Tell) -> None:
        """Make the call; it is written down before anybody hears of it."""
        result, took_ms = due.result, due.took_ms
        if result is None and due.tool is not None:
            began = time.monotonic()
            progress = Progress(due.call.id, tell)
            within = Within(self.state, self.demands, self.spending, tell)
            calling = ToolCalling(
                self.task, due.call.id, self.numbers.taken, progress, within=within
            )
            try:
                result = await self._met(await _call(due.tool, calling, due.arguments))
            except ToolWaits:
                if due.tool.is_let_in is None:  # a call in the run of an agent that it asked
                    await self.ledger.pauses(due.call)
                    self.is_waiting = True
                    return
                if not await self._begins_again(due, tell):
                    self.is_waiting = True
                    return
                result = Result("refused", text="it can be called now. Call it again.")
            finally:
                progress.close()
            took_ms = round((time.monotonic() - began) * 1000)
        assert result is not None
        result, shown = await received(self.task, self._numbered(due.tool, result), self.demands)
        if due.is_new:
            await self.ledger.ended(due.call, due.tool, result, took_ms, due.taints)
        self.results[due.call.id] = told(due.tool, shown)
        if due.tool is not None and due.tool.hands_over and result.status == "done":
            assert result.output is not None
            self.handed = self.handed or HandOver(due.call.id, result.output.data)
        tell(completed(due.call, result, took_ms))

    async def _begins_again(self, due: Due, tell: Tell) -> bool:
        """Its server let nobody in, so nothing was done; False where it waits for the person."""
        await self.ledger.waits(due.call)
        return await self._begin(due.call, tell) is not None

    async def _met(self, result: Result) -> Result:
        """Nothing is kept of what no endpoint may read beside all that was read before."""
        new = result.output.demands if result.output else ()
        if not new:
            return result
        demands = tuple(dict.fromkeys((*self.demands, *new)))
        try:
            require_labels(await self.routes(self.task.agent.model_name), demands)
        except LabelUnmet as error:
            return Result("denied", text=f"This may not be shown to this model: {error}")
        return result

    def _numbered(self, tool: Tool | None, result: Result) -> Result:
        """Its passages under their numbers; what it brought in is known of the run from now on."""
        if result.output is None:
            return result
        output = fitting(result.output, tool.result_chars if tool else RESULT_CHARS)
        output = numbered(output, self.numbers.give(output.passages))
        self.demands = tuple(dict.fromkeys((*self.demands, *output.demands)))
        self.state = replace(
            self.state,
            taints=self.state.taints | output.taints,
            readers=self.state.readers | output.readers,
        )
        return replace(result, output=output)


def _read(
    call: ToolCall, tool: Tool | None, tools: Mapping[str, Tool]
) -> tuple[dict[str, Any], Result | None]:
    """The arguments, or what is wrong with the call."""
    if tool is None:
        why = f"There is no tool {call.name[:64]}. There are: {', '.join(tools) or 'none'}."
        return {}, Result("refused", text=why)
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        return {}, Result("refused", text=f"The arguments are no JSON: {error}.")
    if not isinstance(given, dict):
        return {}, Result("refused", text="The arguments must be a JSON object.")
    return given, None


async def _call(tool: Tool, calling: ToolCalling, arguments: Mapping[str, Any]) -> Result:
    try:
        async with asyncio.timeout(tool.timeout):
            return Result("done", await tool.run(calling, arguments))
    except ToolWaits:
        raise
    except ToolRefused as refused:
        return Result("refused", refused.output, str(refused))
    except TimeoutError:
        return Result("late", text=f"it took longer than {tool.timeout:g} seconds.")
    except Exception:
        log.exception("tool %s failed", tool.name)
        return Result("failed", text="something went wrong in it. The same call may fail again.")
